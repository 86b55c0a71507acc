//! Rows of the table of probes.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use kubevitals_proto::labels::Labels;
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};

use super::{Container, Entry, PodRow, Probe, Row, Value};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::Key;
use crate::model::part::Part;
use crate::model::scope::{Limits, Open};
use crate::model::view_info::ViewInfo;

/// A row of the table of probes. It shares its pod's row.
#[derive(Debug, Clone)]
pub struct ProbeRow {
    /// The pod.
    pub pod: Arc<PodRow>,
    /// The index of the container in the pod.
    container: u16,
    /// The index of the probe in the container.
    at: u16,
}

impl ProbeRow {
    /// The rows of a pod's probes, in the order of the pod.
    pub fn all(pod: &Arc<PodRow>) -> impl Iterator<Item = Self> + '_ {
        (0_u16..)
            .zip(&pod.containers)
            .flat_map(move |(container, each)| {
                (0_u16..).zip(&each.each_probe).map(move |(at, _)| Self {
                    pod: Arc::clone(pod),
                    container,
                    at,
                })
            })
    }

    fn container(&self) -> Option<&Container> {
        self.pod.containers.get(usize::from(self.container))
    }

    fn container_name(&self) -> &str {
        self.container().map_or("", |container| &container.name)
    }

    fn probe(&self) -> &Probe {
        // Rows are only made for existing probes.
        static NONE: LazyLock<Probe> = LazyLock::new(Probe::default);
        let probes = self.container().map(|container| &container.each_probe);
        let probe = probes.and_then(|probes| probes.get(usize::from(self.at)));
        probe.unwrap_or(&NONE)
    }

    /// Whether the probe is listed without a filter on its state. The API server reports nothing about a liveness probe
    /// of a container that runs, so there that it is unknown says nothing. A probe that waits has not been run.
    fn is_notable(&self) -> bool {
        let probe = self.probe();
        match probe.status {
            ProbeStatus::Failing | ProbeStatus::Pending => true,
            ProbeStatus::Unknown => {
                probe.kind != ProbeKind::Liveness || !self.pod.has_known_state()
            }
            _ => probe.failures > 0,
        }
    }

    /// The successive failures of the threshold: `2/3`.
    fn failures(&self) -> Value<'_> {
        let probe = self.probe();
        match (probe.failures, probe.status) {
            // The API server does not report how often a probe has failed.
            (0, ProbeStatus::Failing | ProbeStatus::Pending | ProbeStatus::Unknown) => {
                format!("-/{}", probe.threshold).into()
            }
            (failures, _) => Value::Of(failures, probe.threshold),
        }
    }

    /// The bytes of the last part of the key: the container and the kind. A blank is less than all characters of a name.
    fn part(&self) -> impl Iterator<Item = u8> {
        let kind = self.probe().kind.word();
        self.container_name()
            .bytes()
            .chain(*b" ")
            .chain(kind.bytes())
    }
}

/// The order of the states in the table, the most severe one first.
fn severity(status: ProbeStatus) -> f64 {
    match status {
        ProbeStatus::Failing => 7.0,
        ProbeStatus::Pending => 6.0,
        ProbeStatus::Unknown => 5.0,
        ProbeStatus::Waiting => 4.0,
        ProbeStatus::Held => 3.0,
        ProbeStatus::NotRunning => 2.0,
        ProbeStatus::Passing => 1.0,
        ProbeStatus::Passed => 0.0,
    }
}

type E = Entry<ProbeRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for ProbeRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 5, |row| (&row.pod.namespace).into()).searched(),
        E::text(Field::Workload, "WORKLOAD", (8, 30), 3, |row| {
            row.pod.workload.as_ref().map_or("".into(), |workload| (&workload.name).into())
        })
            .searched(),
        E::text(Field::Pod, "POD", (12, 60), 0, |row| (&row.pod.name).into()).searched(),
        E::text(Field::Container, "CONTAINER", (9, 30), 5, |row| row.container_name().into()).searched(),
        E::text(Field::ProbeKind, "PROBE", (9, 9), 1, |row| row.probe().kind.word().into()).searched(),
        E::text(Field::Probe, "STATE", (7, 11), 1, |row| {
            Value::Sorted(row.probe().status.word().into(), severity(row.probe().status))
        })
            .tone(|row, _| row.probe().tone())
            .searched(),
        E::number(Field::Failures, "FAILED", 6, 2, Self::failures).exported_with(&[Field::Threshold]),
        E::number(Field::Age, "SINCE", 6, 3, |row| Value::Since(row.probe().since())),
        E::number(Field::Period, "PERIOD", 6, 6, |row| Value::Duration(row.probe().setting("period="))),
        E::number(Field::Timeout, "TIMEOUT", 7, 7, |row| Value::Duration(row.probe().setting("timeout="))),
        E::text(Field::Message, "LAST FAILURE", (12, 80), 4, |row| {
            row.probe().message.as_deref().unwrap_or_default().into()
        })
            .searched(),
        E::text(Field::Action, "ACTION", (10, 60), 8, |row| row.probe().action().into()).searched(),
        E::text(Field::Node, "NODE", (8, 30), 10, |row| (&row.pod.node).into()).searched(),
        E::text(Field::Status, "POD STATUS", (10, 18), Column::ON_DEMAND, |row| (&row.pod.status).into()).searched(),
        E::number(Field::Threshold, "THRESHOLD", 9, Column::ON_DEMAND, |row| row.probe().threshold.into()),
        E::hidden(Field::Name, |row| row.container_name().into()),
        E::hidden(Field::App, |row| row.pod.app().into()),
        E::hidden(Field::Kind, |row| {
            row.pod.workload.as_ref().map_or("".into(), |workload| (&workload.kind).into())
        }),
        E::hidden(Field::Ready, |row| row.container().is_some_and(|container| container.ready).into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "probes that are not passing",
        sort: Sort { field: Field::Probe, descending: true },
        ..ViewInfo::new("Probes", "Prb", "probes", Part::Pods)
    };

    fn key(&self) -> Key {
        let part = format!("{} {}", self.container_name(), self.probe().kind.word());
        self.pod.key().part(&part.into())
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        (limits.names_probe || self.is_notable()) && self.pod.is_in(limits)
    }

    fn open(&self) -> Open {
        Open {
            container: self.container().map(|container| Arc::clone(&container.name)),
            ..self.pod.open()
        }
    }

    /// `pod/web-1/app/liveness`: kubectl has no such resource.
    fn reference(&self) -> String {
        format!("{}/{}/{}", self.pod.reference(), self.container_name(), self.probe().kind.word())
    }

    fn in_order(&self, other: &Self) -> Ordering {
        let pods = if Arc::ptr_eq(&self.pod, &other.pod) {
            Ordering::Equal
        } else {
            self.pod.in_order(&other.pod)
        };
        pods.then_with(|| self.part().cmp(other.part()))
    }

    fn against(&self, key: &Key) -> Ordering {
        let pod = &*self.pod;
        (&*pod.namespace, &*pod.name)
            .cmp(&(&*key.namespace, &*key.name))
            .then_with(|| self.part().cmp(key.part.bytes()))
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.pod.labels)
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;
    use crate::model::scope::Scope;
    use crate::model::table::Table;

    fn probe(kind: ProbeKind, status: ProbeStatus, failures: u32) -> Probe {
        Probe {
            kind,
            status,
            failures,
            threshold: 3,
            ..Probe::default()
        }
    }

    /// A pod of these containers, each with a running state and its probes.
    fn pod(containers: &[(&str, Vec<Probe>)]) -> Arc<PodRow> {
        let containers = containers.iter().map(|(name, probes)| Container {
            name: (*name).into(),
            state: super::super::ContainerState::Running,
            each_probe: probes.clone().into(),
            ..Container::default()
        });
        Arc::new(PodRow {
            name: "web".into(),
            containers: containers.collect(),
            ..PodRow::default()
        })
    }

    #[test]
    fn only_what_does_not_pass_is_listed_without_a_filter() {
        use ProbeKind::{Liveness, Readiness, Startup};
        use ProbeStatus::{Failing, Held, NotRunning, Passed, Passing, Pending, Unknown, Waiting};
        for (kind, status, failures, listed) in [
            (Readiness, Failing, 0, true),
            (Startup, Pending, 0, true),
            (Readiness, Unknown, 0, true),
            (Liveness, Unknown, 0, false),
            (Liveness, Passing, 2, true),
            (Liveness, Passing, 0, false),
            (Startup, Passed, 0, false),
            (Readiness, Held, 0, false),
            (Readiness, Waiting, 0, false),
            (Readiness, NotRunning, 0, false),
        ] {
            let pod = pod(&[("app", vec![probe(kind, status, failures)])]);
            let row = ProbeRow::all(&pod).next().unwrap();
            let mut limits = Limits {
                scope: &Scope::All,
                namespaces: &[],
                now: Timestamp::default(),
                names_probe: false,
            };
            assert_eq!(row.is_in(&limits), listed, "{kind:?} {status:?} {failures}");
            limits.names_probe = true;
            assert!(row.is_in(&limits));
        }
        let mut lost = PodRow::clone(&pod(&[("app", vec![probe(Liveness, Unknown, 0)])]));
        lost.mark_unknown();
        assert!(ProbeRow::all(&Arc::new(lost)).all(|row| row.is_notable()));
    }

    #[test]
    fn every_probe_is_found_by_its_key() {
        use ProbeKind::{Liveness, Readiness};
        let both = || {
            let status = ProbeStatus::Passing;
            vec![probe(Readiness, status, 0), probe(Liveness, status, 0)]
        };
        let pod = pod(&[("web", both()), ("web-2", both()), ("w", both())]);
        let table = Table::of(ProbeRow::all(&pod).collect());
        assert_eq!(table.len(), 6);
        for row in table.rows() {
            let found = table.get(&row.key()).unwrap();
            assert_eq!(found.reference(), row.reference());
        }
    }

    #[test]
    fn failures_that_nobody_counts_are_unknown() {
        let text = |status, failures| {
            let pod = pod(&[("app", vec![probe(ProbeKind::Readiness, status, failures)])]);
            let row = ProbeRow::all(&pod).next().unwrap();
            row.failures().text(Timestamp::default()).into_owned()
        };
        assert_eq!(text(ProbeStatus::Failing, 5), "5/3");
        assert_eq!(text(ProbeStatus::Failing, 0), "-/3");
        assert_eq!(text(ProbeStatus::Passing, 0), "0/3");
    }
}
