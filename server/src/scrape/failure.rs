//! The errors of requests to kubelets, each with a hint.

use http::StatusCode;
use kubevitals_proto::kubelet::summary::{MAX_ELEMENTS, SummaryError};

/// Why a scrape failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ScrapeError {
    /// The node has no address of the preferred types, in order.
    #[error("the node has no address of the types {0}")]
    NoAddress(String),
    /// An address that is not valid in a URL.
    #[error("{0:?} makes no URL")]
    BadAddress(String),
    /// An invalid path (the annotation `metrics.k8s.io/resource-metrics-path`).
    #[error("{0:?} is no path")]
    BadPath(String),
    /// No connection, with the error of the operating system or of TLS.
    #[error("no connection: {0}")]
    Connect(String),
    /// The kubelet's certificate was not accepted, with the error of TLS.
    #[error("the kubelet's certificate is not accepted: {0}")]
    Certificate(String),
    /// No complete response within the timeout, in milliseconds.
    #[error("no whole answer within {0} ms")]
    Timeout(u128),
    /// The connection broke during the response, with the error of HTTP.
    #[error("the answer broke off: {0}")]
    BrokeOff(String),
    /// A status other than 200.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// A body over the limit in bytes, compressed or not.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// More containers, or pods, probes or volumes, than a node can have.
    #[error("its response has more than {0} series")]
    TooManySeries(u32),
    /// A body without any line of a kubelet's metrics, with its first bytes as text.
    #[error("its response has no kubelet metrics; it begins {0:?}")]
    NotMetrics(String),
    /// The kubelet reports an error of its own.
    #[error("the kubelet reports that it could not collect its metrics")]
    KubeletError,
    /// A body that does not parse, with the error of the parser.
    #[error("its answer does not parse: {0}")]
    Malformed(String),
    /// The token file cannot be read.
    #[error("cannot read the token {path}: {cause}")]
    Token {
        /// The file.
        path: String,
        /// The error of the operating system.
        cause: String,
    },
}

/// A failure and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// `https://10.0.0.1:10250`, or `none`.
    pub address: String,
    /// The error.
    pub error: ScrapeError,
}

impl Failed {
    pub(super) fn at(address: &str, error: ScrapeError) -> Self {
        Self {
            address: address.to_owned(),
            error,
        }
    }
}

impl ScrapeError {
    /// Converts an error about `body`, a response of `/stats/summary`.
    pub(super) fn summary(error: &SummaryError, body: &[u8]) -> Self {
        match error {
            SummaryError::TooMany => Self::TooManySeries(MAX_ELEMENTS as u32),
            SummaryError::Malformed(error) => {
                Self::Malformed(format!("{error}; it begins {:?}", beginning(body)))
            }
        }
    }

    /// The reason in metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no_address",
            Self::BadAddress(_) => "bad_address",
            Self::BadPath(_) => "bad_path",
            Self::Connect(_) => "connect",
            Self::Certificate(_) => "certificate",
            Self::Timeout(_) => "timeout",
            Self::BrokeOff(_) => "broke_off",
            Self::Status(status) => match status.as_u16() {
                401 => "unauthorized",
                403 => "forbidden",
                _ => "status",
            },
            Self::TooLarge(_) => "too_large",
            Self::TooManySeries(_) => "too_many_series",
            Self::NotMetrics(_) => "not_metrics",
            Self::KubeletError => "kubelet_error",
            Self::Malformed(_) => "malformed",
            Self::Token { .. } => "token",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => {
                "check the node's status.addresses and --kubelet-preferred-address-types"
            }
            Self::BadAddress(_) => "correct the node's status.addresses",
            Self::BadPath(_) => {
                "correct the node's annotation metrics.k8s.io/resource-metrics-path"
            }
            Self::Connect(_) => {
                "check that the kubelet runs, --kubelet-port, and that firewalls and network policies let this pod reach it; \
                 where pods cannot reach nodes, run the server with hostNetwork"
            }
            Self::Certificate(_) => {
                "use an address that its certificate names (--kubelet-preferred-address-types), have it serve a \
                 certificate of the cluster's CA for this address (serverTLSBootstrap), or name its CA with --kubelet-certificate-authority; on a test cluster --kubelet-insecure-tls skips the check"
            }
            Self::Timeout(_) => {
                "check that firewalls and network policies let this pod reach it, and the node's load, or raise \
                 --kubelet-request-timeout"
            }
            Self::BrokeOff(_) => "check the node's load and network; the server retries",
            Self::Status(status) => match status.as_u16() {
                401 => {
                    "the kubelet does not accept our credentials: check its webhook authentication \
                     (--authentication-token-webhook) and our service account, or with --kubelet-client-certificate \
                     that its client CA (--client-ca-file) has issued that"
                }
                403 => {
                    "grant this service account get on nodes/metrics and nodes/stats, and check that the kubelet's authorization \
                     asks the API server (mode Webhook)"
                }
                404 => {
                    "the kubelet has no /metrics/resource: it is older than 1.14, or another program listens there"
                }
                _ => "look into the kubelet's log",
            },
            Self::TooLarge(_)
            | Self::TooManySeries(_)
            | Self::NotMetrics(_)
            | Self::Malformed(_) => {
                "check what listens on this address and port; it does not answer like a kubelet"
            }
            Self::KubeletError => "look into the kubelet's and the container runtime's log",
            Self::Token { .. } => "check the service account's volume, or the kubeconfig",
        }
    }

    /// Whether the error says more than that there was no response, for which overload may be the cause.
    pub(super) fn is_informative(&self) -> bool {
        !matches!(self, Self::Connect(_) | Self::Timeout(_))
    }

    /// Whether another address of the node may work: this one cannot be reached.
    pub(super) fn concerns_address(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Certificate(_) | Self::BadAddress(_)
        )
    }

    /// Whether the response for `/metrics/resource` is not from a kubelet but from a proxy or another program. A kubelet has
    /// that page, and responds with 401, 403 or 500 if it does not serve it.
    pub(super) fn is_not_a_kubelets(&self) -> bool {
        match self {
            Self::NotMetrics(_) | Self::Malformed(_) => true,
            Self::Status(status) => {
                status.is_redirection()
                    || matches!(status.as_u16(), 400 | 404 | 405 | 407 | 421 | 502 | 504)
            }
            _ => false,
        }
    }
}

/// The first line of a body as text, shortened.
pub(super) fn beginning(body: &[u8]) -> String {
    const MAX_LENGTH: usize = 60;
    let line = body
        .split(|byte| *byte == b'\n')
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    String::from_utf8_lossy(line.get(..MAX_LENGTH).unwrap_or(line)).into_owned()
}
