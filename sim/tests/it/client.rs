//! A client as simple as can be: one request, one connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_sim::{Cluster, pki};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// The address of the node of this index, as its node object says.
pub(crate) fn node_address(cluster: &Cluster, node: &str) -> IpAddr {
    let object = cluster
        .store()
        .get(kubevitals_sim::objects::Resource::Nodes, None, node)
        .unwrap()
        .to_value(kubevitals_sim::objects::Resource::Nodes);
    object["status"]["addresses"][0]["address"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Gets a page from a node's kubelet with the server's token.
pub(crate) async fn get(cluster: &Cluster, node: &str, path: &str) -> Result<Got, Failure> {
    let token = std::fs::read_to_string(cluster.kubelet_token_path())?;
    get_as(cluster, node, path, Some(token.trim()), b"http/1.1").await
}

/// Gets a page with any token, or none, over HTTP/1.1 or HTTP/2.
pub(crate) async fn get_as(
    cluster: &Cluster,
    node: &str,
    path: &str,
    token: Option<&str>,
    alpn: &[u8],
) -> Result<Got, Failure> {
    let mut tls = ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(pki::roots(&cluster.pki().cluster().pem())?)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    request(cluster, node, path, token, tls).await
}

pub(crate) async fn request(
    cluster: &Cluster,
    node: &str,
    path: &str,
    token: Option<&str>,
    tls: ClientConfig,
) -> Result<Got, Failure> {
    let ip = node_address(cluster, node);
    let stream = TcpStream::connect(SocketAddr::new(ip, cluster.kubelet_port())).await?;
    let stream = TlsConnector::from(Arc::new(tls))
        .connect(ServerName::from(ip), stream)
        .await?;
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let mut request = Request::get(format!("https://{ip}{path}"));
    if !h2 {
        request = Request::get(path).header("host", ip.to_string());
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let io = TokioIo::new(stream);
    let response = if h2 {
        let (mut send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        send.send_request(request).await?
    } else {
        let (mut send, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        send.send_request(request).await?
    };
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Got {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}
