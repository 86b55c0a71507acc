//! Reads and writes members of JSON objects.

use serde_json::Value;

/// Access to members by JSON pointer. An absent member reads as empty.
pub(crate) trait Members {
    /// The value at a JSON pointer, if it is not null.
    fn at(&self, pointer: &str) -> Option<&Value>;
    /// The string at a JSON pointer, if there is one.
    fn str_at(&self, pointer: &str) -> Option<&str>;
    /// The string at a JSON pointer, or the empty one.
    fn text(&self, pointer: &str) -> &str;
    /// The string at a JSON pointer, or `otherwise` where it is absent or empty.
    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str;
    /// The integer at a JSON pointer, or 0.
    fn int(&self, pointer: &str) -> i64;
    /// The items of the list at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];
    /// The members of the object at a JSON pointer.
    fn members(&self, pointer: &str) -> impl Iterator<Item = (&String, &Value)>;
    /// Sets a member of an object.
    fn put(&mut self, key: &str, value: impl Into<Value>);
    /// The object without those of its own members that are null.
    fn without_nulls(self) -> Value;
}

impl Members for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.pointer(pointer).filter(|v| !v.is_null())
    }

    fn str_at(&self, pointer: &str) -> Option<&str> {
        self.pointer(pointer)?.as_str()
    }

    fn text(&self, pointer: &str) -> &str {
        self.str_at(pointer).unwrap_or_default()
    }

    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str {
        let text = self.text(pointer);
        if text.is_empty() { otherwise } else { text }
    }

    fn int(&self, pointer: &str) -> i64 {
        let value = self.pointer(pointer).and_then(Self::as_i64);
        value.unwrap_or_default()
    }

    fn list(&self, pointer: &str) -> &[Value] {
        let items = self.pointer(pointer).and_then(Self::as_array);
        items.map(Vec::as_slice).unwrap_or_default()
    }

    fn members(&self, pointer: &str) -> impl Iterator<Item = (&String, &Value)> {
        let members = self.pointer(pointer).and_then(Self::as_object);
        members.into_iter().flatten()
    }

    fn put(&mut self, key: &str, value: impl Into<Value>) {
        if let Some(members) = self.as_object_mut() {
            members.insert(key.to_owned(), value.into());
        }
    }

    fn without_nulls(mut self) -> Value {
        if let Some(members) = self.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        self
    }
}
