//! Tests of several parts together.

mod config;
mod missing;
mod pages;
mod scrapes;
mod targets;
mod time;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};

use super::config::Config;
use super::explain::LastScrape;
use super::ingest;
use super::target::Target;
use super::{Absence, PodMetrics, Settings, Value};
use crate::clock::{Age, Clock, Sleep};
use crate::cluster::testing::Reader;
use crate::cluster::{Cluster, Hpa, Hpas, Pod, PodKey};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A clock that tests move.
#[derive(Debug, Default)]
pub(super) struct Manual {
    passed: Mutex<Duration>,
    set_back: Mutex<Duration>,
}

impl Manual {
    pub(super) fn pass(&self, duration: Duration) {
        *self.passed.lock() += duration;
    }

    /// Sets the wall clock back.
    pub(super) fn set_back(&self, duration: Duration) {
        *self.set_back.lock() += duration;
    }
}

impl Clock for Manual {
    fn wall(&self) -> Timestamp {
        let nanos = |duration: &Mutex<Duration>| i64::try_from(duration.lock().as_nanos()).unwrap();
        Timestamp(1_000_000_000_000_000_000 + nanos(&self.passed) - nanos(&self.set_back))
    }

    fn elapsed(&self) -> Age {
        Age::from_elapsed(*self.passed.lock() + 3600 * SECOND)
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }

    fn sleep_until(&self, _: Age) -> Sleep {
        Box::pin(std::future::pending())
    }
}

pub(super) fn key(text: &str) -> PodKey {
    let (namespace, name) = text.split_once('/').unwrap();
    PodKey::new(namespace, name)
}

/// A running pod at an address, with labels and annotations.
pub(super) fn pod(reader: &Reader, name: &str, address: &str, more: Json) -> Arc<Pod> {
    let key = key(name);
    let mut metadata = json!({"namespace": &*key.namespace, "name": &*key.name, "uid": name});
    let more = more.as_object().unwrap();
    for (member, value) in more.iter().filter(|(member, _)| *member != "spec") {
        metadata[member] = value.clone();
    }
    let ports = json!([{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}]);
    let mut spec = json!({"nodeName": "n1", "containers": [{"name": "c", "ports": ports}]});
    for (member, value) in more
        .get("spec")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        spec[member] = value.clone();
    }
    let status = json!({"phase": "Running", "podIP": address});
    reader.pod(json!({"metadata": metadata, "spec": spec, "status": status}))
}

pub(super) fn reader() -> Reader {
    let reader = Reader::default();
    reader.store_endpoints();
    reader
}

/// A store whose pods are scraped by hand.
pub(super) struct World {
    pub(super) store: Arc<PodMetrics>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) clock: Arc<Manual>,
    pub(super) reader: Reader,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let (cluster, clock) = (Arc::new(Cluster::default()), Arc::new(Manual::default()));
        let store = PodMetrics::new(
            settings,
            Arc::clone(&cluster),
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        Self {
            store: Arc::new(store),
            cluster,
            clock,
            reader: reader(),
        }
    }

    /// Adds a pod that asks for scrapes by an annotation.
    pub(super) fn add(&self, name: &str, more: Json) {
        let mut annotated = json!({"annotations": {"prometheus.io/scrape": "true"}});
        for (member, value) in more.as_object().unwrap() {
            annotated[member] = value.clone();
        }
        let pod = pod(&self.reader, name, "10.0.0.7", annotated);
        self.cluster
            .change_pods(|pods| pods.insert(pod.key.clone(), pod));
    }

    /// Autoscalers of a namespace that ask for these names.
    pub(super) fn asks(&self, namespace: &str, names: &[&str]) {
        let key = PodKey::new(namespace, "hpa");
        let metrics = names.iter().map(|name| Arc::from(*name)).collect();
        let hpa = Arc::new(Hpa {
            key: key.clone(),
            metrics,
        });
        let hpas: Hpas = [(key, hpa)].into_iter().collect();
        self.store.demands.update(&hpas, self.store.clock.elapsed());
        self.clock.pass(Duration::from_millis(1));
    }

    pub(super) fn target(&self, name: &str) -> Target {
        self.store.target(&key(name)).unwrap()
    }

    /// Stores a page of a pod as a scrape does, and returns what was not used.
    pub(super) fn scrape(&self, name: &str, page: &str) -> Vec<String> {
        let (pod, target) = (key(name), self.target(name));
        let format = kubevitals_proto::exposition::Format::Text;
        let keeps = self.store.keeper(&pod, &target);
        let page = ingest::read(page.as_bytes(), format, Default::default(), keeps).unwrap();
        let problems = page.problems.into_iter().map(|(_, text)| text).collect();
        let scrape = LastScrape {
            at: self.clock.wall(),
            duration: SECOND,
            bytes: 0,
            samples: page.samples,
            problems,
            result: Ok(()),
        };
        self.store.store(&pod, &target, page.reported, scrape);
        self.store
            .state(&pod)
            .unwrap()
            .lock()
            .last
            .clone()
            .unwrap()
            .problems
    }

    /// Scrapes pages one after another, 15 s apart.
    pub(super) fn scrapes(&self, name: &str, pages: &[&str]) {
        for (turn, page) in pages.iter().enumerate() {
            if turn > 0 {
                self.clock.pass(15 * SECOND);
            }
            self.scrape(name, page);
        }
    }

    pub(super) fn read(&self, pod: &str, name: &str, selector: &str) -> Result<Value, Absence> {
        let selector: LabelSelector = selector.parse().unwrap();
        self.store.read(&key(pod), name, &selector)
    }

    pub(super) fn value(&self, pod: &str, name: &str) -> f64 {
        self.read(pod, name, "").unwrap().value
    }
}

/// A config of the file's text.
pub(super) fn config(text: &str) -> Result<Config, String> {
    config_with_window(text, 60 * SECOND)
}

pub(super) fn config_with_window(text: &str, window: Duration) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();
    std::fs::write(folder.path().join("other"), "another\n").unwrap();
    super::config::Reloader::start(path, 15 * SECOND, window)
        .map(|(_, config)| config)
        .map_err(|error| error.to_string())
}
