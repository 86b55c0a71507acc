//! Large clusters, with too many pods to send all: the server selects the pods on the screen. The source sends the
//! first pods in the order of the screen and the unhealthy ones of the others.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::PodVitals;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::attempts::Attempts;
use super::client::escaped;
use super::item::{at_query, count, pod_vitals_path};
use super::kubernetes::Kubernetes;
use super::selection_limits::SelectionLimits;
use super::{Error, vitals_path};
use crate::model::filter::Operator;
use crate::model::row::PodRow;
use crate::model::{
    Batch, Extent, Field, Interest, Message, Name, Part, Row as _, Scope, Truncation,
};

/// The time between two requests for the cluster as a whole.
pub(super) const POLL: Duration = Duration::from_secs(5);

/// The time between two requests for the selected pods. A pod's usage is new every 15 s.
const POLL_PODS: Duration = Duration::from_secs(10);

/// The interest must not change for this long before a request is sent, so that typing a word causes one request.
const QUIET: Duration = Duration::from_millis(150);

/// A request is sent after this long although the interest still changes.
const IMPATIENCE: Duration = Duration::from_millis(600);

/// The selected pods.
pub(super) struct Pods {
    pub(super) rows: Vec<PodRow>,
    pub(super) truncation: Option<Truncation>,
}

/// Lets the server select the pods of a large cluster.
pub(super) struct PodSelection {
    pub(super) kubernetes: Kubernetes,
    pub(super) limits: SelectionLimits,
    /// How many pods exist; none before the first response.
    pub(super) total: Sender<Option<u64>>,
}

impl PodSelection {
    /// Sends the pods of the interest, as long as there are too many pods to send all.
    pub(super) async fn run(&self, mut interests: Receiver<Interest>) {
        let mut attempts = Attempts::new(&self.kubernetes.sender, Part::Pods);
        while self.is_needed() {
            attempts.begin();
            let interest = interests.borrow_and_update().clone();
            // A request for pods that are no longer on the screen is dropped.
            tokio::select! {
                pods = self.choose(&interest, None) => self.send_selected(pods, interest, &mut attempts).await,
                Ok(()) = interests.changed() => {
                    quiet(&mut interests).await;
                    continue;
                }
            }
            tokio::select! {
                () = sleep_until(attempts.due()) => {}
                Ok(()) = interests.changed() => quiet(&mut interests).await,
            }
        }
    }

    async fn send_selected(
        &self,
        pods: Result<Pods, Error>,
        interest: Interest,
        attempts: &mut Attempts,
    ) {
        let sender = &self.kubernetes.sender;
        match pods {
            Ok(Pods { rows, truncation }) => {
                let extent = Extent {
                    total: self.total.borrow().unwrap_or_default(),
                    interest,
                    truncation,
                };
                sender.send(Message::Extent(Some(extent))).await;
                sender.mark_sent(Part::Pods);
                sender.send(Message::Pods(Batch::All(rows))).await;
                attempts.succeeded().await;
                attempts.again_after(POLL_PODS);
            }
            Err(error) => attempts.failed(&error).await,
        }
    }

    /// Whether there are too many pods to send all.
    pub(super) fn is_needed(&self) -> bool {
        self.limits.is_exceeded(*self.total.borrow())
    }

    /// Requests the pods of the interest, now or at a time.
    ///
    /// # Errors
    /// A request failed.
    pub(super) async fn choose(
        &self,
        interest: &Interest,
        at: Option<Timestamp>,
    ) -> Result<Pods, Error> {
        let most = self.limits.most;
        let (by, word) = sort_by(interest.order);
        let (first, unhealthy, page) = tokio::join!(
            self.listed(path(interest, by, most, at)),
            self.unhealthy(interest, at),
            self.page(interest, at),
        );
        let (mut rows, unhealthy) = (first?, unhealthy?);
        let truncation = (!is_all(&rows, interest, most)).then(|| Truncation {
            first: count(rows.len()),
            by: word,
            unhealthy: others(&unhealthy, &rows),
            all_unhealthy: unhealthy.len() < most,
        });
        rows.extend(unhealthy);
        rows.extend(page);
        Ok(Pods { rows, truncation })
    }

    async fn listed(&self, path: String) -> Result<Vec<PodRow>, Error> {
        let (rows, _) = self.kubernetes.list::<PodRow>(&vitals_path(&path)).await?;
        Ok(rows)
    }

    async fn unhealthy(
        &self,
        interest: &Interest,
        at: Option<Timestamp>,
    ) -> Result<Vec<PodRow>, Error> {
        let path = path(interest, "restarts", self.limits.most, at);
        self.listed(format!("{path}&healthy=false")).await
    }

    /// The pod whose page is open, if it exists.
    async fn page(&self, interest: &Interest, at: Option<Timestamp>) -> Option<PodRow> {
        let key = interest.pod.as_ref()?;
        let Kubernetes {
            metrics, sender, ..
        } = &self.kubernetes;
        let path = pod_vitals_path(key, &at_query(at));
        let pod = metrics.parsed::<PodVitals>(&path, "podvitals", "").await;
        Some(PodRow::from_vitals(&pod.ok()?, sender.names()))
    }
}

/// Waits until the interest has not changed for `QUIET`, at most `IMPATIENCE`.
async fn quiet(interests: &mut Receiver<Interest>) {
    let patience = Instant::now() + IMPATIENCE;
    loop {
        interests.mark_unchanged();
        let until = (Instant::now() + QUIET).min(patience);
        match timeout_at(until, interests.changed()).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// Whether the first pods are all pods of the interest: there are fewer than the limit, or the last one is below the
/// filter's least value.
fn is_all(rows: &[PodRow], interest: &Interest, most: usize) -> bool {
    let too_little = |(field, operator, least): (Field, Operator, f64)| {
        let last = rows
            .last()
            .map(|row| row.number(field, Timestamp::default()));
        last.is_some_and(|last| last.is_none_or(|last| !operator.holds(last, least)))
    };
    rows.len() < most || interest.selection.least.is_some_and(too_little)
}

/// How many of the rows are not in `among`.
fn others(rows: &[PodRow], among: &[PodRow]) -> u64 {
    let present: std::collections::HashSet<(&Name, &Name)> = among
        .iter()
        .map(|row| (&row.namespace, &row.name))
        .collect();
    let others = rows
        .iter()
        .filter(|row| !present.contains(&(&row.namespace, &row.name)));
    count(others.count())
}

/// The path of the list of the first pods of the interest.
fn path(interest: &Interest, by: &str, most: usize, at: Option<Timestamp>) -> String {
    let mut fields = interest.selection.fields.clone();
    let mut query = format!("sortBy={by}&limit={most}");
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            query.push_str(&format!("&{name}={}", escaped(value)));
        }
    };
    let namespace = match &interest.scope {
        Scope::Namespace(namespace) | Scope::Workload(namespace, _) => Some(namespace),
        _ => None,
    };
    match &interest.scope {
        Scope::Node(node) => fields.push(format!("spec.nodeName={node}")),
        Scope::Workload(_, workload) => {
            add("workload", &format!("{}/{}", workload.kind, workload.name));
        }
        _ => {}
    }
    // A user may have access to one namespace only.
    let base = match (namespace, interest.namespaces.as_slice()) {
        (Some(one), _) | (None, [one]) => format!("/namespaces/{}/podvitals", escaped(one)),
        (None, several) => {
            add("namespaces", &several.join(","));
            "/podvitals".to_owned()
        }
    };
    add("fieldSelector", &fields.join(","));
    add("labelSelector", &interest.selection.labels.join(","));
    add("search", &interest.selection.words.join(" "));
    if let Some(at) = at {
        add("at", &at.to_rfc3339_seconds());
    }
    format!("{base}?{query}")
}

/// The name of the order in the API and in the dashboard. An order that the server does not have becomes CPU.
fn sort_by(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Memory | Field::MemoryTrend => ("memory", "memory"),
        Field::Restarts | Field::Recent => ("restarts", "restarts"),
        Field::CpuOfLimit => ("cpuOfLimit", "CPU of limit"),
        Field::MemoryOfLimit => ("memoryOfLimit", "memory of limit"),
        Field::CpuOfRequest => ("cpuOfRequest", "CPU of request"),
        Field::MemoryOfRequest => ("memoryOfRequest", "memory of request"),
        Field::Name => ("name", "name"),
        Field::Namespace => ("namespace", "namespace"),
        _ => ("cpu", "CPU"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::filter::Filter;
    use crate::model::row::Workload;

    fn interest(filter: &str) -> Interest {
        Interest {
            selection: filter.parse::<Filter>().unwrap().selection(false),
            ..Interest::default()
        }
    }

    #[test]
    fn the_path_has_the_interest() {
        let workload = Arc::new(Workload {
            kind: "Deployment".into(),
            name: "web".into(),
        });
        for (interest, expected) in [
            (interest(""), "/podvitals?sortBy=cpu&limit=1000"),
            (
                interest("crash -l app=web ready=false"),
                "/podvitals?sortBy=cpu&limit=1000&fieldSelector=status.ready%3Dfalse&labelSelector=app%3Dweb&search=crash",
            ),
            (
                Interest {
                    scope: Scope::Node("n1".into()),
                    namespaces: vec!["a".into(), "b".into()],
                    ..interest("ready=false")
                },
                "/podvitals?sortBy=cpu&limit=1000&namespaces=a%2Cb&fieldSelector=status.ready%3Dfalse%2Cspec.nodeName%3Dn1",
            ),
            (
                Interest {
                    scope: Scope::Workload("shop".into(), workload),
                    ..Interest::default()
                },
                "/namespaces/shop/podvitals?sortBy=cpu&limit=1000&workload=Deployment%2Fweb",
            ),
            (
                Interest {
                    namespaces: vec!["shop".into()],
                    ..Interest::default()
                },
                "/namespaces/shop/podvitals?sortBy=cpu&limit=1000",
            ),
        ] {
            assert_eq!(path(&interest, "cpu", 1_000, None), expected);
        }
    }

    #[test]
    fn rows_are_complete_if_the_last_is_below_the_filter() {
        let row = |restarts: u32| PodRow {
            restarts: crate::model::row::Restarts {
                count: restarts,
                ..Default::default()
            },
            ..PodRow::default()
        };
        let three = |last: u32| vec![row(9), row(8), row(last)];
        let interest = interest("restarts>0");
        assert!(is_all(&three(3), &interest, 4));
        assert!(!is_all(&three(3), &interest, 3));
        assert!(is_all(&three(0), &interest, 3));
        assert!(!is_all(&three(0), &Interest::default(), 3));
        // Rows without CPU usage come last.
        assert!(is_all(&three(3), &self::interest("cpu>1m"), 3));
    }
}
