//! The form of the file, and what is made of it.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;

use super::bounds::NAMESPACE_SERIES;
use super::form::{Annotations, File, FileAttribute, FileRule, FileScheme, Interval};
use super::rule::{TIMEOUT, built_in};
use super::{Access, Aggregates, Attribute, Bounds, Config, PortRef, Rule, Scheme, Trust};
use crate::outbound::{self, Credentials, HttpConfig};
use crate::pod_metrics::series::MAX_INTERVALS;
use crate::scrape::client_config;
use crate::telemetry::first_line;

/// The most bytes of the file.
const MAX_BYTES: u64 = 1 << 20;

/// The most rules: each pod is compared with all.
const MAX_RULES: usize = 1000;

/// Why the file cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path:?}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// It has another form, or a value is invalid.
    #[error("{path:?} is no valid config of pods' own metrics: {cause}")]
    Form {
        /// The file.
        path: PathBuf,
        /// The cause, with the number of the line.
        cause: String,
    },
    /// A file that it names, or the combination of its values.
    #[error("{path:?}: rule {rule:?}: {cause}")]
    Rule {
        /// The file.
        path: PathBuf,
        /// The rule.
        rule: String,
        /// The cause.
        cause: String,
    },
}

/// A config, and a hash of all that it was made of.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) hash: u64,
}

/// Reads the file at `path`. Relative names in it start at its folder. `interval` is the default of all rules.
///
/// # Errors
/// The file cannot be read, or is invalid.
pub(super) fn load(
    path: &Path,
    interval: Duration,
    window: Duration,
) -> Result<Loaded, ConfigError> {
    let text = outbound::read_file(path, MAX_BYTES).map_err(|cause| ConfigError::File {
        path: path.to_owned(),
        cause,
    })?;
    let form = |cause: String| ConfigError::Form {
        path: path.to_owned(),
        cause,
    };
    let mut hasher = DefaultHasher::new();
    hasher.write(&text);
    let text = String::from_utf8(text).map_err(|error| form(error.to_string()))?;
    let file: File = if text.trim().is_empty() {
        File::default()
    } else {
        serde_saphyr::from_str(&text).map_err(|error| form(first_line(&error.to_string())))?
    };
    if file.rules.len() > MAX_RULES {
        return Err(form(format!("it has more than {MAX_RULES} rules")));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut maker = Maker {
        path,
        folder,
        interval,
        window,
        bounds: file.limits.bounds(Bounds::default()),
        hasher,
        names: BTreeSet::new(),
    };
    let mut rules = Vec::new();
    for rule in file.rules {
        rules.push(Arc::new(maker.rule(rule)?));
    }
    if file.built_in_rules {
        rules.extend(built_in(interval));
    }
    let annotated = file
        .annotations
        .enabled
        .then(|| maker.annotated(&file.annotations));
    Ok(Loaded {
        config: Config {
            rules,
            annotated: annotated.transpose()?.map(Arc::new),
            keep: file.keep.0,
            aggregates: Aggregates::new(
                file.aggregate.max.0,
                file.aggregate.mean.0,
                file.aggregate.sum.0,
            ),
            allowed: file.allowed_addresses.iter().map(|net| net.0).collect(),
            namespace_series: file.limits.series_per_namespace.unwrap_or(NAMESPACE_SERIES),
        },
        hash: maker.hasher.finish(),
    })
}

/// Makes rules of the file's.
struct Maker<'a> {
    path: &'a Path,
    folder: &'a Path,
    interval: Duration,
    window: Duration,
    bounds: Bounds,
    hasher: DefaultHasher,
    names: BTreeSet<String>,
}

impl Maker<'_> {
    fn rule(&mut self, rule: FileRule) -> Result<Rule, ConfigError> {
        let path = self.path.to_owned();
        let name = rule.name.clone();
        let error = |cause: String| ConfigError::Rule {
            path,
            rule: name,
            cause,
        };
        if rule.name.is_empty() {
            return Err(error("it has no name".to_owned()));
        }
        if !self.names.insert(rule.name.clone()) {
            return Err(error("another rule has this name".to_owned()));
        }
        if rule.limits.series_per_namespace.is_some() {
            return Err(error(
                "series_per_namespace goes into the limits of the file".to_owned(),
            ));
        }
        let scheme = match rule.scheme {
            Some(FileScheme::Https) => Scheme::Https,
            Some(FileScheme::Http) | None => Scheme::Http,
        };
        let interval = rule.interval.map_or(self.interval, |it| it.0);
        let (interval, timeout) = match self.times(interval, rule.timeout) {
            Ok(times) => times,
            Err(cause) => return Err(error(cause)),
        };
        if matches!(rule.attribute, FileAttribute::Pod) && rule.keep.0.is_empty() {
            return Err(error(
                "attribute: pod needs keep: the families that the exporter has of other pods"
                    .to_owned(),
            ));
        }
        let access = match rule.http_config {
            Some(http) => self.access(&http, scheme),
            None if scheme == Scheme::Https => Err(
                "scheme https needs http_config.tls_config with ca_file or insecure_skip_verify"
                    .to_owned(),
            ),
            None => Ok(Access::default()),
        };
        Ok(Rule {
            namespaces: rule.namespaces,
            selector: rule.selector.0,
            port: rule.port.map_or(PortRef::First, |port| port.0),
            path: rule.path.0,
            scheme,
            interval,
            timeout,
            bounds: rule.limits.bounds(self.bounds),
            keep: rule.keep.0,
            attribute: match rule.attribute {
                FileAttribute::Target => Attribute::Itself,
                FileAttribute::Pod => Attribute::Named,
            },
            honor_timestamps: rule.honor_timestamps.unwrap_or(true),
            host_network: rule.host_network,
            access: access.map_err(error)?,
            name: rule.name.into(),
        })
    }

    /// The rule for pods that ask by an annotation.
    fn annotated(&mut self, annotations: &Annotations) -> Result<Rule, ConfigError> {
        let path = self.path.to_owned();
        let error = |cause| ConfigError::Rule {
            path,
            rule: "annotations".to_owned(),
            cause,
        };
        let interval = annotations.interval.map_or(self.interval, |it| it.0);
        let (interval, timeout) = match self.times(interval, annotations.timeout) {
            Ok(times) => times,
            Err(cause) => return Err(error(cause)),
        };
        let ca = annotations.ca_file.as_ref().map(|ca| self.folder.join(ca));
        let ca = ca.map(|ca| {
            outbound::read_file(&ca, MAX_BYTES)
                .map_err(|cause| format!("cannot read {ca:?}: {cause}"))
        });
        let ca = match ca.transpose() {
            Ok(ca) => ca,
            Err(cause) => return Err(error(cause)),
        };
        let tls = self
            .tls(ca, None, annotations.insecure_skip_verify)
            .map_err(error)?;
        Ok(Rule {
            interval,
            timeout,
            bounds: self.bounds,
            honor_timestamps: annotations.honor_timestamps,
            host_network: annotations.host_network,
            access: Access {
                tls,
                ..Access::default()
            },
            ..Rule::annotated(self.interval)
        })
    }

    fn times(
        &self,
        interval: Duration,
        timeout: Option<Interval>,
    ) -> Result<(Duration, Duration), String> {
        let timeout = timeout.map_or(TIMEOUT.min(interval), |it| it.0);
        if timeout > interval {
            return Err("the timeout is longer than the interval".to_owned());
        }
        if interval > self.window / 2 {
            return Err("--pod-metrics-window is shorter than two of the rule's intervals, so there are no rates".to_owned());
        }
        if self.window > interval * MAX_INTERVALS {
            return Err(format!(
                "--pod-metrics-window is longer than {MAX_INTERVALS} of the rule's intervals, and no more samples are kept"
            ));
        }
        Ok((interval, timeout))
    }

    fn access(&mut self, http: &HttpConfig, scheme: Scheme) -> Result<Access, String> {
        let credentials = http
            .credentials(self.folder)
            .map_err(|error| error.to_string())?;
        let Credentials {
            headers,
            ca,
            identity,
            server_name,
            insecure_skip_verify,
        } = credentials;
        for value in headers.values() {
            self.hasher.write(value.as_bytes());
        }
        let tls = self.tls(
            ca.map(|(_, pem)| pem),
            identity.map(|(_, pem)| pem),
            insecure_skip_verify,
        )?;
        if scheme == Scheme::Https && tls.is_none() {
            return Err("tls_config needs ca_file or insecure_skip_verify".to_owned());
        }
        if scheme == Scheme::Http && (tls.is_some() || server_name.is_some()) {
            return Err("tls_config has no effect without scheme: https".to_owned());
        }
        let name = |name: String| {
            ServerName::try_from(name).map_err(|error| format!("tls_config.server_name: {error}"))
        };
        Ok(Access {
            headers,
            tls,
            server_name: server_name.map(name).transpose()?,
        })
    }

    /// The configuration of TLS; none if nothing says which certificates to accept.
    fn tls(
        &mut self,
        ca: Option<Vec<u8>>,
        identity: Option<Vec<u8>>,
        insecure: bool,
    ) -> Result<Option<Trust>, String> {
        for pem in ca.iter().chain(&identity) {
            self.hasher.write(pem);
        }
        match (ca, insecure) {
            (Some(_), true) => {
                Err("ca_file and insecure_skip_verify contradict each other".to_owned())
            }
            (None, false) => Ok(None),
            (ca, _) => {
                let of = [&ca, &identity].map(|pem| pem.as_deref().map(Arc::from));
                let config = Arc::new(client_config(ca, identity)?);
                Ok(Some(Trust { config, of }))
            }
        }
    }
}
