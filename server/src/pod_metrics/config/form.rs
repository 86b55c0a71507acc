//! The form of the file: its fields, and how their values are read.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use kubevitals_proto::selector::LabelSelector;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Bounds, Keep, PortRef, check_path};
use crate::flag_values::{bytes, duration_in};
use crate::outbound::HttpConfig;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) annotations: Annotations,
    pub(super) allowed_addresses: Vec<Parsed<IpNet>>,
    pub(super) keep: KeepList,
    pub(super) aggregate: FileAggregates,
    pub(super) limits: Limits,
    pub(super) rules: Vec<FileRule>,
    pub(super) built_in_rules: bool,
}

impl Default for File {
    fn default() -> Self {
        Self {
            annotations: Annotations::default(),
            allowed_addresses: Vec::new(),
            keep: KeepList::default(),
            aggregate: FileAggregates::default(),
            limits: Limits::default(),
            rules: Vec::new(),
            built_in_rules: true,
        }
    }
}

/// How pods are scraped that ask for it by an annotation. Credentials cannot be set: any pod can ask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Annotations {
    pub(super) enabled: bool,
    pub(super) host_network: bool,
    pub(super) honor_timestamps: bool,
    pub(super) interval: Option<Interval>,
    pub(super) timeout: Option<Interval>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) insecure_skip_verify: bool,
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

/// How the values of an object's pods become one: the names of metrics, as autoscalers write them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileAggregates {
    pub(super) max: KeepList,
    pub(super) mean: KeepList,
    pub(super) sum: KeepList,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) body_size: Option<Size>,
    pub(super) series_per_pod: Option<usize>,
    pub(super) series_per_namespace: Option<usize>,
    pub(super) label_value_length: Option<usize>,
}

impl Limits {
    /// The bounds, from the default where the file says nothing.
    pub(super) fn bounds(&self, default: Bounds) -> Bounds {
        Bounds {
            body: self.body_size.map_or(default.body, |size| size.0),
            series: self.series_per_pod.unwrap_or(default.series),
            label: self.label_value_length.unwrap_or(default.label),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRule {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespaces: Vec<String>,
    #[serde(default)]
    pub(super) selector: Parsed<LabelSelector>,
    pub(super) port: Option<FilePort>,
    #[serde(default)]
    pub(super) path: FilePath,
    pub(super) scheme: Option<FileScheme>,
    pub(super) interval: Option<Interval>,
    pub(super) timeout: Option<Interval>,
    #[serde(default)]
    pub(super) keep: KeepList,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) attribute: FileAttribute,
    pub(super) honor_timestamps: Option<bool>,
    #[serde(default)]
    pub(super) host_network: bool,
    pub(super) http_config: Option<HttpConfig>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileScheme {
    Http,
    Https,
}

/// The pod to which a series belongs.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileAttribute {
    /// The scraped pod.
    #[default]
    Target,
    /// The pod that its labels name.
    Pod,
}

/// A value that is parsed from a string, so that the error has the number of its line.
#[derive(Debug, Clone, Default)]
pub(super) struct Parsed<T>(pub(super) T);

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
pub(super) struct Interval(pub(super) Duration);
from_text!(Interval, duration_in(SHORTEST, LONGEST));

#[derive(Debug, Clone, Copy)]
pub(super) struct Size(usize);
from_text!(Size, bytes);

#[derive(Debug, Clone)]
pub(super) struct FilePort(pub(super) PortRef);
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
pub(super) struct FilePath(pub(super) Arc<str>);
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
pub(super) struct KeepList(pub(super) Keep);

impl<'de> Deserialize<'de> for KeepList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patterns = Vec::<String>::deserialize(deserializer)?;
        Keep::new(&patterns).map(Self).map_err(D::Error::custom)
    }
}
