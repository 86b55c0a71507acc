//! The form of the file, and what is made of it.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use kubevitals_proto::selector::LabelSelector;
use rustls_pki_types::ServerName;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

use super::rule::{TIMEOUT, built_in};
use super::{Access, Attribute, Bounds, Config, Keep, PortRef, Rule, Scheme};
use crate::flag_values::{bytes, duration_in};
use crate::outbound::{self, Credentials, HttpConfig};
use crate::pod_metrics::target::check_path;
use crate::scrape::client_config;
use crate::telemetry::first_line;

/// The most bytes of the file.
const MAX_BYTES: u64 = 1 << 20;

/// The most kept series of a namespace.
pub(super) const NAMESPACE_SERIES: usize = 50_000;

/// The most rules: each pod is compared with all.
const MAX_RULES: usize = 1000;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    annotations: Annotations,
    allowed_addresses: Vec<Parsed<IpNet>>,
    keep: KeepList,
    limits: Limits,
    rules: Vec<FileRule>,
    built_in_rules: bool,
}

impl Default for File {
    fn default() -> Self {
        Self {
            annotations: Annotations::default(),
            allowed_addresses: Vec::new(),
            keep: KeepList::default(),
            limits: Limits::default(),
            rules: Vec::new(),
            built_in_rules: true,
        }
    }
}

/// How pods are scraped that ask for it by an annotation. Credentials cannot be set: any pod can ask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Annotations {
    enabled: bool,
    host_network: bool,
    honor_timestamps: bool,
    interval: Option<Interval>,
    timeout: Option<Interval>,
    ca_file: Option<PathBuf>,
    insecure_skip_verify: bool,
}

impl Default for Annotations {
    fn default() -> Self {
        Self {
            enabled: true,
            host_network: false,
            honor_timestamps: true,
            interval: None,
            timeout: None,
            ca_file: None,
            insecure_skip_verify: false,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    body_size: Option<Size>,
    series_per_pod: Option<usize>,
    series_per_namespace: Option<usize>,
    label_value_length: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    name: String,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    selector: Parsed<LabelSelector>,
    port: Option<FilePort>,
    #[serde(default)]
    path: FilePath,
    scheme: Option<FileScheme>,
    interval: Option<Interval>,
    timeout: Option<Interval>,
    #[serde(default)]
    keep: KeepList,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    attribute: FileAttribute,
    honor_timestamps: Option<bool>,
    #[serde(default)]
    host_network: bool,
    http_config: Option<HttpConfig>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileScheme {
    Http,
    Https,
}

/// The pod to which a series belongs.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileAttribute {
    /// The scraped pod.
    #[default]
    Target,
    /// The pod that its labels name.
    Pod,
}

/// A value that is parsed from a string, so that the error has the number of its line.
#[derive(Debug, Clone, Default)]
struct Parsed<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = text
            .parse()
            .map_err(|error| D::Error::custom(format!("{text:?}: {error}")))?;
        Ok(Self(value))
    }
}

/// Implements `Deserialize` for a type by a parser of its text.
macro_rules! from_text {
    ($type:ident, $parse:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_any(Text(PhantomData))?;
                let parsed: Result<_, String> = $parse(&text);
                parsed
                    .map(Self)
                    .map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
            }
        }
    };
}

/// Reads a string; a number becomes its digits.
struct Text(PhantomData<()>);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[derive(Debug, Clone, Copy)]
struct Interval(Duration);
from_text!(Interval, duration_in(SHORTEST, LONGEST));

#[derive(Debug, Clone, Copy)]
struct Size(usize);
from_text!(Size, bytes);

#[derive(Debug, Clone)]
struct FilePort(PortRef);
from_text!(FilePort, |text: &str| match text.parse::<i64>() {
    Ok(number) => crate::flag_values::port(text)
        .map(PortRef::Number)
        .map_err(|error| format!(
            "{error}, or the name of a container's port ({number} is neither)"
        )),
    Err(_) if text.is_empty() => Err("write a port, or the name of a container's port".to_owned()),
    Err(_) => Ok(PortRef::Name(text.into())),
});

#[derive(Debug, Clone)]
struct FilePath(Arc<str>);
from_text!(FilePath, |text: &str| {
    // A rule may have a query: the administrator wrote it.
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    check_path(path).map_err(str::to_owned)?;
    if query
        .bytes()
        .any(|byte| !byte.is_ascii_graphic() || byte == b'#')
    {
        return Err("the query has characters that a URL cannot contain".to_owned());
    }
    Ok(Arc::from(text))
});

impl Default for FilePath {
    fn default() -> Self {
        Self("/metrics".into())
    }
}

#[derive(Debug, Clone, Default)]
struct KeepList(Keep);

impl<'de> Deserialize<'de> for KeepList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patterns = Vec::<String>::deserialize(deserializer)?;
        Keep::new(&patterns).map(Self).map_err(D::Error::custom)
    }
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
            allowed: file.allowed_addresses.iter().map(|net| net.0).collect(),
            namespace_series: file.limits.series_per_namespace.unwrap_or(NAMESPACE_SERIES),
        },
        hash: maker.hasher.finish(),
    })
}

impl Limits {
    fn bounds(&self, default: Bounds) -> Bounds {
        Bounds {
            body: self.body_size.map_or(default.body, |size| size.0),
            series: self.series_per_pod.unwrap_or(default.series),
            label: self.label_value_length.unwrap_or(default.label),
        }
    }
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
    ) -> Result<Option<Arc<rustls::ClientConfig>>, String> {
        for pem in ca.iter().chain(&identity) {
            self.hasher.write(pem);
        }
        match (ca, insecure) {
            (Some(_), true) => {
                Err("ca_file and insecure_skip_verify contradict each other".to_owned())
            }
            (None, false) => Ok(None),
            (ca, _) => client_config(ca, identity).map(|tls| Some(Arc::new(tls))),
        }
    }
}
