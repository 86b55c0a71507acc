//! What somebody may ask for: the names in HorizontalPodAutoscalers, and those that a client has asked for lately.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use tokio::sync::Notify;

use super::explain::Demand;
use super::name::readings;
use crate::clock::Age;
use crate::cluster::Hpas;

/// How long a name counts after the last request for it.
const EXPIRY: Duration = Duration::from_secs(900);

/// The most names that requests add, in a namespace and in all.
const MAX_ASKED_OF_NAMESPACE: usize = 100;
const MAX_ASKED: usize = 5000;

/// The most names that autoscalers add in a namespace.
const MAX_OF_HPAS: usize = 1000;

/// The longest name in bytes.
const MAX_NAME: usize = 250;

/// What is asked for, by namespace: a namespace's autoscalers and clients make the server keep families of its own pods.
#[derive(Debug, Default)]
pub(super) struct Demands {
    current: ArcSwap<Snapshot>,
    asked: RwLock<HashMap<Arc<str>, HashMap<Box<str>, Asked>>>,
    /// Notified when a request has asked for a new name.
    pub(super) changed: Notify,
}

/// A name that a request has asked for.
#[derive(Debug)]
struct Asked {
    since: Age,
    last_millis: AtomicI64,
}

/// What is asked for at one time.
#[derive(Debug, Default)]
pub(super) struct Snapshot(HashMap<Arc<str>, Arc<Names>>);

/// What is asked for in a namespace.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) names: BTreeMap<Arc<str>, Wanted>,
    /// The families that one of the names may stand for.
    families: HashSet<String>,
}

/// A name that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) by: Vec<Demand>,
    pub(super) since: Age,
}

impl Names {
    /// Whether a family may be asked for.
    pub(super) fn has_family(&self, family: &str) -> bool {
        self.families.contains(family)
    }
}

impl Demands {
    /// What is asked for in a namespace.
    pub(super) fn of(&self, namespace: &str) -> Arc<Names> {
        self.current
            .load()
            .0
            .get(namespace)
            .cloned()
            .unwrap_or_default()
    }

    /// Notes that a request asks for a name.
    pub(super) fn ask(&self, namespace: &Arc<str>, name: &str, now: Age) {
        if let Some(asked) = self
            .asked
            .read()
            .get(namespace)
            .and_then(|names| names.get(name))
        {
            asked.last_millis.store(now.millis(), Relaxed);
            return;
        }
        if name.len() > MAX_NAME {
            return;
        }
        let mut all = self.asked.write();
        let total: usize = all.values().map(HashMap::len).sum();
        let names = all.entry(Arc::clone(namespace)).or_default();
        if total >= MAX_ASKED || names.len() >= MAX_ASKED_OF_NAMESPACE {
            return;
        }
        let asked = Asked {
            since: now,
            last_millis: AtomicI64::new(now.millis()),
        };
        names.insert(name.into(), asked);
        drop(all);
        self.changed.notify_one();
    }

    /// Makes what is asked for anew from the autoscalers and the requests.
    pub(super) fn update(&self, hpas: &Hpas, now: Age) {
        let before = self.current.load_full();
        let mut namespaces: HashMap<Arc<str>, Names> = HashMap::new();
        for hpa in hpas.values() {
            let names = namespaces
                .entry(Arc::clone(&hpa.key.namespace))
                .or_default();
            for metric in &hpa.metrics {
                if names.names.len() < MAX_OF_HPAS || names.names.contains_key(metric) {
                    names.want(metric, Demand::Hpa(hpa.key.clone()), now);
                }
            }
        }
        let oldest = now.before(EXPIRY).millis();
        let mut asked = self.asked.write();
        asked.retain(|namespace, names| {
            names.retain(|_, asked| asked.last_millis.load(Relaxed) >= oldest);
            for (name, asked) in &*names {
                let of_namespace = namespaces.entry(Arc::clone(namespace)).or_default();
                of_namespace.want(&Arc::from(&**name), Demand::Asked, asked.since);
            }
            !names.is_empty()
        });
        drop(asked);
        let namespaces = namespaces.into_iter().map(|(namespace, mut names)| {
            if let Some(before) = before.0.get(&namespace) {
                for (name, wanted) in &mut names.names {
                    if let Some(before) = before.names.get(name) {
                        wanted.since = wanted.since.min(before.since);
                    }
                }
            }
            (namespace, Arc::new(names))
        });
        self.current.store(Arc::new(Snapshot(namespaces.collect())));
    }

    /// The number of names that are asked for.
    pub(super) fn len(&self) -> usize {
        self.current
            .load()
            .0
            .values()
            .map(|names| names.names.len())
            .sum()
    }
}

impl Names {
    fn want(&mut self, name: &Arc<str>, by: Demand, since: Age) {
        let wanted = self.names.entry(Arc::clone(name)).or_insert_with(|| {
            self.families
                .extend(readings(name).map(|(family, _)| family));
            Wanted {
                by: Vec::new(),
                since,
            }
        });
        wanted.since = wanted.since.min(since);
        if !wanted.by.contains(&by) {
            wanted.by.push(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Hpa, PodKey};

    fn hpas(all: &[(&str, &str, &str)]) -> Hpas {
        let all = all.iter().map(|(namespace, name, metric)| {
            let key = PodKey::new(*namespace, *name);
            let metrics = Box::from([Arc::from(*metric)]);
            (key.clone(), Arc::new(Hpa { key, metrics }))
        });
        all.collect()
    }

    fn at(seconds: u64) -> Age {
        Age::from_elapsed(Duration::from_secs(seconds))
    }

    #[test]
    fn two_autoscalers_that_name_one_metric_keep_it_once_each_in_its_namespace() {
        let demands = Demands::default();
        demands.update(
            &hpas(&[
                ("shop", "a", "rps_per_second"),
                ("shop", "b", "rps_per_second"),
                ("bank", "c", "queue"),
            ]),
            at(0),
        );
        let shop = demands.of("shop");
        assert_eq!(shop.names["rps_per_second"].by.len(), 2);
        assert!(
            shop.has_family("rps_total") && shop.has_family("rps") && !shop.has_family("queue")
        );
        assert!(demands.of("bank").has_family("queue") && !demands.of("other").has_family("queue"));
        demands.update(&Hpas::new(), at(1));
        assert!(!demands.of("shop").has_family("rps"));
    }

    #[test]
    fn a_name_that_was_asked_for_counts_for_a_while() {
        let demands = Demands::default();
        let shop = Arc::from("shop");
        demands.ask(&shop, "queue", at(10));
        demands.update(&Hpas::new(), at(11));
        assert_eq!(demands.of("shop").names["queue"].by, [Demand::Asked]);
        demands.ask(&shop, "queue", at(800));
        demands.update(&Hpas::new(), at(1600));
        assert_eq!(demands.of("shop").names["queue"].since, at(10));
        demands.update(&Hpas::new(), at(1701));
        assert!(!demands.of("shop").has_family("queue"));
    }

    #[test]
    fn a_namespace_cannot_ask_for_any_number_of_names() {
        let demands = Demands::default();
        let (shop, bank) = (Arc::from("shop"), Arc::from("bank"));
        for number in 0..10_000 {
            demands.ask(&shop, &format!("name_{number}"), at(0));
        }
        demands.ask(&bank, "queue", at(0));
        demands.ask(&bank, &"x".repeat(1000), at(0));
        demands.update(&Hpas::new(), at(0));
        assert_eq!(demands.len(), MAX_ASKED_OF_NAMESPACE + 1);
    }
}
