//! Flags checked against each other and turned into what the parts need.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::LabelSelector;

use super::apiserver::{bounded, from_file, in_cluster};
use super::error::ConfigError;
use super::flags::Flags;
use super::{authentication, history, kubelets, serving};
use crate::auth;
use crate::clock::{Clock, SystemClock};
use crate::cluster::AddressType;
use crate::scrape::{Addressing, Credentials, Intervals};
use crate::store;
use crate::telemetry::{AskAllocator, chain};
use crate::{state, tls};

const SHORTEST_RESOLUTION: Duration = Duration::from_secs(10);
const LONGEST_RESOLUTION: Duration = Duration::from_secs(3600);

/// All that the server is started with.
#[derive(Debug)]
pub struct Settings {
    /// How the API server is reached.
    pub kube: kube::Config,
    /// Where to serve.
    pub listen: SocketAddr,
    /// What the server shows, and how connections are taken.
    pub tls: tls::Settings,
    /// Who may ask.
    pub auth: auth::Settings,
    /// Time between two scrapes of a node.
    pub resolution: Duration,
    /// Bounds one scrape.
    pub kubelet_timeout: Duration,
    /// Where kubelets are.
    pub addressing: Addressing,
    /// How often other pages of kubelets are asked for.
    pub pages: Intervals,
    /// What kubelets are shown and must show.
    pub credentials: Credentials,
    /// Where what is known outlives the process, if anywhere.
    pub state: Option<state::Settings>,
    /// The ConfigMap that persists incidents, in the Service's namespace, if any.
    pub incidents: Option<String>,
    /// What other replicas are shown when they are asked for what they know; nothing if they are not.
    pub peers: Option<state::Shown>,
    /// Which nodes are scraped.
    pub node_selector: Option<String>,
    /// How much of the past is remembered.
    pub history: store::history::Settings,
    /// Bounds one request, from its header to the last byte of its answer.
    pub request_timeout: Duration,
    /// Bounds requests that are answered at the same moment.
    pub max_requests_in_flight: Option<NonZeroUsize>,
    /// From being asked to end until requests are no longer taken.
    pub shutdown_delay: Duration,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How to ask the program's allocator for its figures, where it has some.
    pub allocator: Option<AskAllocator>,
}

impl Settings {
    /// Checks flags and reads the files they name.
    ///
    /// # Errors
    /// What is wrong, in one line for the person who typed it.
    pub async fn from_flags(flags: Flags) -> Result<Self, ConfigError> {
        check(&flags)?;
        let tls = serving::settings(&flags.serving)?;
        let auth = authentication::settings(&flags.authentication, &flags.authorization).await?;
        let kube = match &flags.cluster.kubeconfig {
            Some(path) => from_file(path).await?,
            None => in_cluster()?,
        };
        let kube = bounded(kube);
        let credentials = kubelets::credentials(&flags.kubelets, &kube)?;
        Ok(Self {
            listen: SocketAddr::new(flags.serving.bind_address, flags.serving.secure_port),
            tls,
            auth,
            resolution: flags.kubelets.metric_resolution,
            kubelet_timeout: flags.kubelets.kubelet_request_timeout,
            addressing: Addressing {
                preferred: flags.kubelets.kubelet_preferred_address_types,
                port: flags.kubelets.kubelet_port,
                use_status_port: flags.kubelets.kubelet_use_node_status_port,
                plain: flags.kubelets.deprecated_kubelet_completely_insecure,
            },
            pages: Intervals {
                probes: on(flags.kubelets.probes_interval),
                summary: on(flags.kubelets.summary_interval),
            },
            credentials,
            history: history::settings(&flags.history, flags.kubelets.metric_resolution)?,
            state: flags.state.state_dir.map(|folder| state::Settings {
                folder,
                interval: flags.state.state_interval,
            }),
            incidents: Some(flags.state.incidents_configmap).filter(|name| !name.is_empty()),
            peers: kubelets::to_peers(&kube),
            node_selector: flags.cluster.node_selector,
            request_timeout: flags.generic.request_timeout,
            max_requests_in_flight: NonZeroUsize::new(flags.generic.max_requests_inflight),
            shutdown_delay: flags.generic.shutdown_delay_duration,
            clock: Arc::new(SystemClock::default()),
            allocator: None,
            kube,
        })
    }

    /// Settings for a server inside another program: the kubeconfig's text, the defaults of the manifests, any
    /// free port on loopback, and each node's own kubelet port.
    ///
    /// # Errors
    /// What is wrong with the kubeconfig.
    pub async fn embedded(kubeconfig: &str, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let wrong = |cause| ConfigError::Kubeconfig {
            path: PathBuf::from("(embedded)"),
            cause,
        };
        let parsed = Kubeconfig::from_yaml(kubeconfig).map_err(|error| wrong(chain(&error)))?;
        let kube = kube::Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default())
            .await
            .map_err(|error| wrong(chain(&error)))?;
        let kube = bounded(kube);
        let credentials = kubelets::same(&kube)?;
        Ok(Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: tls::Settings::default(),
            auth: auth::Settings::default(),
            resolution: Duration::from_secs(15),
            kubelet_timeout: Duration::from_secs(10),
            addressing: Addressing {
                preferred: vec![
                    AddressType::InternalIp,
                    AddressType::ExternalIp,
                    AddressType::Hostname,
                ],
                port: 10250,
                use_status_port: true,
                plain: false,
            },
            pages: Intervals {
                probes: Some(Duration::from_secs(60)),
                summary: Some(Duration::from_secs(60)),
            },
            credentials,
            history: history::usual(Duration::from_secs(15)),
            state: None,
            incidents: None,
            peers: None,
            node_selector: None,
            request_timeout: Duration::from_secs(60),
            max_requests_in_flight: NonZeroUsize::new(400),
            shutdown_delay: Duration::ZERO,
            clock,
            allocator: None,
            kube,
        })
    }
}

impl fmt::Display for Settings {
    /// What matters most, in one line for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Addressing {
            preferred,
            port,
            use_status_port,
            plain,
        } = &self.addressing;
        write!(f, "nodes")?;
        if let Some(selector) = &self.node_selector {
            write!(f, " with {selector}")?;
        }
        let types: Vec<String> = preferred.iter().map(ToString::to_string).collect();
        write!(
            f,
            " of {} every {}",
            self.kube.cluster_url,
            GoDuration::from(self.resolution)
        )?;
        write!(f, ", kubelets at {}", types.join(","))?;
        if *use_status_port {
            write!(f, " and the port in their node's status")?;
        } else {
            write!(f, " port {port}")?;
        }
        write!(f, " within {}", GoDuration::from(self.kubelet_timeout))?;
        f.write_str(match (plain, self.credentials.verifies()) {
            (true, _) => ", by plain HTTP",
            (false, true) => ", their certificates verified",
            (false, false) => ", their certificates not verified",
        })
    }
}

/// An interval; zero is none.
fn on(interval: Duration) -> Option<Duration> {
    (!interval.is_zero()).then_some(interval)
}

fn check(flags: &Flags) -> Result<(), ConfigError> {
    let wrong = |text: &str| Err(ConfigError::Flag(text.to_owned()));
    if flags.kubelets.metric_resolution < SHORTEST_RESOLUTION {
        return wrong(
            "--metric-resolution must be at least 10s: kubelets have nothing newer to say",
        );
    }
    if flags.kubelets.metric_resolution > LONGEST_RESOLUTION {
        return wrong("--metric-resolution must be at most 1h: the HPA asks every 15s");
    }
    for (flag, interval) in [
        ("--probes-interval", flags.kubelets.probes_interval),
        ("--summary-interval", flags.kubelets.summary_interval),
    ] {
        let held = SHORTEST_RESOLUTION..=LONGEST_RESOLUTION;
        if !interval.is_zero() && !held.contains(&interval) {
            return wrong(&format!(
                "{flag} must be from 10s to 1h: kubelets have nothing newer to say; 0 turns it off"
            ));
        }
    }
    if flags.kubelets.kubelet_request_timeout.is_zero() {
        return wrong("--kubelet-request-timeout must be more than 0");
    }
    if flags.kubelets.kubelet_request_timeout > flags.kubelets.metric_resolution * 9 / 10 {
        return wrong(
            "--kubelet-request-timeout must be at most 0.9 of --metric-resolution, or one scrape runs into the next",
        );
    }
    if flags.kubelets.kubelet_client_certificate.is_some()
        != flags.kubelets.kubelet_client_key.is_some()
    {
        return wrong(
            "--kubelet-client-certificate and --kubelet-client-key go together: give both or neither",
        );
    }
    if flags.kubelets.kubelet_insecure_tls && flags.kubelets.kubelet_certificate_authority.is_some()
    {
        return wrong(
            "--kubelet-insecure-tls and --kubelet-certificate-authority contradict each other: give one of them",
        );
    }
    let tls = flags.kubelets.kubelet_insecure_tls
        || flags.kubelets.kubelet_certificate_authority.is_some()
        || flags.kubelets.kubelet_client_certificate.is_some();
    if flags.kubelets.deprecated_kubelet_completely_insecure && tls {
        return wrong(
            "--deprecated-kubelet-completely-insecure is plain HTTP: it goes with no other TLS flag for kubelets",
        );
    }
    let state = flags.state.state_interval;
    if !state.is_zero() && state < SHORTEST_RESOLUTION {
        return wrong("--state-interval must be at least 10s, or 0 to write at the end only");
    }
    if flags.generic.request_timeout.is_zero() {
        return wrong("--request-timeout must be more than 0, or no request is ever answered");
    }
    if let Some(selector) = &flags.cluster.node_selector
        && let Err(error) = selector.parse::<LabelSelector>()
    {
        return Err(ConfigError::Flag(format!(
            "--node-selector {selector:?} is no label selector: {error}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    async fn said(flags: &[&str]) -> String {
        let arguments = ["vitals-server"].into_iter().chain(flags.iter().copied());
        Settings::from_flags(Flags::try_parse_from(arguments).unwrap())
            .await
            .unwrap_err()
            .to_string()
    }

    #[tokio::test]
    async fn contradictions_are_one_line_that_says_what_to_do() {
        for (flags, expected) in [
            (
                &["--metric-resolution=5s"][..],
                "--metric-resolution must be at least 10s",
            ),
            (&["--metric-resolution=2h"], "at most 1h"),
            (
                &["--probes-interval=9s"],
                "--probes-interval must be from 10s to 1h",
            ),
            (
                &["--summary-interval=1ms"],
                "--summary-interval must be from 10s to 1h",
            ),
            (&["--kubelet-request-timeout=0s"], "must be more than 0"),
            (
                &["--kubelet-request-timeout=55s"],
                "at most 0.9 of --metric-resolution",
            ),
            (&["--state-interval=1s"], "must be at least 10s"),
            (&["--kubelet-client-key=k"], "go together"),
            (&["--request-timeout=0"], "must be more than 0"),
            (&["--tls-cert-file=c"], "go together"),
            (
                &[
                    "--kubelet-insecure-tls",
                    "--kubelet-certificate-authority=c",
                ],
                "contradict each other",
            ),
            (
                &[
                    "--deprecated-kubelet-completely-insecure",
                    "--kubelet-insecure-tls",
                ],
                "goes with no other TLS flag",
            ),
            (&["--node-selector=a in b"], "is no label selector"),
            (
                &["--kubeconfig=/nowhere/config"],
                "cannot use the kubeconfig \"/nowhere/config\"",
            ),
        ] {
            let said = said(flags).await;
            assert!(
                said.contains(expected) && !said.contains('\n'),
                "{flags:?}: {said}"
            );
        }
    }
}
