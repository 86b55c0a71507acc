//! Incidents outlive the pod in a ConfigMap, without a volume and without another replica.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::config::Settings;
use kubevitals_server::state::INCIDENTS;
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_sim::identity::{SERVER_ACCOUNT, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Fault, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{RESOLUTION, clock_of, counted, wait_until};

const KEY: &str = "incidents.json.gz";

/// The time between two writes.
const MINUTE: Duration = Duration::from_secs(60);

/// The ConfigMap, with this content if there is any.
fn configmap(bytes: Option<&[u8]>, written: Timestamp) -> Value {
    let mut object = json!({
        "metadata": {"name": INCIDENTS, "namespace": SERVER_ACCOUNT.0, "labels": {"stays": "yes"}},
        "data": {"others": "stay"},
    });
    if let Some(bytes) = bytes {
        object["binaryData"] = json!({KEY: BASE64_STANDARD.encode(bytes)});
        object["data"]["written"] = json!(written.to_rfc3339_seconds());
    }
    object
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A cluster with a manual clock, for servers that persist incidents in a ConfigMap and nothing in a folder.
struct World {
    cluster: Cluster,
    clock: SimClock,
}

impl World {
    async fn with(object: Option<Value>) -> Self {
        telemetry::init(LogFormat::Text, 0);
        let clock = SimClock::manual(Timestamp::from_secs(1_800_000_000));
        let cluster = Cluster::start(Config {
            nodes: 2,
            pods_per_node: 4,
            faults: Faults::None,
            clock: Some(clock.clone()),
            ..Config::default()
        })
        .await
        .unwrap();
        let world = Self { cluster, clock };
        if let Some(object) = object {
            world.put(object);
        }
        world
    }

    async fn new() -> Self {
        Self::with(Some(configmap(None, Timestamp(0)))).await
    }

    fn put(&self, object: Value) {
        self.cluster.store().apply(Resource::ConfigMaps, object);
    }

    async fn serve(&self) -> Server {
        let kubeconfig = self.cluster.server_kubeconfig();
        let mut settings = Settings::embedded(kubeconfig, clock_of(&self.clock))
            .await
            .unwrap();
        settings.incidents = Some(INCIDENTS.to_owned());
        Server::start(settings).await.unwrap()
    }

    fn object(&self) -> Option<Value> {
        let store = self.cluster.store();
        let object = store.get(Resource::ConfigMaps, Some(SERVER_ACCOUNT.0), INCIDENTS)?;
        Some(object.to_value(Resource::ConfigMaps))
    }

    /// The number of times that a server could not read or write the ConfigMap.
    async fn failures(&self, server: &Server) -> u64 {
        let sample = "kubevitals_incidents_configmap_writes_total{result=\"failure\"}";
        counted(&self.cluster, server, sample).await
    }

    /// The compressed bytes in the ConfigMap.
    fn bytes(&self) -> Option<Vec<u8>> {
        let object = self.object()?;
        let encoded = object["binaryData"][KEY].as_str()?;
        Some(BASE64_STANDARD.decode(encoded).unwrap())
    }

    /// The snapshot in the ConfigMap.
    fn snapshot(&self) -> Option<Value> {
        let bytes = self.bytes()?;
        let mut json = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut json).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// The names of the incidents in the ConfigMap.
    fn persisted(&self) -> BTreeSet<String> {
        let snapshot = self.snapshot().unwrap_or_default();
        let incidents = snapshot["incidents"].as_array().cloned();
        let incidents = incidents.unwrap_or_default().into_iter();
        incidents
            .filter_map(|saved| Some(saved["incident"]["metadata"]["name"].as_str()?.to_owned()))
            .collect()
    }

    /// Restarts a container again and again until a server has an incident of it.
    async fn goes_wrong(&self, server: &Server) {
        let before = names(server).len();
        assert!(self.cluster.inject(Fault::CrashLoop));
        wait_until("something is wrong", async || {
            self.cluster.advance(RESOLUTION);
            tokio::time::sleep(Duration::from_millis(5)).await;
            names(server).len() > before
        })
        .await;
    }

    /// Advances the clock until the ConfigMap has a server's incidents.
    async fn written_by(&self, server: &Server) {
        wait_until("the ConfigMap holds the incidents", async || {
            self.clock.advance(MINUTE);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let names = names(server);
            !names.is_empty() && self.persisted() == names
        })
        .await;
    }
}

/// The names of a server's incidents, each of which is unique.
fn names(server: &Server) -> BTreeSet<String> {
    let (entries, _) = server.query().health().incidents();
    let mut all = BTreeSet::new();
    let mut about = BTreeMap::new();
    for incident in entries.iter().map(|entry| &entry.incident) {
        let name = incident.metadata.name.clone();
        assert!(all.insert(name.clone()), "{name} is there twice");
        if incident.ended.is_none() {
            let involved = &incident.involved;
            let what = (
                involved.uid.clone(),
                involved.container.clone(),
                incident.reason,
                incident.cause,
            );
            let other = about.insert(what, name.clone());
            assert_eq!(other, None, "{name} is the same incident");
        }
    }
    all
}

async fn synced(server: &Server) {
    wait_until("the server has the incident", async || {
        let watches = server.query().watches();
        watches.all().iter().all(|(_, health)| health.synced())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_leaves_its_incidents_to_the_next() {
    let world = World::new().await;
    let first = world.serve().await;
    world.goes_wrong(&first).await;
    world.written_by(&first).await;
    let object = world.object().unwrap();
    assert_eq!(object["metadata"]["labels"]["stays"], "yes");
    assert_eq!(object["data"]["others"], "stay");
    let (before, _) = first.query().health().incidents();
    // As after SIGKILL, or the loss of a node: there is no last write.
    drop(first);

    let next = world.serve().await;
    let (after, _) = next.query().health().incidents();
    let restored: Vec<_> = after.iter().map(|entry| &entry.incident.metadata).collect();
    for entry in &before {
        let meta = &entry.incident.metadata;
        let same = restored.iter().find(|it| it.name == meta.name);
        assert_eq!(same.map(|it| &it.uid), Some(&meta.uid));
    }
    // After the server has listed the cluster, no incident is there twice.
    synced(&next).await;
    let names_before: BTreeSet<_> = before
        .iter()
        .map(|entry| entry.incident.metadata.name.clone())
        .collect();
    assert_eq!(names(&next), names_before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unwritten_incidents_are_written_at_shutdown() {
    let world = World::new().await;
    let server = world.serve().await;
    world.goes_wrong(&server).await;
    let stored = names(&server);
    server.shutdown().await;
    assert_eq!(world.persisted(), stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_written_at_most_once_a_minute() {
    let world = World::new().await;
    let server = world.serve().await;
    world.goes_wrong(&server).await;
    world.written_by(&server).await;
    // However often something changes within the minute.
    let mut versions = BTreeSet::new();
    for _ in 0..4 {
        let object = world.object().unwrap();
        versions.insert(object["metadata"]["resourceVersion"].to_string());
        world.cluster.advance(Duration::from_secs(14));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(versions.len() <= 2, "{versions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_conflict_the_other_replicas_incidents_are_merged() {
    let world = World::new().await;
    let server = world.serve().await;
    world.goes_wrong(&server).await;
    world.written_by(&server).await;
    // Another replica has an incident that this one has not noticed.
    let mut snapshot = world.snapshot().unwrap();
    let mut other = snapshot["incidents"][0].clone();
    let at = world.clock.now().to_rfc3339_seconds();
    other["incident"]["metadata"]["name"] = json!("web-0-0123456789");
    other["incident"]["involved"] =
        json!({"kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "w"});
    for time in ["began", "lastSeen", "ended"] {
        other["incident"][time] = json!(at);
    }
    snapshot["incidents"].as_array_mut().unwrap().push(other);
    let bytes = gzip(snapshot.to_string().as_bytes());
    world.put(configmap(Some(&bytes), world.clock.now()));

    // The next write has an old resourceVersion.
    world.goes_wrong(&server).await;
    world.written_by(&server).await;
    assert!(names(&server).contains("web-0-0123456789"));
    assert!(world.persisted().contains("web-0-0123456789"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_configmap_with_each_incident_once() {
    let world = World::new().await;
    let (first, second) = (world.serve().await, world.serve().await);
    world.goes_wrong(&first).await;
    wait_until("both servers have the same incidents", async || {
        world.cluster.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (one, other) = (names(&first), names(&second));
        !one.is_empty() && !other.is_empty()
    })
    .await;
    world.written_by(&first).await;
    world.written_by(&second).await;
    let all: BTreeSet<_> = names(&first).union(&names(&second)).cloned().collect();
    drop((first, second));
    let third = world.serve().await;
    synced(&third).await;
    assert_eq!(names(&third), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_that_cannot_be_used_is_ignored_and_overwritten() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let wrong = [
        b"garbage".to_vec(),
        Vec::new(),
        gzip(b"not JSON"),
        gzip(br#"{"form":1,"incidents":[],"pods":[{"uid":3}],"nodes":[]}"#),
        gzip(br#"{"form":1,"incidents":[],"pods":[],"nodes":[["n",7]]}"#),
        bomb,
    ];
    for bytes in wrong {
        let written = Timestamp::from_secs(1_800_000_000);
        let world = World::with(Some(configmap(Some(&bytes), written))).await;
        let server = world.serve().await;
        assert_eq!(names(&server), BTreeSet::new());
        world.goes_wrong(&server).await;
        world.written_by(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_of_a_later_version_stays_for_a_day() {
    let bytes = gzip(br#"{"form":2,"all":"otherwise"}"#);
    let world = World::with(None).await;
    world.put(configmap(Some(&bytes), world.clock.now()));
    let server = world.serve().await;
    world.goes_wrong(&server).await;
    for _ in 0..5 {
        world.clock.advance(MINUTE);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.bytes().unwrap(), bytes);
    }
    // A day later the content is expired.
    world.put(configmap(
        Some(&bytes),
        Timestamp::from_secs(world.clock.now().as_secs() - 25 * 3600),
    ));
    wait_until("it is written over", async || {
        world.clock.advance(MINUTE * 10);
        tokio::time::sleep(Duration::from_millis(20)).await;
        world.bytes().unwrap() != bytes
    })
    .await;
}

/// In place of metrics-server there is neither the ConfigMap nor the permission for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_works_without_the_configmap() {
    let world = World::with(None).await;
    let identities = world.cluster.identities();
    let account = Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let user = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let (own, others): (Vec<_>, Vec<_>) = identities
        .rules_of(&user)
        .into_iter()
        .partition(|rule| rule.names.contains(&INCIDENTS.to_owned()));
    identities.revoke(&account);
    for rule in others {
        identities.grant(account.clone(), rule);
    }
    let server = world.serve().await;
    synced(&server).await;
    world.goes_wrong(&server).await;
    for _ in 0..30 {
        world.clock.advance(MINUTE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // At the start, after 5, 10, 20, … 320 s, and every ten minutes from then on.
    let attempts = world.failures(&server).await;
    assert!((2..=12).contains(&attempts), "{attempts} attempts");
    for rule in own {
        identities.grant(account.clone(), rule);
    }
    // With the permission but without the ConfigMap: the server does not create one.
    let before = world.failures(&server).await;
    wait_until("it has tried again", async || {
        world.clock.advance(MINUTE * 10);
        tokio::time::sleep(Duration::from_millis(20)).await;
        world.failures(&server).await > before
    })
    .await;
    assert!(world.object().is_none());
    world.put(configmap(None, Timestamp(0)));
    wait_until("it is filled", async || {
        world.clock.advance(MINUTE * 10);
        tokio::time::sleep(Duration::from_millis(20)).await;
        !world.persisted().is_empty()
    })
    .await;
}
