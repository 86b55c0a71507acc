//! Merges the kubeconfig and the flags.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};
use kubevitals_proto::duration::GoDuration;

use super::check;
use super::files::Files;
use crate::cli::{Connection, non_empty};
use crate::source::Error;

/// The server if no kubeconfig names one.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// The kubeconfig files and the flags that override parts of them, read but not checked.
#[derive(Debug)]
pub struct Settings {
    file: Kubeconfig,
    user_files: HashMap<String, PathBuf>,
    flags: Connection,
}

/// The selected cluster and user, with the flags applied.
#[derive(Debug)]
pub(super) struct SelectedCluster {
    /// The cluster.
    pub cluster: Cluster,
    /// Its name in the kubeconfig.
    pub cluster_name: String,
    /// The user.
    pub user: AuthInfo,
    /// Its name in the kubeconfig.
    pub user_name: String,
    /// The file that defines the user.
    pub user_file: Option<PathBuf>,
}

impl Settings {
    pub(super) fn new(files: Files, flags: Connection) -> Self {
        Self {
            file: files.config,
            user_files: files.users,
            flags,
        }
    }

    /// The selected cluster and user. What a flag chooses must exist.
    pub(super) fn selected(&self) -> Result<SelectedCluster, Error> {
        let user = self.user()?;
        self.context()?;
        let user_name = self.user_name();
        Ok(SelectedCluster {
            cluster: self.cluster()?,
            cluster_name: self.cluster_name(),
            user,
            user_file: self.user_files.get(&user_name).cloned(),
            user_name,
        })
    }

    pub(super) fn namespace_flag(&self) -> Option<&str> {
        self.flags.namespace()
    }

    /// The names of all contexts, in the kubeconfig's order.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.file
            .contexts
            .iter()
            .map(|context| context.name.as_str())
    }

    /// The names of all clusters, in the kubeconfig's order.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        self.file
            .clusters
            .iter()
            .map(|cluster| cluster.name.as_str())
    }

    /// The names of all users, in the kubeconfig's order.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.file.auth_infos.iter().map(|user| user.name.as_str())
    }

    /// The selected context; empty if there is none.
    #[must_use]
    pub fn context_name(&self) -> &str {
        let current = self.file.current_context.as_deref().unwrap_or_default();
        non_empty(self.flags.context.as_ref()).unwrap_or(current)
    }

    /// Whether no context, cluster or server is selected.
    #[must_use]
    pub fn chooses_nothing(&self) -> bool {
        self.context_name().is_empty()
            && non_empty(self.flags.cluster.as_ref()).is_none()
            && non_empty(self.flags.server.as_ref()).is_none()
    }

    /// The selected context with the flags applied. Only one selected by a flag must exist.
    pub(super) fn context(&self) -> Result<Context, Error> {
        let contexts = self.file.contexts.iter();
        let contexts = contexts.map(|named| (&*named.name, &named.context));
        let flag = self.flags.context.as_ref();
        let mut context = find("context", contexts, self.context_name(), flag)?;
        if let Some(cluster) = non_empty(self.flags.cluster.as_ref()) {
            context.cluster = cluster.to_owned();
        }
        override_with(&mut context.user, self.flags.user.as_ref());
        override_with(&mut context.namespace, self.flags.namespaces.last());
        Ok(context)
    }

    fn user_name(&self) -> String {
        match non_empty(self.flags.user.as_ref()) {
            Some(user) => user.to_owned(),
            None => self.context().unwrap_or_default().user.unwrap_or_default(),
        }
    }

    /// The user, with the flags applied. Only one selected by a flag must exist.
    pub(super) fn user(&self) -> Result<AuthInfo, Error> {
        let users = self.file.auth_infos.iter();
        let users = users.map(|named| (&*named.name, &named.auth_info));
        let flag = self.flags.user.as_ref();
        let mut user = find("auth info", users, &self.user_name(), flag)?;
        let flags = &self.flags;
        if let Some(token) = non_empty(flags.token.as_ref()) {
            user.token = Some(token.to_owned().into());
            user.token_file = None;
        }
        override_with(&mut user.username, flags.username.as_ref());
        if let Some(password) = non_empty(flags.password.as_ref()) {
            user.password = Some(password.to_owned().into());
        }
        if let Some(certificate) = non_empty(flags.client_certificate.as_ref()) {
            user.client_certificate = Some(certificate.to_owned());
            user.client_certificate_data = None;
        }
        if let Some(key) = non_empty(flags.client_key.as_ref()) {
            user.client_key = Some(key.to_owned());
            user.client_key_data = None;
        }
        override_with(&mut user.impersonate, flags.as_user.as_ref());
        override_with(&mut user.impersonate_uid, flags.as_uid.as_ref());
        if !flags.as_group.is_empty() {
            user.impersonate_groups = Some(flags.as_group.clone());
        }
        if !flags.as_user_extra.is_empty() {
            let mut extra: HashMap<String, Vec<String>> = HashMap::new();
            let pairs = flags.as_user_extra.iter();
            for (key, value) in pairs.filter_map(|pair| pair.split_once('=')) {
                let values = extra.entry(key.to_owned()).or_default();
                values.push(value.to_owned());
            }
            user.impersonate_user_extra = Some(extra);
        }
        Ok(user)
    }

    /// The name of the selected cluster; empty if it has none.
    #[must_use]
    pub fn cluster_name(&self) -> String {
        match non_empty(self.flags.cluster.as_ref()) {
            Some(cluster) => cluster.to_owned(),
            None => self.context().unwrap_or_default().cluster,
        }
    }

    /// The cluster, with the flags applied. Only one selected by a flag must exist.
    pub(super) fn cluster(&self) -> Result<Cluster, Error> {
        let clusters = self.file.clusters.iter();
        let clusters = clusters.map(|named| (&*named.name, &named.cluster));
        let flag = self.flags.cluster.as_ref();
        let mut cluster = find("cluster", clusters, &self.cluster_name(), flag)?;
        if cluster.server.as_deref().unwrap_or_default().is_empty() {
            cluster.server = Some(default_server());
        }
        let flags = &self.flags;
        override_with(&mut cluster.server, flags.server.as_ref());
        let authority = non_empty(flags.certificate_authority.as_ref());
        if flags.insecure_skip_tls_verify || authority.is_some() {
            cluster.insecure_skip_tls_verify = Some(flags.insecure_skip_tls_verify);
            cluster.certificate_authority = authority.map(str::to_owned);
            cluster.certificate_authority_data = None;
        }
        let server_name = non_empty(flags.tls_server_name.as_ref());
        if server_name.is_some() || non_empty(flags.server.as_ref()).is_some() {
            cluster.tls_server_name = server_name.map(str::to_owned);
        }
        Ok(cluster)
    }

    /// Fails with all problems of the selected context, user and cluster.
    pub(super) fn confirm_usable(&self) -> Result<(), Error> {
        let name = self.context_name();
        let exists = name.is_empty() || self.file.contexts.iter().any(|named| named.name == name);
        let mut problems = check::user(&self.user_name(), &self.user().unwrap_or_default());
        let cluster = match self.cluster() {
            Ok(cluster) => check::cluster(&self.cluster_name(), &cluster),
            Err(_) => vec![format!(
                "no server found for cluster {:?}",
                self.cluster_name()
            )],
        };
        problems.extend(cluster);
        if !exists {
            if problems.is_empty() {
                return Err(Error::NoContext(name.to_owned()));
            }
            let not_found = format!("context was not found for specified context: {name}");
            problems.insert(0, not_found);
        }
        Error::of_config(problems)
    }

    /// The timeout of a request; none for no limit.
    pub(super) fn timeout(&self) -> Result<Option<Duration>, Error> {
        let Some(text) = non_empty(self.flags.request_timeout.as_ref()) else {
            return Ok(None);
        };
        let nanoseconds = match text.parse::<i64>() {
            Ok(seconds) => seconds.checked_mul(1_000_000_000),
            Err(_) => text.parse::<GoDuration>().ok().map(|duration| duration.0),
        };
        let nanoseconds = nanoseconds.ok_or_else(|| {
            Error::Config(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)".to_owned(),
            )
        })?;
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or_default();
        Ok((nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds)))
    }

    /// Whether file and flags choose nothing and the program runs in a pod.
    pub(super) fn in_cluster(&self) -> bool {
        let flags = &self.flags;
        self.file.clusters.is_empty()
            && self.file.auth_infos.is_empty()
            && non_empty(flags.server.as_ref()).is_none()
            && non_empty(flags.token.as_ref()).is_none()
            && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
            && std::env::var_os("KUBERNETES_SERVICE_PORT").is_some()
            && std::path::Path::new(&mounted("token")).is_file()
    }
}

/// A file that Kubernetes mounts into a pod.
pub(super) fn mounted(file: &str) -> String {
    format!("/var/run/secrets/kubernetes.io/serviceaccount/{file}")
}

/// The cluster of the pod in which this program runs, with the pod's service account.
pub(super) fn in_cluster() -> SelectedCluster {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let host = variable("KUBERNETES_SERVICE_HOST");
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let port = variable("KUBERNETES_SERVICE_PORT");
    let authority = mounted("ca.crt");
    SelectedCluster {
        cluster: Cluster {
            server: Some(format!("https://{host}:{port}")),
            certificate_authority: std::path::Path::new(&authority)
                .is_file()
                .then_some(authority),
            ..Cluster::default()
        },
        cluster_name: String::new(),
        user: AuthInfo {
            token_file: Some(mounted("token")),
            ..AuthInfo::default()
        },
        user_name: String::new(),
        user_file: None,
    }
}

fn override_with(setting: &mut Option<String>, flag: Option<&String>) {
    if let Some(value) = non_empty(flag) {
        *setting = Some(value.to_owned());
    }
}

/// Finds an entry by its name. One that a flag names must exist.
fn find<'a, T: Clone + Default + 'a>(
    kind: &str,
    mut entries: impl Iterator<Item = (&'a str, &'a Option<T>)>,
    name: &str,
    flag: Option<&String>,
) -> Result<T, Error> {
    match entries.find(|(entry, _)| *entry == name) {
        None if non_empty(flag).is_some() => {
            Err(Error::Config(format!("{kind} {name:?} does not exist")))
        }
        entry => Ok(entry
            .and_then(|(_, value)| value.clone())
            .unwrap_or_default()),
    }
}

fn default_server() -> String {
    let master = std::env::var("KUBERNETES_MASTER")
        .ok()
        .filter(|server| !server.is_empty());
    master.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
}
