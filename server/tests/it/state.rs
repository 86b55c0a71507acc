//! The state of a server outlives its process: the next process has metrics before any scrape.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::config::Settings;
use kubevitals_server::scrape::Token;
use kubevitals_server::{Server, state};
use kubevitals_sim::identity::{SERVER_ACCOUNT, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Fault, Faults, Kill, SimClock};

use crate::harness::{Harness, RESOLUTION, client, clock_of, wait_until};

const NODES: u64 = 3;

fn config() -> Config {
    Config {
        nodes: NODES as u32,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    }
}

/// The machine's time, with which certificates are verified.
pub(crate) fn machine() -> Timestamp {
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_secs(since_epoch.as_secs().cast_signed())
}

fn state_settings(folder: &Path) -> Option<state::Settings> {
    Some(state::Settings {
        folder: folder.to_path_buf(),
        interval: Duration::ZERO,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_has_metrics_before_any_scrape() {
    let folder = tempfile::tempdir().unwrap();
    let harness = Harness::start_with(config(), |settings| {
        settings.state = state_settings(folder.path());
    })
    .await;
    harness.first_step(NODES).await;
    harness.step(NODES).await;
    harness.step(NODES).await;
    let before = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    assert!(!before["items"].as_array().unwrap().is_empty());
    let points = harness.server.query().history().store().totals().points;
    assert!(points > 0);

    let harness = harness
        .restart(
            |cluster| {
                for node in cluster.node_names() {
                    cluster.kill_kubelet(&node, Kill::Hang);
                }
                cluster.clock().advance(Duration::from_secs(5));
            },
            |settings| settings.state = state_settings(folder.path()),
        )
        .await;
    harness.server.ready().await;
    let usages = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| {
                format!(
                    "{} {} {}",
                    item["metadata"]["name"], item["timestamp"], item["containers"]
                )
            })
            .collect()
    };
    let after = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    assert_eq!(
        usages(&after),
        usages(&before),
        "with the times that they are of"
    );
    let nodes = harness.json("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(nodes["items"].as_array().unwrap().len(), NODES as usize);
    assert_eq!(harness.server.query().scrapes().succeeded, 0);
    wait_until("it has its history", async || {
        harness.server.query().history().store().totals().points == points
    })
    .await;

    // Restored rates are served no longer than the original ones would have been.
    harness.clock.advance(Duration::from_secs(40));
    let late = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    assert_eq!(usages(&late), Vec::<String>::new());
}

/// The names of all incidents of a server, in the order in which they were noticed.
fn incidents(server: &Server) -> Vec<String> {
    let (entries, _) = server.query().health().incidents();
    let names = entries
        .iter()
        .map(|entry| entry.incident.metadata.name.clone());
    names.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_survives_a_restart_once() {
    let folder = tempfile::tempdir().unwrap();
    let harness = Harness::start_with(config(), |settings| {
        settings.state = state_settings(folder.path());
    })
    .await;
    harness.first_step(NODES).await;
    assert!(harness.cluster.inject(Fault::CrashLoop));
    wait_until("something is wrong", async || {
        harness.cluster.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        !incidents(&harness.server).is_empty()
    })
    .await;

    // The clock stands still from here on, so nothing new happens.
    let harness = restarted(harness, folder.path()).await;
    let before = incidents(&harness.server);
    assert!(!before.is_empty());
    let again = restarted(harness, folder.path()).await;
    assert_eq!(incidents(&again.server), before);
}

/// Another process with the same folder, which has listed all objects.
async fn restarted(harness: Harness, folder: &Path) -> Harness {
    let harness = harness
        .restart(|_| {}, |settings| settings.state = state_settings(folder))
        .await;
    wait_until("the server has listed everything", async || {
        let watches = harness.server.query().watches();
        watches.all().iter().all(|(_, health)| health.synced())
    })
    .await;
    harness
}

/// The program, on a cluster with the machine's time.
struct Program {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Program {
    /// Starts the program by a shell, which sets limits first.
    fn start(kubeconfig: &Path, folder: &Path, run: u32, limits: &str) -> Self {
        let log = folder.join(format!("log-{run}"));
        // The flag does not accept port 0, so the test uses a port that was free just before.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let command = format!(
            "{limits} exec {} --kubeconfig={} --bind-address=127.0.0.1 --secure-port={} --metric-resolution=15s \
             --kubelet-use-node-status-port --kubelet-preferred-address-types=InternalIP --state-dir={}",
            env!("CARGO_BIN_EXE_vitals-server"),
            kubeconfig.display(),
            address.port(),
            folder.join("state").display(),
        );
        let child = Command::new("sh")
            .args(["-c", &command])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            address,
            log,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    async fn ready(&self) {
        let (client, url) = (client(None), format!("https://{}/readyz", self.address));
        wait_until("it is ready", async || {
            let answer = client.get(&url).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    /// Sends a signal, and returns the exit status.
    fn end(mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The process may have ended already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The kernel sends SIGXFSZ to a process that writes more than its file limit: in the middle of the write, on every
/// run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_writing_has_its_earlier_state() {
    const SIGXFSZ: i32 = 25;
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Config {
        pods_per_node: 30,
        clock: None,
        ..config()
    })
    .await
    .unwrap();
    let kubeconfig = folder.path().join("config");
    cluster.write_server_kubeconfig(&kubeconfig).unwrap();
    let start = |run, limits| Program::start(&kubeconfig, folder.path(), run, limits);
    let state = folder.path().join("state/vitals.state");
    let unfinished = folder.path().join("state/vitals.state.unfinished");

    let first = start(1, "");
    first.ready().await;
    assert!(first.end("TERM").success());
    let written = std::fs::read(&state).unwrap();
    assert!(written.len() > 4096, "{} bytes", written.len());

    let second = start(2, "ulimit -c 0; ulimit -f 8;");
    second.ready().await;
    assert_eq!(second.end("TERM").signal(), Some(SIGXFSZ));
    assert!(unfinished.exists(), "it was in the midst of it");
    assert_eq!(std::fs::read(&state).unwrap(), written);

    // A kill at another time does no harm either.
    let third = start(3, "");
    third.ready().await;
    assert!(
        third.log().contains("restored the state"),
        "{}",
        third.log()
    );
    assert!(!unfinished.exists());
    third.end("KILL");
    assert_eq!(std::fs::read(&state).unwrap(), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_state_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vitals.state");
    std::fs::write(&file, "#!/bin/sh\n").unwrap();
    let harness = Harness::start_with(config(), |settings| {
        settings.state = state_settings(folder.path());
    })
    .await;
    harness.first_step(NODES).await;
    harness.server.ready().await;
    assert!(!file.exists());
    assert!(folder.path().join("vitals.state.foreign").exists());
}

/// Two servers of one Service, with a CA that both manage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_replica_gets_the_state_of_the_first() {
    let config = Config {
        clock: Some(SimClock::manual(machine())),
        ..config()
    };
    let harness = Harness::start_with(config, |settings| settings.tls.manage = true).await;
    harness.first_step(NODES).await;
    for _ in 0..4 {
        harness.step(NODES).await;
    }
    wait_until("it can be verified", async || {
        tokio::time::timeout(Duration::from_millis(1), harness.server.ready())
            .await
            .is_ok()
    })
    .await;
    let before = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    let points = harness.server.query().history().store().totals().points;
    slice(&harness, &[harness.server.local_addr().port()]);
    // The second server has its state from the first.
    for node in harness.cluster.node_names() {
        harness.cluster.kill_kubelet(&node, Kill::Hang);
    }

    let kubeconfig = harness.cluster.server_kubeconfig();
    let mut settings = Settings::embedded(kubeconfig, clock_of(&harness.clock))
        .await
        .unwrap();
    settings.tls.manage = true;
    settings.peers = Some(peer_credentials(&harness.cluster));
    let second = Server::start(settings).await.unwrap();
    wait_until("the second has the first one's history", async || {
        second.query().history().store().totals().points == points
    })
    .await;
    second.ready().await;
    let pods = format!(
        "https://{}/apis/metrics.k8s.io/v1beta1/pods",
        second.local_addr()
    );
    let (status, body) = harness.get_at(&pods).await;
    assert_eq!(status, 200);
    let after: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| item["metadata"]["name"].to_string())
            .collect()
    };
    assert_eq!(names(&after), names(&before));
    assert_eq!(second.query().scrapes().succeeded, 0);
}

/// The incidents that a replica noticed before the other one started arrive with its state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_replica_gets_each_incident_once() {
    let config = Config {
        clock: Some(SimClock::manual(machine())),
        ..config()
    };
    let harness = Harness::start_with(config, |settings| settings.tls.manage = true).await;
    harness.first_step(NODES).await;
    assert!(harness.cluster.inject(Fault::CrashLoop));
    wait_until("a container has ended a few times", async || {
        harness.cluster.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let (entries, _) = harness.server.query().health().incidents();
        entries.iter().any(|entry| entry.incident.count >= 3)
    })
    .await;
    wait_until("it can be verified", async || {
        harness.cluster.advance(RESOLUTION);
        tokio::time::timeout(Duration::from_millis(20), harness.server.ready())
            .await
            .is_ok()
    })
    .await;
    slice(&harness, &[harness.server.local_addr().port()]);
    let kubeconfig = harness.cluster.server_kubeconfig();
    let mut settings = Settings::embedded(kubeconfig, clock_of(&harness.clock))
        .await
        .unwrap();
    settings.tls.manage = true;
    settings.peers = Some(peer_credentials(&harness.cluster));
    let second = Server::start(settings).await.unwrap();
    let sorted = |server: &Server| {
        let mut names = incidents(server);
        names.sort();
        names
    };
    wait_until("both have the same incidents", async || {
        sorted(&second) == sorted(&harness.server)
    })
    .await;
    let counts = |server: &Server| {
        let (entries, _) = server.query().health().incidents();
        let mut counts: Vec<_> = entries
            .iter()
            .map(|entry| (entry.incident.began, entry.incident.count))
            .collect();
        counts.sort();
        counts
    };
    assert_eq!(counts(&second), counts(&harness.server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_needs_a_permission() {
    let harness = Harness::start(config()).await;
    harness.first_step(NODES).await;
    let (status, body) = harness.get(state::PATH).await;
    assert_eq!(status, 200, "an administrator may everything");
    assert!(body.starts_with(b"KBVITALS"));
    let url = harness.url(state::PATH);
    let anonymous = client(None).get(&url).send().await.unwrap();
    assert_eq!(anonymous.status(), 403);
    let identities = harness.cluster.identities();
    let jane = identities.mint_token(UserInfo::new("jane", []));
    let refused = client(None).get(&url).bearer_auth(jane).send().await;
    assert_eq!(refused.unwrap().status(), 403);
    let (namespace, name) = SERVER_ACCOUNT;
    let own = identities.mint_token(UserInfo::service_account(namespace, name));
    let allowed = client(None).get(&url).bearer_auth(own).send().await;
    assert_eq!(allowed.unwrap().status(), 200);
}

/// The token of the server's account.
pub(crate) fn peer_credentials(cluster: &Cluster) -> state::PeerCredentials {
    let (namespace, name) = SERVER_ACCOUNT;
    let account = UserInfo::service_account(namespace, name);
    let token = cluster.identities().mint_token(account);
    state::PeerCredentials {
        identity: None,
        token: Token::fixed(&token).unwrap(),
    }
}

/// Creates an EndpointSlice of the server's Service for each of these ports on loopback.
fn slice(harness: &Harness, ports: &[u16]) {
    for port in ports {
        let slice = serde_json::json!({
            "metadata": {
                "name": format!("vitals-server-{port}"), "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "vitals-server"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": true, "serving": true}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        });
        harness
            .cluster
            .store()
            .apply(Resource::EndpointSlices, slice);
    }
}
