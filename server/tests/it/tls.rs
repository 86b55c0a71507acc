//! TLS as clients see it: the server's certificate, client certificates, versions and cipher suites.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::tls::{
    self, CertResolver, ClientCertificates, Limits, NamedPair, Settings, Tls, TlsMetrics,
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

use crate::harness::{Harness, clock_of, wait_until};

/// A listener that responds with the number of the client's certificates and the length of the first one.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: TlsMetrics,
    pub(crate) certificates: Arc<CertResolver>,
    pub(crate) clock: SimClock,
    _stop: DropGuard,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(settings: &Settings) -> Self {
        let clock = SimClock::manual(now());
        let (tls, cert_reloader) = Tls::new(settings, clock_of(&clock)).unwrap();
        let (metrics, certificates) = (tls.metrics().clone(), Arc::clone(tls.certificates()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            tokio::select! {
                () = tls::serve(listener, tls, router(), Limits::default(), stopped) => {}
                () = cert_reloader.run() => {}
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

    /// A handshake with a client that requests `name`.
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

    /// The first DNS name of the certificate for a client that requests `name`.
    pub(crate) async fn certificate_name(&self, client: &ClientConfig, name: &str) -> String {
        let stream = self.connect(client, name).await.unwrap();
        let der = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
        let names = certificate.subject_alternative_name().unwrap().unwrap();
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
    let respond = async |chain: Option<Extension<ClientCertificates>>| match chain {
        Some(Extension(ClientCertificates(chain))) => format!("{} {}", chain.len(), chain[0].len()),
        None => "none".to_owned(),
    };
    Router::new().route("/", get(respond))
}

/// The current time: clients verify certificates by the machine's clock.
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

/// A client that trusts an authority.
pub(crate) fn trusting(authority: &Authority) -> ClientConfig {
    let _provider = kubevitals_server::tls::provider();
    ClientConfig::builder()
        .with_root_certificates(pki::roots(&authority.pem()).unwrap())
        .with_no_client_auth()
}

/// A listener with a certificate for `localhost`, and a client that trusts it.
async fn start() -> (Served, ClientConfig) {
    let (served, authority) = start_with(|_| {}).await;
    (served, trusting(&authority))
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

/// Sends a request over HTTP/1.1 and returns the response's body.
pub(crate) async fn request(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let (head, body) = response.split_once("\r\n\r\n").expect("a response");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

/// A client that sends `copies` copies of `certificate`.
fn with_certificate(client: &ClientConfig, certificate: &Certified, copies: usize) -> ClientConfig {
    let chain = vec![certificate.chain().unwrap().remove(0); copies];
    let key = certificate.private_key().unwrap();
    let key = pki::provider().key_provider.load_private_key(key).unwrap();
    let mut client = client.clone();
    // Without rustls' checks, which would refuse an invalid chain.
    let certified = rustls::sign::CertifiedKey::new(chain, key);
    client.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    client
}

/// Connects and sends a request. With TLS 1.3, a client's handshake may end before the server verifies the
/// certificate.
async fn try_request(served: &Served, client: &ClientConfig) -> std::io::Result<String> {
    request(&mut served.connect(client, "localhost").await?).await
}

#[tokio::test]
async fn a_client_certificate_of_any_ca_is_passed_on() {
    let (served, client) = start().await;
    assert_eq!(try_request(&served, &client).await.unwrap(), "none");

    let unknown = Authority::new("unknown").unwrap();
    let certificate = unknown.issue_client("jane", &[]).unwrap();
    let length = certificate.chain().unwrap()[0].len();
    let response = try_request(&served, &with_certificate(&client, &certificate, 1)).await;
    assert_eq!(response.unwrap(), format!("1 {length}"));
}

#[tokio::test]
async fn a_certificate_with_another_key_is_refused() {
    let (served, client) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    let stolen = Certified {
        cert_pem: jane.cert_pem,
        key_pem: authority.issue_client("thief", &[]).unwrap().key_pem,
    };
    assert!(
        try_request(&served, &with_certificate(&client, &stolen, 1))
            .await
            .is_err()
    );
    assert_eq!(served.metrics.handshakes_failed.get(), 1);
}

#[tokio::test]
async fn a_chain_of_client_certificates_has_a_limit() {
    let (served, client) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    for (copies, accepted) in [(10, true), (11, false), (60, false)] {
        let response = try_request(&served, &with_certificate(&client, &jane, copies)).await;
        assert_eq!(response.is_ok(), accepted, "{copies}: {response:?}");
    }
}

#[tokio::test]
async fn http2_is_offered_unless_it_is_disabled() {
    for (http2, agreed) in [(true, &b"h2"[..]), (false, b"http/1.1")] {
        let (served, authority) = start_with(|settings| settings.http1_only = !http2).await;
        let mut client = trusting(&authority);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = served.connect(&client, "localhost").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed));
        client.alpn_protocols = Vec::new();
        assert_eq!(try_request(&served, &client).await.unwrap(), "none");
    }
}

/// Negotiates with a client that supports only one TLS version. Returns the version and the cipher suite.
async fn negotiate(
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
async fn the_oldest_version_and_the_suites_of_tls12_are_settings() {
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
        let old = negotiate(&served, &authority, &TLS12).await;
        assert_eq!(old.is_some(), tls12, "{version} {suites:?}");
        if let (Some((_, suite)), Some(CHACHA)) = (old, suites) {
            assert!(suite.contains("CHACHA20"), "{suite}");
        }
        let new = negotiate(&served, &authority, &TLS13).await;
        assert_eq!(new.is_some(), tls13, "{version} {suites:?}");
    }
}

#[tokio::test]
async fn a_client_gets_the_pair_for_its_name_or_its_address() {
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
                "patterns",
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
    let client = trusting(&authority);
    let served = Served::start(&settings(false)).await;
    for (name, expected) in [
        ("other.example", "all.example"),
        ("a.example", "a.example"),
        ("z.b.example", "a.example"),
        ("y.c.example", "x.c.example"),
    ] {
        let certificate = served.certificate_name(&client, name).await;
        assert_eq!(certificate, expected, "{name}");
    }
    // A client of an IP address requests no name.
    let served = Served::start(&settings(true)).await;
    for (name, expected) in [
        ("127.0.0.1", "here.example"),
        ("other.example", "all.example"),
    ] {
        let certificate = served.certificate_name(&client, name).await;
        assert_eq!(certificate, expected, "{name}");
    }
}

#[tokio::test]
async fn http_without_tls_gets_an_error() {
    let (served, _) = start().await;
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain
        .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut response = String::new();
    plain.read_to_string(&mut response).await.unwrap();
    assert_eq!(
        response,
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    );
    assert_eq!(served.metrics.handshakes_failed.get(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_and_certificates_have_metrics() {
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
    wait_until("the CA exists", async || {
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
