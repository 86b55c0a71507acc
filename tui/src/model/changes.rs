//! What changed in a cluster between two times, by workload and node. The rule of what is different is that of
//! `vitals diff`; this module sums it up for people.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::diff::{self, Difference, What, differences};
use super::format::count;
use super::images;
use super::name::{Key, Name, Workload};
use super::problems::{revision, short};
use super::row::{ChangeRow, PodRow, Row as _};
use super::scope::{Open, Scope};
use super::world::World;

/// The namespace of a workload, and the workload.
type WorkloadKey = (Name, Arc<Workload>);

/// Pods of these kinds come and go by themselves.
const SHORT_LIVED: [&str; 2] = ["Job", "CronJob"];

/// The changes from an earlier time to the time on the screen: the latest first, those without a known time last.
#[must_use]
pub(super) fn changes(then: &World, now: &World, basis: &diff::Basis<'_>) -> Vec<ChangeRow> {
    let mut rows = Vec::new();
    // If the source sends some pods only, others than those of the earlier time are not new.
    let is_whole = then.extent.is_none() && now.extent.is_none();
    let (earlier, later) = (Counts::of(then, basis), Counts::of(now, basis));
    let mut restarts: BTreeMap<Owner, Restarted> = BTreeMap::new();
    let differences = differences(then, now, basis);
    if is_whole {
        // In order, so that equal changes are always the same.
        let workloads: BTreeSet<&WorkloadKey> = earlier.0.keys().chain(later.0.keys()).collect();
        for workload in workloads {
            let counts = (earlier.0.get(workload), later.0.get(workload));
            rows.extend(of_workload(workload, counts, basis.since));
        }
    }
    for difference in &differences {
        match difference.what {
            What::NodeNew | What::NodeGone | What::NodeStatus => {
                rows.push(of_node(difference, now))
            }
            What::PodNew | What::PodGone if is_whole => {
                rows.extend(of_pod(difference, then, now, basis.since));
            }
            What::Restarts => {
                if let Some(pod) = now.pods.get(&key_of(difference)) {
                    restarts
                        .entry(Owner::of(pod))
                        .or_default()
                        .add(difference, pod);
                }
            }
            _ => {}
        }
    }
    rows.extend(restarts.into_iter().map(|(owner, all)| all.into_row(owner)));
    for row in &mut rows {
        // What was created earlier has changed for another reason.
        row.at = row.at.filter(|at| *at > basis.since);
    }
    rows.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
    rows
}

fn key_of(difference: &Difference) -> Key {
    let object = &difference.object;
    Key::new(&Name::from(&*object.namespace), &Name::from(&*object.name))
}

/// The pods of a workload at one time.
#[derive(Debug, Default)]
struct Count {
    pods: u32,
    /// The newest revision.
    revision: Option<Revision>,
    /// When the first and the last pod were created.
    created: Option<(u32, u32)>,
}

/// The pods of a revision of a workload.
#[derive(Debug)]
struct Revision {
    name: String,
    /// When its first pod was created.
    first: u32,
    pods: u32,
    /// The images of its last pod: what an admission webhook adds to pods may have changed meanwhile.
    images: Name,
}

/// The pods of all workloads at one time.
struct Counts(HashMap<WorkloadKey, Count>);

impl Counts {
    fn of(world: &World, basis: &diff::Basis<'_>) -> Self {
        let mut counts: HashMap<WorkloadKey, Count> = HashMap::new();
        // The creation of the first and the last pod of each revision, their number, and the last pod's images.
        // In order of names, so that the same one of two revisions from the same second is the newest each time.
        type Revisions<'a> = BTreeMap<&'a str, (u32, u32, u32, &'a Name)>;
        let mut revisions: HashMap<WorkloadKey, Revisions<'_>> = HashMap::new();
        for pod in world.pods.rows() {
            let Some(workload) = &pod.workload else {
                continue;
            };
            let is_short = SHORT_LIVED.contains(&&*workload.kind);
            if is_short || pod.phase.is_over() || !basis.has_namespace(&pod.namespace) {
                continue;
            }
            let key = (Name::clone(&pod.namespace), Arc::clone(workload));
            let created = pod.created_seconds;
            if let Some(revision) = revision(pod) {
                let of = revisions.entry(key.clone()).or_default();
                let new = (created, created, 0, &pod.images);
                let (first, last, count, images) = of.entry(revision).or_insert(new);
                if created > *last {
                    *images = &pod.images;
                }
                (*first, *last, *count) = (created.min(*first), created.max(*last), *count + 1);
            }
            let count = counts.entry(key).or_default();
            count.pods += 1;
            let (first, last) = count.created.unwrap_or((created, created));
            count.created = Some((created.min(first), created.max(last)));
        }
        for (key, revisions) in revisions {
            let newest = revisions.into_iter().max_by_key(|(_, (first, ..))| *first);
            if let (Some(count), Some((name, (first, _, pods, images)))) =
                (counts.get_mut(&key), newest)
            {
                count.revision = Some(Revision {
                    name: name.to_owned(),
                    first,
                    pods,
                    images: Name::clone(images),
                });
            }
        }
        Self(counts)
    }
}

fn seconds(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_secs(seconds.into()))
}

/// What changed of a workload: it is new, gone, has a new revision or another number of pods.
fn of_workload(
    (namespace, workload): &WorkloadKey,
    counts: (Option<&Count>, Option<&Count>),
    since: Timestamp,
) -> Option<ChangeRow> {
    let (text, at, is_gone) = match counts {
        (None, Some(now)) => {
            let first = now.created.and_then(|(first, _)| seconds(first));
            (format!("new: {}", count(now.pods, "pod")), first, false)
        }
        (Some(then), None) => (format!("no pods left of {}", then.pods), None, true),
        (Some(then), Some(now)) => {
            let before = then.revision.as_ref();
            let revision = before.zip(now.revision.as_ref()).filter(|(before, it)| {
                // A revision whose first pod is older is one that was there before.
                let is_later = seconds(it.first).is_some_and(|first| first > since);
                is_later && before.name != it.name
            });
            match (revision, then.pods != now.pods) {
                (Some((before, it)), _) => {
                    let of = format!("{} of {}", it.pods, count(now.pods, "pod"));
                    let text = match images::change(&before.images, &it.images) {
                        Some(change) => format!("{change} ({of})"),
                        None => format!("new revision: {of}"),
                    };
                    (text, seconds(it.first), false)
                }
                (None, true) => {
                    let grown = now.created.filter(|_| now.pods > then.pods);
                    let at = grown.and_then(|(_, last)| seconds(last));
                    (
                        format!("scaled from {} to {}", then.pods, count(now.pods, "pod")),
                        at,
                        false,
                    )
                }
                (None, false) => return None,
            }
        }
        (None, None) => return None,
    };
    let key = Key::new(namespace, &workload.name);
    Some(ChangeRow {
        key: key.part(&Name::from(format!("{} pods", workload.kind))),
        object: short(workload),
        text,
        at,
        opens: Open {
            scope: Scope::Workload(Name::clone(namespace), Arc::clone(workload)),
            container: None,
            time: is_gone.then_some(Some(since)),
        },
    })
}

fn of_node(difference: &Difference, now: &World) -> ChangeRow {
    let name = Name::from(&*difference.object.name);
    let key = Key::named(&name);
    let (text, at) = match difference.what {
        What::NodeNew => (
            "new node".to_owned(),
            now.nodes.get(&key).and_then(|node| node.created()),
        ),
        What::NodeGone => ("node is gone".to_owned(), None),
        _ => {
            let (before, after) = (difference.before.text(), difference.after.text());
            (format!("was {before}, is {after}"), None)
        }
    };
    ChangeRow {
        key: key.part(&"Node".into()),
        object: name.to_string(),
        text,
        at,
        opens: Scope::Node(name).into(),
    }
}

/// A pod without a workload that is new or gone.
fn of_pod(
    difference: &Difference,
    then: &World,
    now: &World,
    since: Timestamp,
) -> Option<ChangeRow> {
    let key = key_of(difference);
    let is_gone = difference.what == What::PodGone;
    let pod = if is_gone { &then.pods } else { &now.pods }.get(&key)?;
    if pod.workload.is_some() {
        return None;
    }
    Some(ChangeRow {
        key: key
            .clone()
            .part(&if is_gone { "gone" } else { "new" }.into()),
        object: pod.name.to_string(),
        text: if is_gone { "pod is gone" } else { "new pod" }.to_owned(),
        at: pod.created().filter(|_| !is_gone),
        opens: Open {
            scope: Scope::Pod(key),
            container: None,
            time: is_gone.then_some(Some(since)),
        },
    })
}

/// The workload of pods, or a pod without one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Workload(Name, Arc<Workload>),
    Pod(Key),
}

impl Owner {
    fn of(pod: &PodRow) -> Self {
        match &pod.workload {
            Some(workload) => Self::Workload(Name::clone(&pod.namespace), Arc::clone(workload)),
            None => Self::Pod(pod.key()),
        }
    }
}

/// The restarts of the pods of an owner.
#[derive(Debug, Default)]
struct Restarted {
    count: u64,
    last: Option<Timestamp>,
    cause: String,
}

impl Restarted {
    fn add(&mut self, difference: &Difference, pod: &PodRow) {
        self.count = self.count.saturating_add(difference.size());
        let finished = pod.restarts.finished();
        if finished >= self.last {
            self.last = finished;
            self.cause = pod.restarts.cause().into_owned();
        }
    }

    fn into_row(self, owner: Owner) -> ChangeRow {
        let (key, object, scope) = match owner {
            Owner::Workload(namespace, workload) => {
                let key = Key::new(&namespace, &workload.name);
                let key = key.part(&Name::from(format!("{} restarts", workload.kind)));
                (key, short(&workload), Scope::Workload(namespace, workload))
            }
            Owner::Pod(key) => (
                key.clone().part(&"restarts".into()),
                key.name.to_string(),
                Scope::Pod(key),
            ),
        };
        let times = count(self.count, "restart");
        let text = match self.cause.as_str() {
            "" => times,
            cause => format!("{times} ({cause})"),
        };
        ChangeRow {
            key,
            object,
            text,
            at: self.last,
            opens: scope.into(),
        }
    }
}

#[cfg(test)]
mod tests;
