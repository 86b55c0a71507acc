//! Certificates that change while they are served.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_server::tls::{Kind, NamedPair, Settings, Tls};
use kubevitals_sim::SimClock;
use kubevitals_sim::pki::{Authority, Certified};
use rustls::ClientConfig;

use crate::harness::{clock_of, wait_until};
use crate::tls::{Served, issue, now, request, trusting, write};

/// The time between two reads of the files.
const INTERVAL: Duration = Duration::from_secs(5);

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Served {
    /// Lets time pass until `succeeded` reloads have been counted.
    async fn reloaded(&self, kind: Kind, succeeded: u64) {
        wait_until("the files were reloaded", async || {
            self.clock.advance(INTERVAL);
            self.metrics.reloads(kind).succeeded.get() >= succeeded
        })
        .await;
        assert_eq!(self.metrics.reloads(kind).succeeded.get(), succeeded);
    }

    /// Lets time pass until more reloads have failed.
    async fn failed(&self, kind: Kind) {
        let before = self.metrics.reloads(kind).failed.get();
        wait_until("the files were refused", async || {
            self.clock.advance(INTERVAL);
            self.metrics.reloads(kind).failed.get() > before
        })
        .await;
    }
}

fn serving(folder: &Path, pair: &Certified) -> Settings {
    Settings {
        certificate: Some(write(folder, "tls", pair)),
        ..Settings::default()
    }
}

#[tokio::test]
async fn new_connections_get_a_replaced_certificate_and_old_ones_continue() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let client = trusting(&authority);
    let old = issue(&authority, &["localhost", "old.example"]);
    let served = Served::start(&serving(folder.path(), &old)).await;
    let mut before = served.connect(&client, "old.example").await.unwrap();

    write(folder.path(), "tls", &issue(&authority, &["localhost"]));
    served.reloaded(Kind::Serving, 1).await;
    assert!(served.connect(&client, "old.example").await.is_err());
    assert!(served.connect(&client, "localhost").await.is_ok());
    assert_eq!(request(&mut before).await.unwrap(), "none");
}

#[tokio::test]
async fn unusable_files_change_nothing_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let client = trusting(&authority);
    let old = issue(&authority, &["old.example"]);
    let served = Served::start(&serving(folder.path(), &old)).await;

    let new = issue(&authority, &["new.example"]);
    let half = Certified {
        cert_pem: new.cert_pem[..new.cert_pem.len() / 2].to_owned(),
        key_pem: new.key_pem.clone(),
    };
    let other_key = Certified {
        cert_pem: new.cert_pem.clone(),
        key_pem: old.key_pem.clone(),
    };
    let empty = Certified {
        cert_pem: String::new(),
        key_pem: String::new(),
    };
    for wrong in [&half, &other_key, &empty] {
        write(folder.path(), "tls", wrong);
        served.failed(Kind::Serving).await;
        assert!(served.connect(&client, "old.example").await.is_ok());
    }
    std::fs::remove_file(folder.path().join("tls.key")).unwrap();
    served.failed(Kind::Serving).await;
    assert!(served.connect(&client, "old.example").await.is_ok());

    write(folder.path(), "tls", &new);
    served.reloaded(Kind::Serving, 1).await;
    assert!(served.connect(&client, "new.example").await.is_ok());
}

#[tokio::test]
async fn a_mounted_secrets_symbolic_links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = Authority::new("own").unwrap();
    let client = trusting(&authority);
    // As kubelet mounts it: tls.crt -> ..data/tls.crt, ..data -> ..TIME.
    for (version, name) in [("..1", "old.example"), ("..2", "new.example")] {
        std::fs::create_dir(path.join(version)).unwrap();
        write(&path.join(version), "tls", &issue(&authority, &[name]));
    }
    symlink("..1", path.join("..data")).unwrap();
    let files = (path.join("tls.crt"), path.join("tls.key"));
    symlink("..data/tls.crt", &files.0).unwrap();
    symlink("..data/tls.key", &files.1).unwrap();
    let settings = Settings {
        certificate: Some(files),
        ..Settings::default()
    };
    let served = Served::start(&settings).await;
    assert!(served.connect(&client, "old.example").await.is_ok());

    symlink("..2", path.join("..data_tmp")).unwrap();
    std::fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
    served.reloaded(Kind::Serving, 1).await;
    assert!(served.connect(&client, "new.example").await.is_ok());
}

#[tokio::test]
async fn a_named_pair_is_reloaded_with_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let client = trusting(&authority);
    let (certificate, key) = write(folder.path(), "sni", &issue(&authority, &["old.example"]));
    let settings = Settings {
        named: vec![NamedPair {
            certificate,
            key,
            patterns: Vec::new(),
        }],
        ..serving(folder.path(), &issue(&authority, &["localhost"]))
    };
    let served = Served::start(&settings).await;
    assert!(served.connect(&client, "old.example").await.is_ok());
    write(folder.path(), "sni", &issue(&authority, &["new.example"]));
    served.reloaded(Kind::Sni, 1).await;
    assert!(served.connect(&client, "old.example").await.is_err());
    assert!(served.connect(&client, "new.example").await.is_ok());
    let reloads = served.metrics.reloads(Kind::Serving);
    assert_eq!((reloads.succeeded.get(), reloads.failed.get()), (0, 0));
}

/// Sends requests without pause until `done` is set: over new connections, and over one that stays open.
async fn load(served: &Served, client: &ClientConfig, done: &AtomicBool, requests: &AtomicU64) {
    let mut multiplexed = client.clone();
    multiplexed.alpn_protocols = vec![b"h2".to_vec()];
    let stream = served.connect(&multiplexed, "localhost").await.unwrap();
    let (mut open, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    while !done.load(Ordering::Relaxed) {
        let mut fresh = served.connect(client, "localhost").await.unwrap();
        assert_eq!(request(&mut fresh).await.unwrap(), "none");
        let get = hyper::Request::get("https://localhost/").body(Empty::<Bytes>::new());
        let response = open.send_request(get.unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
        requests.fetch_add(2, Ordering::Relaxed);
    }
    drop(open);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_certificates_are_replaced_under_load() {
    const ROTATIONS: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let client = trusting(&authority);
    let pair = || issue(&authority, &["localhost"]);
    let served = Served::start(&serving(folder.path(), &pair())).await;
    let (done, requests) = (AtomicBool::new(false), AtomicU64::new(0));
    let loads = futures::future::join_all((0..4).map(|_| load(&served, &client, &done, &requests)));
    let rotations = async {
        for rotation in 1..=ROTATIONS {
            write(folder.path(), "tls", &pair());
            wait_until("the files were reloaded", async || {
                served.clock.advance(INTERVAL);
                served.metrics.reloads(Kind::Serving).succeeded.get() >= rotation
            })
            .await;
            let before = requests.load(Ordering::Relaxed);
            wait_until("requests continued", async || {
                requests.load(Ordering::Relaxed) > before + 8
            })
            .await;
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(loads, rotations);
    assert_eq!(served.metrics.handshakes_failed.get(), 0);
}

#[tokio::test]
async fn the_servers_own_certificate_is_renewed_before_it_expires() {
    let served = Served::start(&Settings::default()).await;
    let expiry = || served.certificates.serving().not_after();
    let first = expiry();
    served.clock.advance(DAY * 61);
    wait_until("there is a new one", async || {
        served.clock.advance(INTERVAL);
        expiry() > first
    })
    .await;
}

#[tokio::test]
async fn a_folder_persists_the_servers_own_certificate_and_another_one_is_reloaded() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificates");
    let settings = Settings {
        folder: Some(path.clone()),
        ..Settings::default()
    };
    let read = || std::fs::read(path.join("apiserver.crt")).unwrap();
    let served = Served::start(&settings).await;
    let first = read();
    let key = std::fs::metadata(path.join("apiserver.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let end = served.certificates.serving().not_after();
    drop(served);

    let served = Served::start(&settings).await;
    assert_eq!(read(), first, "a restart uses the existing one");
    drop(served);
    let mut other = settings.clone();
    other.service.name = "metrics-server".to_owned();
    let served = Served::start(&other).await;
    assert_ne!(read(), first, "it is for another Service");
    let first = read();
    wait_until("there is a new one, on disk too", async || {
        served.clock.advance(DAY);
        served.certificates.serving().not_after() > end && read() != first
    })
    .await;

    let authority = Authority::new("other").unwrap();
    write(&path, "apiserver", &issue(&authority, &["localhost"]));
    served.reloaded(Kind::Serving, 1).await;
    let client = trusting(&authority);
    assert!(served.connect(&client, "localhost").await.is_ok());
}

#[tokio::test]
async fn files_of_a_killed_run_are_replaced_and_those_of_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("apiserver.crt"),
        folder.path().join("apiserver.key"),
    );
    let settings = Settings {
        folder: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    drop(Served::start(&settings).await);
    let other = Authority::new("other").unwrap();
    let other = issue(&other, &["localhost"]);
    let read = || (std::fs::read(&certificate).ok(), std::fs::read(&key).ok());

    // Killed after the new key and before its certificate, on the first start and on a later one.
    for leave in [
        &(|| std::fs::remove_file(&certificate).unwrap()) as &dyn Fn(),
        &|| std::fs::write(&key, &other.key_pem).unwrap(),
        &|| std::fs::remove_file(&key).unwrap(),
    ] {
        leave();
        let before = read();
        drop(Served::start(&settings).await);
        let made = read();
        assert!(made.0.is_some() && made.0 != before.0 && made.1 != before.1);
        drop(Served::start(&settings).await);
        assert_eq!(read(), made, "the certificate and the key match");
    }

    std::fs::write(&certificate, &other.cert_pem).unwrap();
    let before = read();
    let clock = clock_of(&SimClock::manual(now()));
    let refused = Tls::new(&settings, clock).unwrap_err().to_string();
    assert!(refused.contains("apiserver.crt"), "{refused}");
    assert_eq!(read(), before);
}

#[tokio::test]
async fn without_a_writable_folder_the_certificate_is_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let settings = Settings {
        folder: Some(file.join("certificates")),
        ..Settings::default()
    };
    let served = Served::start(&settings).await;
    let client = Arc::new(Authority::new("unknown").unwrap());
    let refused = served.connect(&trusting(&client), "localhost").await;
    assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));
}
