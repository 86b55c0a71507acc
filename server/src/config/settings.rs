//! The settings that the server starts with, made from flags.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use kube::config::Kubeconfig;
use kubevitals_proto::duration::GoDuration;

use super::apiserver::{bounded, from_file, from_kubeconfig, in_cluster};
use super::error::ConfigError;
use super::flags::Flags;
use super::kubelets;
use crate::clock::{Clock, SystemClock};
use crate::export::ExportSettings;
use crate::export::notify;
use crate::scrape::Credentials;
use crate::telemetry::ReadAllocator;
use crate::{api, auth, engine, memory, pod_metrics, scrape, shard, state, store, tls};

/// The settings that the server starts with.
#[derive(Debug)]
pub struct Settings {
    /// The configuration of the API server's client.
    pub kube: kube::Config,
    /// The address to serve on.
    pub listen: SocketAddr,
    /// How connections are served.
    pub tls: tls::Settings,
    /// How requests are authenticated and authorized.
    pub auth: auth::Settings,
    /// How kubelets are scraped.
    pub scrape: scrape::Settings,
    /// The credentials for kubelets, and the CA that verifies them.
    pub credentials: Credentials,
    /// Where the state is persisted, if anywhere.
    pub state: Option<state::Settings>,
    /// The ConfigMap that persists incidents, in the Service's namespace, if any.
    pub incidents: Option<String>,
    /// What leaves the server for other systems.
    pub export: ExportSettings,
    /// Where incidents are sent, if anywhere.
    pub notify: Option<notify::Settings>,
    /// The credentials for other replicas; without them their state is not transferred.
    pub peers: Option<state::PeerCredentials>,
    /// The place of this server among several that scrape a part of the nodes each, if there are several.
    pub shard: Option<shard::Settings>,
    /// The label selector of the nodes that are scraped.
    pub node_selector: Option<String>,
    /// The limits of the history.
    pub history: store::history::Settings,
    /// How long the availability of workloads is stored; none for not at all.
    pub availability: Option<Duration>,
    /// Where what is older than the history is, if anywhere.
    pub engine: Option<engine::Settings>,
    /// How pods' own metrics are scraped, if they are.
    pub pod_metrics: Option<pod_metrics::Settings>,
    /// Limits of requests, and how the server ends.
    pub requests: api::Settings,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The memory limit of the process, in bytes, if there is any.
    pub memory_limit: Option<u64>,
    /// Reads the statistics of the program's allocator, if it has any.
    pub allocator: Option<ReadAllocator>,
}

impl Settings {
    /// Validates flags and reads the files that they name.
    ///
    /// # Errors
    /// A flag or file is invalid; one line for the user.
    pub async fn from_flags(flags: Flags) -> Result<Self, ConfigError> {
        let kube = match &flags.cluster.kubeconfig {
            Some(path) => from_file(path).await,
            None => in_cluster(),
        };
        Self::new(flags, kube).await
    }

    /// Makes the settings of a server inside another program: the kubeconfig's text, the flags of the manifests, any
    /// free port on loopback, and each node's own kubelet port.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn embedded(kubeconfig: &str, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig);
        let kube = from_kubeconfig(Path::new("(embedded)"), kubeconfig).await;
        let flags = Flags::try_parse_from([
            "vitals-server",
            "--metric-resolution=15s",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            "--kubelet-use-node-status-port",
            "--incidents-configmap=",
        ]);
        let flags = flags.map_err(|error| ConfigError::Flag(error.to_string()))?;
        Ok(Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            peers: None,
            clock,
            ..Self::new(flags, kube).await?
        })
    }

    /// Validates the flags before it reports a kubeconfig that cannot be used.
    async fn new(
        flags: Flags,
        kube: Result<kube::Config, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let scrape = flags.kubelets.settings()?;
        let history = flags.history.settings(scrape.resolution)?;
        let availability = flags.availability.retention()?;
        let engine = flags.engine.settings()?;
        let pod_metrics = flags.pod_metrics.settings()?;
        let tls = flags.serving.settings()?;
        let notify = flags.incidents.settings()?;
        let shard = flags.shard.settings()?;
        if shard.is_some() && !tls.manage {
            return Err(
                "--shard needs --manage-apiservice-ca: shards verify each other by its CA".into(),
            );
        }
        let (authentication, authorization) = (&flags.authentication, &flags.authorization);
        let mut auth = auth::Settings::new(authentication, authorization)?;
        if let Some(path) = &authentication.authentication_kubeconfig {
            auth.authentication = Some(bounded(from_file(path).await?));
        }
        if let Some(path) = &authorization.authorization_kubeconfig {
            auth.authorization = Some(bounded(from_file(path).await?));
        }
        let kube = bounded(kube?);
        let peers = kubelets::to_peers(&kube);
        if shard.is_some() && peers.is_none() {
            return Err(
                "--shard: the kubeconfig's user has a credential that other shards do not accept: use one with a token \
                 or a client certificate"
                    .into(),
            );
        }
        Ok(Self {
            listen: SocketAddr::new(flags.serving.bind_address, flags.serving.secure_port),
            tls,
            auth,
            scrape,
            credentials: kubelets::credentials(&flags.kubelets, &kube)?,
            state: flags.state.settings(),
            incidents: flags.state.incidents(),
            export: flags.export.settings()?,
            notify,
            peers,
            shard,
            node_selector: flags.cluster.node_selector,
            history,
            availability,
            engine,
            pod_metrics,
            requests: flags.requests,
            clock: Arc::new(SystemClock::default()),
            memory_limit: flags
                .general
                .memory_limit
                .map(|bytes| bytes as u64)
                .or_else(memory::of_cgroup),
            allocator: None,
            kube,
        })
    }
}

impl fmt::Display for Settings {
    /// A summary in one line for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addressing = &self.scrape.addressing;
        let selector = self.node_selector.as_ref();
        let selector = selector.map(|it| format!(" with {it}")).unwrap_or_default();
        let port = match addressing.use_status_port {
            true => " and the port in their node's status".to_owned(),
            false => format!(" port {}", addressing.port),
        };
        let security = match (addressing.plain, self.credentials.verifies()) {
            (true, _) => "by plain HTTP",
            (false, true) => "their certificates verified",
            (false, false) => "their certificates not verified",
        };
        write!(
            f,
            "nodes{selector} of {} every {}, kubelets at {}{port} within {}, {security}",
            self.kube.cluster_url,
            GoDuration::from(self.scrape.resolution),
            addressing.types(),
            GoDuration::from(self.scrape.timeout),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invocation;
    use crate::flag_values::rows;

    async fn refusal(flags: &[&str]) -> String {
        let arguments = ["vitals-server"].into_iter().chain(flags.iter().copied());
        match Flags::read(arguments.map(Into::into)) {
            Ok(Invocation::Serve(flags)) => {
                Settings::from_flags(*flags).await.unwrap_err().to_string()
            }
            Ok(Invocation::Print(text)) => text,
            Err(line) => line,
        }
    }

    #[tokio::test]
    async fn contradictions_are_one_line_with_a_hint() {
        for (flags, expected) in rows(
            r#"
            --metric-resolution=5s                     | --metric-resolution="5s": it must be at least 10s
            --metric-resolution=2h                     | it must be at most 1h0m0s
            --probes-interval=9s                       | it must be at least 10s, or 0 for none
            --summary-interval=1ms                     | it must be at least 10s, or 0 for none
            --kubelet-request-timeout=0s               | must be more than 0
            --kubelet-request-timeout=55s              | at most 0.9 of --metric-resolution
            --state-interval=1s                        | it must be at least 10s, or 0
            --kubelet-client-key=k                     | go together
            --request-timeout=0                        | must be more than 0
            --tls-cert-file=c                          | go together
            --incident-webhook-key-file=k              | --incident-webhook-key-file has no effect without --incident-webhook-url
            --alertmanager-http-config=c               | --alertmanager-http-config has no effect without --alertmanager-url
            --incident-webhook-url=http://h --incident-webhook-key-file=/nowhere/k | cannot use the keys in "/nowhere/k"
            --alertmanager-url=http://h --alertmanager-http-config=/nowhere/c | --alertmanager-http-config: cannot read "/nowhere/c"
            --incident-webhook-url=h/path              | write a URL like
            --incident-label=severity=x                | alerts already have a label severity
            --incident-delay=11m                       | it must be at most 10m0s
            --history-url=here                         | write a URL like https://host:port/path
            --history-matcher=a="b"                    | go with --history-url
            --history-matcher=a=b                      | write a label matcher of PromQL
            --history-timeout=5m                       | it must be at most 50s
            --pod-metrics-config=c                     | --pod-metrics-config has no effect without --pod-metrics
            --pod-metrics --pod-metrics-window=30s     | at least 3 times --pod-metrics-interval
            --shard=4/4                                | write I/N with I from 0 to N-1
            --shard=0/4                                | --shard needs --manage-apiservice-ca
            --node-selector=a=b=c                      | it is not a label selector
            --kubeconfig=/nowhere/config               | cannot use the kubeconfig "/nowhere/config"
            --authentication-kubeconfig=/nowhere/a     | /nowhere/a
            --authorization-kubeconfig=/nowhere/a      | /nowhere/a
            --kubelet-insecure-tls --kubelet-certificate-authority=c | contradict each other
            --deprecated-kubelet-completely-insecure --kubelet-insecure-tls | goes with no other TLS flag
            "#,
        ) {
            let line = refusal(&flags).await;
            assert!(
                line.contains(expected) && !line.contains('\n'),
                "{flags:?}: {line}"
            );
        }
    }
}
