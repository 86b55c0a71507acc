//! Reads members of objects for their cells.

use serde_json::{Value, json};

/// Reading an object's members without ceremony: absent is empty.
pub(super) trait Members {
    /// The value at a JSON pointer, if it is not null.
    fn at(&self, pointer: &str) -> Option<&Value>;
    /// The string at a JSON pointer, or the empty one.
    fn text(&self, pointer: &str) -> &str;
    /// The string at a JSON pointer, or `otherwise` where it is absent or empty.
    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str;
    /// The integer at a JSON pointer, or 0.
    fn int(&self, pointer: &str) -> i64;
    /// The items of the list at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];
    /// The name of the object.
    fn name(&self) -> Value;
}

impl Members for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.pointer(pointer).filter(|v| !v.is_null())
    }

    fn text(&self, pointer: &str) -> &str {
        self.pointer(pointer)
            .and_then(Self::as_str)
            .unwrap_or_default()
    }

    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str {
        let text = self.text(pointer);
        if text.is_empty() { otherwise } else { text }
    }

    fn int(&self, pointer: &str) -> i64 {
        self.pointer(pointer)
            .and_then(Self::as_i64)
            .unwrap_or_default()
    }

    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer)
            .and_then(Self::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn name(&self) -> Value {
        json!(self.text("/metadata/name"))
    }
}

/// Texts joined by commas, or `<none>`.
pub(super) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let joined = texts.collect::<Vec<_>>().join(",");
    if joined.is_empty() {
        "<none>".to_owned()
    } else {
        joined
    }
}
