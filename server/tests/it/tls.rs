//! TLS as clients see it: what the server asks of them, and what it tells the parts behind it.

use std::net::SocketAddr;

use axum::routing::get;
use axum::{Extension, Router};
use kubevitals_server::tls::{self, ClientCertificates, Limits};
use kubevitals_sim::pki::{Authority, Certified};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::client::TlsStream;

use crate::limits::{certified, connect};

/// A listener that says how many certificates its client showed, and the first one's length.
async fn start() -> (SocketAddr, ClientConfig, watch::Sender<bool>) {
    let folder = tempfile::tempdir().unwrap();
    let (files, client) = certified(folder.path());
    let config = tls::server_config(Some(&files), Vec::new()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shown = async |shown: Option<Extension<ClientCertificates>>| match shown {
        Some(Extension(ClientCertificates(shown))) => format!("{} {}", shown.len(), shown[0].len()),
        None => "none".to_owned(),
    };
    let router = Router::new().route("/", get(shown));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(tls::serve(
        listener,
        config,
        router,
        Limits::default(),
        stopped,
    ));
    (address, client, stop)
}

/// Asks over HTTP/1.1; the answer's body.
async fn ask(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
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
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let mut client = client.clone();
    // Said as it is: rustls would otherwise keep a client from showing nonsense.
    let shown = rustls::sign::CertifiedKey::new(chain, key);
    client.client_auth_cert_resolver =
        std::sync::Arc::new(rustls::sign::SingleCertAndKey::from(shown));
    client
}

#[tokio::test]
async fn a_client_certificate_is_passed_on_whoever_signed_it() {
    let (address, client, _stop) = start().await;
    let mut plain = connect(address, &client, "http/1.1").await.unwrap();
    assert_eq!(ask(&mut plain).await.unwrap(), "none");

    let strange = Authority::new("nobody knows it").unwrap();
    let certificate = strange.issue_client("jane", &[]).unwrap();
    let length = certificate.chain().unwrap()[0].len();
    let mut shown = connect(address, &showing(&client, &certificate, 1), "http/1.1")
        .await
        .unwrap();
    assert_eq!(ask(&mut shown).await.unwrap(), format!("1 {length}"));
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let (address, client, _stop) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    let thief = Certified {
        cert_pem: jane.cert_pem,
        key_pem: authority.issue_client("thief", &[]).unwrap().key_pem,
    };
    // In TLS 1.3 the client is through before the server has looked.
    let refused = match connect(address, &showing(&client, &thief, 1), "http/1.1").await {
        Ok(mut stream) => ask(&mut stream).await.err(),
        Err(error) => Some(error),
    };
    // An alert, or a connection that is gone before it was read.
    assert!(refused.is_some());
}

#[tokio::test]
async fn so_many_client_certificates_and_no_more() {
    let (address, client, _stop) = start().await;
    let authority = Authority::new("kubernetes").unwrap();
    let jane = authority.issue_client("jane", &[]).unwrap();
    for (copies, answered) in [(10, true), (11, false), (60, false)] {
        let client = showing(&client, &jane, copies);
        let answer = match connect(address, &client, "http/1.1").await {
            Ok(mut stream) => ask(&mut stream).await,
            Err(error) => Err(error),
        };
        assert_eq!(answer.is_ok(), answered, "{copies}: {answer:?}");
    }
}
