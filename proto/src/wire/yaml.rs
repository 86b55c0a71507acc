//! Converts JSON to YAML with the members of each object sorted by name, as Kubernetes writes it.
//!
//! An object is converted whole; a list is a [`Frame`] around items that are converted one by one, so that it can be
//! sent while it is made.

use serde::Serialize;
use serde::ser::Error;
use serde_json::{Map, Value};

/// The media type.
pub const CONTENT_TYPE: &str = "application/yaml";

/// Appends the JSON value `json` as YAML.
///
/// # Errors
/// When it is not JSON.
pub fn document(out: &mut Vec<u8>, json: &[u8]) -> serde_json::Result<()> {
    let mut value: Value = serde_json::from_slice(json)?;
    value.sort_all_objects();
    write(out, &value)
}

/// Appends the JSON value `json` as an item of the list of a [`Frame`].
///
/// # Errors
/// When it is not JSON.
pub fn item(out: &mut Vec<u8>, json: &[u8]) -> serde_json::Result<()> {
    let mut value: Value = serde_json::from_slice(json)?;
    value.sort_all_objects();
    write(out, &[value])
}

/// The text before and after the items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Before the first item.
    pub head: Vec<u8>,
    /// After the last item.
    pub tail: Vec<u8>,
}

impl Frame {
    /// The frame of the JSON object `list`, whose member `items` is an empty array: the place of the items. If
    /// there are none, the list as it is makes the [`document`].
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn of(list: &[u8], items: &str) -> serde_json::Result<Self> {
        let mut list: Map<String, Value> = serde_json::from_slice(list)?;
        list.values_mut().for_each(Value::sort_all_objects);
        list.sort_keys();
        let (before, after): (Map<_, _>, Map<_, _>) = list
            .into_iter()
            .filter(|(name, _)| name != items)
            .partition(|(name, _)| name.as_str() < items);
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        for (members, out) in [(before, &mut head), (after, &mut tail)] {
            if !members.is_empty() {
                write(out, &members)?;
            }
        }
        head.extend_from_slice(format!("{items}:\n").as_bytes());
        Ok(Self { head, tail })
    }
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    serde_saphyr::to_io_writer(out, value).map_err(Error::custom)
}
