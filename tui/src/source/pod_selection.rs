//! Clusters with too many pods to send all of them: the server selects those on the screen. The source sends the first
//! ones in the order of the screen and, of the others, the unhealthy ones, which a person on call looks for.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::PodVitals;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::attempts::Attempts;
use super::client::escaped;
use super::kubernetes::Kubernetes;
use super::selection_limits::SelectionLimits;
use super::{Error, vitals_path};
use crate::model::filter::Operator;
use crate::model::row::PodRow;
use crate::model::{Batch, Chosen, Extent, Field, Interest, Message, Name, Part, Row as _, Scope};

/// The time between two requests for the selected pods, and for the cluster as a whole.
pub(super) const POLL: Duration = Duration::from_secs(5);

/// For how long nothing must have changed before it is asked for: who types a word is not told of each letter.
const QUIET: Duration = Duration::from_millis(150);

/// After how long it is asked for although it goes on changing.
const IMPATIENCE: Duration = Duration::from_millis(600);

/// Pods that were chosen.
pub(super) struct Pods {
    pub(super) rows: Vec<PodRow>,
    pub(super) chosen: Option<Chosen>,
}

/// Lets the server select pods of a cluster with too many of them.
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
            Ok(Pods { rows, chosen }) => {
                let extent = Extent {
                    total: self.total.borrow().unwrap_or_default(),
                    interest,
                    chosen,
                };
                sender.send(Message::Extent(Some(extent))).await;
                sender.mark_sent(Part::Pods);
                sender.send(Message::Pods(Batch::All(rows))).await;
                attempts.succeeded().await;
                attempts.again_after(POLL);
            }
            Err(error) => attempts.failed(&error).await,
        }
    }

    /// Whether there are too many pods to tell of all.
    pub(super) fn is_needed(&self) -> bool {
        self.limits.is_exceeded(*self.total.borrow())
    }

    /// The pods of the interest, now or at a time.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub(super) async fn choose(
        &self,
        interest: &Interest,
        at: Option<Timestamp>,
    ) -> Result<Pods, Error> {
        let most = self.limits.chosen;
        let (by, word) = sort_by(interest.order);
        let (first, unhealthy, page) = tokio::join!(
            self.listed(path(interest, by, most, at)),
            self.unhealthy(interest, at),
            self.page(interest, at),
        );
        let (mut rows, unhealthy) = (first?, unhealthy?);
        let chosen = (!is_all(&rows, interest, most)).then(|| Chosen {
            first: count(rows.len()),
            by: word,
            unhealthy: others(&unhealthy, &rows),
            all_unhealthy: unhealthy.len() < most,
        });
        rows.extend(unhealthy);
        rows.extend(page);
        Ok(Pods { rows, chosen })
    }

    async fn listed(&self, path: String) -> Result<Vec<PodRow>, Error> {
        let path = vitals_path(&path);
        let (rows, _) = self.kubernetes.list::<PodRow>(&path, "podvitals").await?;
        Ok(rows)
    }

    async fn unhealthy(
        &self,
        interest: &Interest,
        at: Option<Timestamp>,
    ) -> Result<Vec<PodRow>, Error> {
        let path = path(interest, "restarts", self.limits.chosen, at);
        self.listed(format!("{path}&healthy=false")).await
    }

    /// The pod whose page is open, if it is there.
    async fn page(&self, interest: &Interest, at: Option<Timestamp>) -> Option<PodRow> {
        let key = interest.pod.as_ref()?;
        let at = at.map_or(String::new(), |at| {
            format!("?at={}", at.to_rfc3339_seconds())
        });
        let path = format!(
            "/namespaces/{}/podvitals/{}{at}",
            escaped(&key.namespace),
            escaped(&key.name)
        );
        let pod = self
            .kubernetes
            .metrics
            .parsed::<PodVitals>(&vitals_path(&path), "podvitals", "")
            .await;
        let names = self.kubernetes.sender.names();
        Some(PodRow::from_vitals(&pod.ok()?, names))
    }
}

/// Waits until nothing has changed for a moment.
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

/// Whether the first pods are all pods of the interest: there are fewer than the limit, or the last of them has less than
/// the filter asks for.
fn is_all(rows: &[PodRow], interest: &Interest, most: usize) -> bool {
    let too_little = |(field, operator, least): (Field, Operator, f64)| {
        let last = rows
            .last()
            .map(|row| row.number(field, Timestamp::default()));
        last.is_some_and(|last| last.is_none_or(|last| !operator.holds(last, least)))
    };
    rows.len() < most || interest.selection.least.is_some_and(too_little)
}

/// How many of some rows are not among others.
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

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
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
    // Who may see one namespace alone asks for that alone.
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

/// The server's word for an order, and ours. What it cannot order by is ordered by CPU.
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
    fn what_is_looked_at_is_asked_for() {
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
    fn all_are_told_of_where_the_last_has_too_little() {
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
        // Of none it is known how much CPU they use, and those of which it is known come first.
        assert!(is_all(&three(3), &self::interest("cpu>1m"), 3));
    }
}
