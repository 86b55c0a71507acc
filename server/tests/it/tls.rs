//! TLS as clients see it: which certificate they are shown, what is asked of them, and what the parts behind are told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::tls::{
    self, Certificates, ClientCertificates, Limits, NamedPair, Settings, Tls, TlsMetrics,
};
use kubevitals_sim::pki::{self, Authority, Certified};
use kubevitals_sim::{Config, Faults, SimClock};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use x509_parser::extensions::GeneralName;

use crate::harness::{Harness, told, wait_until};

/// A listener that answers how many certificates its client showed, and the first one's length.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: TlsMetrics,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) clock: SimClock,
    _stop: DropGuard,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(settings: &Settings) -> Self {
        let clock = SimClock::manual(now());
        let (tls, keeper) = Tls::new(settings, told(&clock)).unwrap();
        let (metrics, certificates) = (tls.metrics().clone(), Arc::clone(tls.certificates()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            tokio::select! {
                () = tls::serve(listener, tls, router(), Limits::default(), stopped) => {}
                () = keeper.run() => {}
            }
        });
        Self {
            address,
            metrics,
            certificates,
            clock,
            _stop: stop.drop_guard(),
            serving,
        }
    }

    /// A handshake with a client that asks for `name`.
    pub(crate) async fn connect(
        &self,
        client: &ClientConfig,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(client.clone()))
            .connect(name, stream)
            .await
    }

    /// The first DNS name of the certificate that a client is shown who asks for `name`.
    pub(crate) async fn shown(&self, client: &ClientConfig, name: &str) -> String {
        let stream = self.connect(client, name).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        let (_, shown) = x509_parser::parse_x509_certificate(&shown).unwrap();
        let names = shown.subject_alternative_name().unwrap().unwrap();
        let mut names = names.value.general_names.iter();
        let dns = |name: &GeneralName| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        };
        names.find_map(dns).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn router() -> Router {
    let shown = async |shown: Option<Extension<ClientCertificates>>| match shown {
        Some(Extension(ClientCertificates(shown))) => format!("{} {}", shown.len(), shown[0].len()),
        None => "none".to_owned(),
    };
    Router::new().route("/", get(shown))
}

/// The time it is: clients judge certificates by the machine's clock.
pub(crate) fn now() -> Timestamp {
    SimClock::real().now()
}

/// Writes a pair into a folder.
pub(crate) fn write(folder: &Path, name: &str, pair: &Certified) -> (PathBuf, PathBuf) {
    let files = (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    );
    std::fs::write(&files.0, &pair.cert_pem).unwrap();
    std::fs::write(&files.1, &pair.key_pem).unwrap();
    files
}

/// A serving certificate for some DNS names.
pub(crate) fn issue(authority: &Authority, names: &[&str]) -> Certified {
    authority.issue_server("server", &[], names).unwrap()
}

/// A client that believes an authority, and speaks some protocols.
pub(crate) fn believing(authority: &Authority) -> ClientConfig {
    let _chosen = kubevitals_server::tls::provider();
    ClientConfig::builder()
        .with_root_certificates(pki::roots(&authority.pem()).unwrap())
        .with_no_client_auth()
}

/// A listener with a certificate for `localhost`, and a client that believes it.
async fn start() -> (Served, ClientConfig) {
    let (served, authority) = start_with(|_| {}).await;
    (served, believing(&authority))
}

async fn start_with(change: impl FnOnce(&mut Settings)) -> (Served, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let files = write(folder.path(), "tls", &issue(&authority, &["localhost"]));
    let mut settings = Settings {
        certificate: Some(files),
        ..Settings::default()
    };
    change(&mut settings);
    (Served::start(&settings).await, authority)
}

/// Asks over HTTP/1.1; the answer's body.
pub(crate) async fn ask(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

/// A client that shows `certificate` `copies` times over.
fn showing(client: &ClientConfig, certificate: &Certified, copies: usize) -> ClientConfig {
    let chain = vec![certificate.chain().unwrap().remove(0); copies];
    let key = certificate.private_key().unwrap();
    let key = pki::provider().key_provider.load_private_key(key).unwrap();
    let mut client = client.clone();
    // Said as it is: rustls would otherwise keep a client from showing nonsense.
    let shown = rustls::sign::CertifiedKey::new(chain, key);
    client.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(shown));
    client
}

/// Connects and asks; in TLS 1.3 a client may be through before the server has looked at what it shows.
async fn try_ask(served: &Served, client: &ClientConfig) -> std::io::Result<String> {
    ask(&mut served.connect(client, "localhost").await?).await
}

#[tokio::test]
async fn a_client_certificate_is_passed_on_whoever_signed_it() {
    let (served, client) = start().await;
    assert_eq!(try_ask(&served, &client).await.unwrap(), "none");

    let strange = Authority::new("nobody knows it").unwrap();
    let certificate = strange.issue_client("jane", &[]).unwrap();
    let length = certificate.chain().unwrap()[0].len();
    let shown = try_ask(&served, &showing(&client, &certificate, 1)).await;
    assert_eq!(shown.unwrap(), format!("1 {length}"));
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let (served, client) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    let thief = Certified {
        cert_pem: jane.cert_pem,
        key_pem: authority.issue_client("thief", &[]).unwrap().key_pem,
    };
    assert!(
        try_ask(&served, &showing(&client, &thief, 1))
            .await
            .is_err()
    );
    assert_eq!(served.metrics.handshakes_failed.get(), 1);
}

#[tokio::test]
async fn so_many_client_certificates_and_no_more() {
    let (served, client) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    for (copies, answered) in [(10, true), (11, false), (60, false)] {
        let answer = try_ask(&served, &showing(&client, &jane, copies)).await;
        assert_eq!(answer.is_ok(), answered, "{copies}: {answer:?}");
    }
}

#[tokio::test]
async fn http2_is_offered_unless_it_is_disabled() {
    for (http2, agreed) in [(true, &b"h2"[..]), (false, b"http/1.1")] {
        let (served, authority) = start_with(|settings| settings.http2 = http2).await;
        let mut client = believing(&authority);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = served.connect(&client, "localhost").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed));
        client.alpn_protocols = Vec::new();
        assert_eq!(try_ask(&served, &client).await.unwrap(), "none");
    }
}

/// What a client and the server agree on, when the client speaks TLS 1.2 or 1.3 only.
async fn agreed(
    served: &Served,
    authority: &Authority,
    version: &'static rustls::SupportedProtocolVersion,
) -> Option<(ProtocolVersion, String)> {
    let only = ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(pki::roots(&authority.pem()).unwrap())
        .with_no_client_auth();
    let stream = served.connect(&only, "localhost").await.ok()?;
    let (_, connection) = stream.get_ref();
    let suite = connection.negotiated_cipher_suite()?.suite();
    Some((connection.protocol_version()?, format!("{suite:?}")))
}

#[tokio::test]
async fn the_oldest_version_and_the_suites_of_tls12_can_be_chosen() {
    use rustls::version::{TLS12, TLS13};
    const CHACHA: &str = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305";
    for (version, suites, tls12, tls13) in [
        ("VersionTLS10", None, true, true),
        ("VersionTLS12", None, true, true),
        ("VersionTLS13", None, false, true),
        ("VersionTLS12", Some(CHACHA), true, true),
        ("VersionTLS12", Some("TLS_AES_128_GCM_SHA256"), false, true),
    ] {
        let (served, authority) = start_with(|settings| {
            settings.min_version = version.parse().unwrap();
            settings.cipher_suites = suites.map(|suites| suites.parse().unwrap());
        })
        .await;
        let old = agreed(&served, &authority, &TLS12).await;
        assert_eq!(old.is_some(), tls12, "{version} {suites:?}");
        if let (Some((_, suite)), Some(CHACHA)) = (old, suites) {
            assert!(suite.contains("CHACHA20"), "{suite}");
        }
        let new = agreed(&served, &authority, &TLS13).await;
        assert_eq!(new.is_some(), tls13, "{version} {suites:?}");
    }
}

#[tokio::test]
async fn a_client_is_shown_the_pair_for_the_name_it_asks_for_or_the_address_it_came_to() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own").unwrap();
    let here = authority
        .issue_server("server", &[Ipv4Addr::LOCALHOST.into()], &["here.example"])
        .unwrap();
    let pair = |name: &str, names: &[&str]| write(folder.path(), name, &issue(&authority, names));
    let named = |name: &str, names: &[&str], patterns: &[&str]| {
        let (certificate, key) = pair(name, names);
        NamedPair {
            certificate,
            key,
            patterns: patterns.iter().map(|&one| one.to_owned()).collect(),
        }
    };
    let (certificate, key) = write(folder.path(), "here", &here);
    let settings = |addresses: bool| Settings {
        certificate: Some(pair("all", &["all.example", "other.example"])),
        named: [
            Some(named("own", &["a.example", "*.b.example"], &[])),
            Some(named(
                "given",
                &["x.c.example", "y.c.example"],
                &["*.c.example"],
            )),
            addresses.then(|| NamedPair {
                certificate: certificate.clone(),
                key: key.clone(),
                patterns: vec!["127.0.0.1".to_owned()],
            }),
        ]
        .into_iter()
        .flatten()
        .collect(),
        ..Settings::default()
    };
    let client = believing(&authority);
    let served = Served::start(&settings(false)).await;
    for (asked, shown) in [
        ("other.example", "all.example"),
        ("a.example", "a.example"),
        ("z.b.example", "a.example"),
        ("y.c.example", "x.c.example"),
    ] {
        let name = served.shown(&client, asked).await;
        assert_eq!(name, shown, "{asked}");
    }
    // Who asks for no name comes to an address.
    let served = Served::start(&settings(true)).await;
    for (asked, shown) in [
        ("127.0.0.1", "here.example"),
        ("other.example", "all.example"),
    ] {
        assert_eq!(served.shown(&client, asked).await, shown, "{asked}");
    }
}

#[tokio::test]
async fn http_without_tls_is_told_so() {
    let (served, _) = start().await;
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain
        .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert_eq!(
        answer,
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    );
    assert_eq!(served.metrics.handshakes_failed.get(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_and_certificates_have_figures() {
    let harness = Harness::start_with(
        Config {
            nodes: 1,
            pods_per_node: 1,
            faults: Faults::None,
            clock: Some(SimClock::manual(now())),
            ..Config::default()
        },
        |settings| settings.tls.manage = true,
    )
    .await;
    let mut page = String::new();
    wait_until("the CA is there", async || {
        let (_, body) = harness.get("/metrics").await;
        page = String::from_utf8(body).unwrap();
        page.contains("kubevitals_managed_ca_writes_total{kind=\"Secret\"} 1\n")
    })
    .await;
    for sample in [
        "kubevitals_connections_open 1\n",
        "kubevitals_connections_total{result=\"turned_away\"} 0\n",
        "kubevitals_tls_handshake_failures_total 0\n",
        "kubevitals_tls_reloads_total{used_for=\"serving\",result=\"failure\"} 0\n",
        "kubevitals_tls_certificate_expiry_time_seconds{used_for=\"serving\"} ",
        "kubevitals_managed_ca_expiry_time_seconds ",
    ] {
        assert!(page.contains(sample), "{sample}: {page}");
    }
}
