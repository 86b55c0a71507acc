//! An object as YAML.

use serde_json::{Value, json};

use super::writer::text_line;
use crate::model::direct::Document;
use crate::model::text_line::TextLine;
use crate::model::tone::Tone;

/// Writes an object as YAML. The managed fields are folded into one line. The data of a Secret are left out.
///
/// # Errors
/// The object cannot be written as YAML.
pub fn yaml(mut object: Value) -> Result<Document, String> {
    if object.get("kind").and_then(Value::as_str) == Some("Secret") {
        for member in ["data", "stringData"] {
            if let Some(Value::Object(data)) = object.get_mut(member) {
                data.values_mut()
                    .for_each(|value| *value = json!("<hidden>"));
            }
        }
    }
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let managed = metadata.and_then(|metadata| metadata.remove("managedFields"));
    let mut lines = lines_of(&object, 0)?;
    let folded = match managed {
        None => None,
        Some(managed) => {
            let at = lines
                .iter()
                .position(|line| line.text == "metadata:")
                .map_or(0, |at| at + 1);
            lines.insert(at, text_line("  managedFields: # folded: u", Tone::Dim));
            Some((at, lines_of(&managed, 2)?))
        }
    };
    Ok(Document {
        lines,
        folded,
        ports: Vec::new(),
    })
}

fn lines_of(value: &Value, indent: usize) -> Result<Vec<TextLine>, String> {
    let text = serde_saphyr::to_string(value).map_err(|error| error.to_string())?;
    let blanks = " ".repeat(indent);
    let tone = if indent > 0 { Tone::Dim } else { Tone::Plain };
    Ok(text
        .lines()
        .map(|line| text_line(&format!("{blanks}{line}"), tone))
        .collect())
}
