//! Clusters with too many pods to tell of all: the server chooses, by what is looked at. Told of are those that come
//! first of what is looked at, and of the others those that are not healthy, which somebody on call looks for.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::PodVitals;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::attempts::Attempts;
use super::client::escaped;
use super::vitals::{POLL, Vitals};
use super::{Error, vitals_path};
use crate::model::filter::Operator;
use crate::model::row::PodRow;
use crate::model::{Batch, Chosen, Extent, Field, Fields as _, Look, Message, Name, Part, Scope};

/// When a server that can choose is asked to, and how many pods it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Many {
    /// Where there are more pods than this.
    pub above: u64,
    /// So many of those that come first, at most, and so many of those that are not healthy.
    pub chosen: usize,
}

impl Default for Many {
    fn default() -> Self {
        Self {
            above: 10_000,
            chosen: 1_000,
        }
    }
}

/// For how long nothing must have changed before it is asked for: who types a word is not told of each letter.
const QUIET: Duration = Duration::from_millis(150);

/// After how long it is asked for although it goes on changing.
const IMPATIENCE: Duration = Duration::from_millis(600);

/// Pods that were chosen.
pub(super) struct Pods {
    pub(super) rows: Vec<PodRow>,
    pub(super) chosen: Option<Chosen>,
}

impl Many {
    /// Whether there are too many to tell of all.
    pub(super) fn is_exceeded(self, total: Option<u64>) -> bool {
        total.is_some_and(|total| total > self.above)
    }
}

impl Vitals {
    /// Tells of the pods that are looked at, as long as there are very many.
    pub(super) async fn chosen(&self, mut looks: Receiver<Look>) {
        let mut attempts = Attempts::new(&self.kubernetes.teller, Part::Pods);
        while self.are_very_many() {
            attempts.begin();
            let look = looks.borrow_and_update().clone();
            // What is looked at no longer is not waited for.
            tokio::select! {
                pods = self.choose(&look, None) => self.tell_chosen(pods, look, &mut attempts).await,
                Ok(()) = looks.changed() => {
                    quiet(&mut looks).await;
                    continue;
                }
            }
            tokio::select! {
                () = sleep_until(attempts.due()) => {}
                Ok(()) = looks.changed() => quiet(&mut looks).await,
            }
        }
    }

    async fn tell_chosen(&self, pods: Result<Pods, Error>, look: Look, attempts: &mut Attempts) {
        let teller = &self.kubernetes.teller;
        match pods {
            Ok(Pods { rows, chosen }) => {
                let extent = Extent {
                    total: self.total.borrow().unwrap_or_default(),
                    look,
                    chosen,
                };
                teller.tell(Message::Extent(Some(extent))).await;
                teller.shown(Part::Pods);
                teller.tell(Message::Pods(Batch::All(rows))).await;
                attempts.answered().await;
                attempts.again_after(POLL);
            }
            Err(error) => attempts.failed(&error).await,
        }
    }

    /// Whether there are too many pods to tell of all.
    pub(super) fn are_very_many(&self) -> bool {
        self.many.is_exceeded(*self.total.borrow())
    }

    /// The pods that are looked at, of now or of a time.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub(super) async fn choose(&self, look: &Look, at: Option<Timestamp>) -> Result<Pods, Error> {
        let most = self.many.chosen;
        let (by, word) = sort_by(look.order);
        let (first, unhealthy, page) = tokio::join!(
            self.listed(path(look, by, most, at)),
            self.unhealthy(look, at),
            self.page(look, at),
        );
        let (mut rows, unhealthy) = (first?, unhealthy?);
        let chosen = (!is_all(&rows, look, most)).then(|| Chosen {
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
        let (rows, _) = self
            .list::<PodRow>(&vitals_path(&path), "podvitals")
            .await?;
        Ok(rows)
    }

    async fn unhealthy(&self, look: &Look, at: Option<Timestamp>) -> Result<Vec<PodRow>, Error> {
        let path = path(look, "restarts", self.many.chosen, at);
        self.listed(format!("{path}&healthy=false")).await
    }

    /// The pod whose page is open, if it is there.
    async fn page(&self, look: &Look, at: Option<Timestamp>) -> Option<PodRow> {
        let key = look.pod.as_ref()?;
        let at = at.map_or(String::new(), |at| {
            format!("?at={}", at.to_rfc3339_seconds())
        });
        let path = format!(
            "/namespaces/{}/podvitals/{}{at}",
            escaped(&key.namespace),
            escaped(&key.name)
        );
        let pod = self
            .get::<PodVitals>(&vitals_path(&path), "podvitals")
            .await;
        let names = &self.kubernetes.teller.names;
        Some(PodRow::from_vitals(&pod.ok()?, names))
    }
}

/// Waits until nothing has changed for a moment.
async fn quiet(looks: &mut Receiver<Look>) {
    let patience = Instant::now() + IMPATIENCE;
    loop {
        looks.mark_unchanged();
        let until = (Instant::now() + QUIET).min(patience);
        match timeout_at(until, looks.changed()).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// Whether those that come first are all that are looked at: there are fewer than were asked for, or the last of them
/// has less than is looked at already.
fn is_all(rows: &[PodRow], look: &Look, most: usize) -> bool {
    let too_little = |(field, operator, least): (Field, Operator, f64)| {
        let last = rows
            .last()
            .map(|row| row.number(field, Timestamp::default()));
        last.is_some_and(|last| last.is_none_or(|last| !operator.holds(last, least)))
    };
    rows.len() < most || look.selection.least.is_some_and(too_little)
}

/// How many of some rows are not among others.
fn others(rows: &[PodRow], among: &[PodRow]) -> u64 {
    let known: std::collections::HashSet<(&Name, &Name)> = among
        .iter()
        .map(|row| (&row.namespace, &row.name))
        .collect();
    let others = rows
        .iter()
        .filter(|row| !known.contains(&(&row.namespace, &row.name)));
    count(others.count())
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The list of the pods that are looked at, the first of an order.
fn path(look: &Look, by: &str, most: usize, at: Option<Timestamp>) -> String {
    let mut fields = look.selection.fields.clone();
    let mut query = format!("sortBy={by}&limit={most}");
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            query.push_str(&format!("&{name}={}", escaped(value)));
        }
    };
    let namespace = match &look.scope {
        Scope::Namespace(namespace) | Scope::Workload(namespace, _) => Some(namespace),
        _ => None,
    };
    match &look.scope {
        Scope::Node(node) => fields.push(format!("spec.nodeName={node}")),
        Scope::Workload(_, workload) => {
            add("workload", &format!("{}/{}", workload.kind, workload.name));
        }
        _ => {}
    }
    // Who may see one namespace alone asks for that alone.
    let base = match (namespace, look.namespaces.as_slice()) {
        (Some(one), _) | (None, [one]) => format!("/namespaces/{}/podvitals", escaped(one)),
        (None, several) => {
            add("namespaces", &several.join(","));
            "/podvitals".to_owned()
        }
    };
    add("fieldSelector", &fields.join(","));
    add("labelSelector", &look.selection.labels.join(","));
    add("search", &look.selection.words.join(" "));
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
    use crate::model::View;
    use crate::model::filter::Filter;
    use crate::model::row::Workload;

    fn look(filter: &str) -> Look {
        Look {
            selection: filter.parse::<Filter>().unwrap().selection(View::Pods),
            ..Look::default()
        }
    }

    #[test]
    fn what_is_looked_at_is_asked_for() {
        let workload = Arc::new(Workload {
            kind: "Deployment".into(),
            name: "web".into(),
        });
        for (look, expected) in [
            (look(""), "/podvitals?sortBy=cpu&limit=1000"),
            (
                look("crash -l app=web ready=false"),
                "/podvitals?sortBy=cpu&limit=1000&fieldSelector=status.ready%3Dfalse&labelSelector=app%3Dweb&search=crash",
            ),
            (
                Look {
                    scope: Scope::Node("n1".into()),
                    namespaces: vec!["a".into(), "b".into()],
                    ..look("ready=false")
                },
                "/podvitals?sortBy=cpu&limit=1000&namespaces=a%2Cb&fieldSelector=status.ready%3Dfalse%2Cspec.nodeName%3Dn1",
            ),
            (
                Look {
                    scope: Scope::Workload("shop".into(), workload),
                    ..Look::default()
                },
                "/namespaces/shop/podvitals?sortBy=cpu&limit=1000&workload=Deployment%2Fweb",
            ),
            (
                Look {
                    namespaces: vec!["shop".into()],
                    ..Look::default()
                },
                "/namespaces/shop/podvitals?sortBy=cpu&limit=1000",
            ),
        ] {
            assert_eq!(path(&look, "cpu", 1_000, None), expected);
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
        let many = |last: u32| vec![row(9), row(8), row(last)];
        let look = look("restarts>0");
        assert!(is_all(&many(3), &look, 4));
        assert!(!is_all(&many(3), &look, 3));
        assert!(is_all(&many(0), &look, 3));
        assert!(!is_all(&many(0), &Look::default(), 3));
        // Of none it is known how much CPU they use, and those of which it is known come first.
        assert!(is_all(&many(3), &self::look("cpu>1m"), 3));
    }
}
