//! The options of an API server, and the errors at its start.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use crate::pki::PkiError;

/// How a watch from a version that is no longer retained is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiredWatch {
    /// 200 and an ERROR event of code 410, as kube-apiserver does today.
    #[default]
    Event,
    /// A plain 410, as older ones did.
    Http,
}

/// What an API server serves beside JSON and lists: newer and larger ones all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serves {
    /// Pods, nodes, events and metadata in protobuf.
    pub protobuf: bool,
    /// Watches that begin with what exists (`WatchList`).
    pub watch_list: bool,
}

impl Default for Serves {
    fn default() -> Self {
        Self {
            protobuf: true,
            watch_list: true,
        }
    }
}

/// What an API server that is broken, or that something stands before, answers to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The media type.
    pub content_type: &'static str,
    /// The body.
    pub body: &'static str,
}

/// How an [`ApiServer`](super::ApiServer) behaves.
#[derive(Clone, Debug)]
pub struct ApiServerConfig {
    /// Where to listen; port 0 picks one. The default is 127.0.0.1, port 0.
    pub listen: SocketAddr,
    /// How often a watch with bookmarks gets one.
    pub bookmark_interval: Duration,
    /// How a watch from too old a version is refused.
    pub expired_watch: ExpiredWatch,
}

impl Default for ApiServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            bookmark_interval: Duration::from_secs(5),
            expired_watch: ExpiredWatch::default(),
        }
    }
}

/// The API server could not be started.
#[derive(Debug, Error)]
pub enum ApiServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A certificate could not be made or used.
    #[error("cannot set up TLS")]
    Pki(#[from] PkiError),
}
