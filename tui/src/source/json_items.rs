//! The objects of a JSON list, converted while the list arrives.

use kubevitals_proto::wire::list_reader::MAX_OBJECT;
use memchr::memchr2;

use super::Error;
use super::list_items::ReadBody;
use super::response::ApiResponse;

/// The key of the objects in a list.
const ITEMS: &[u8] = b"items";

/// Converts the objects of a list with `convert`. It finds where they begin and end, and skips the rest of the list.
pub(super) struct JsonItems<T, F> {
    convert: F,
    position: Position,
    /// The beginning of an object whose end has not arrived.
    object: Vec<u8>,
    /// The converted objects.
    pub(super) items: Vec<T>,
}

/// A position in a list.
#[derive(Default)]
struct Position {
    /// The number of objects and arrays around it: one in the list, two between its items, three or more in an item.
    depth: u32,
    is_in_string: bool,
    /// Whether the next byte of the string is escaped.
    is_escaped: bool,
    /// The beginning of the last string that is directly in the list. Before a value, this is its key.
    key: Vec<u8>,
    is_in_items: bool,
    is_complete: bool,
}

/// What a byte outside of strings is.
#[derive(Debug, PartialEq, Eq)]
enum Byte {
    FirstOfItem,
    LastOfItem,
    /// The body is no list.
    Foreign,
    Other,
}

impl Position {
    /// Moves behind a byte outside of strings.
    #[inline]
    fn pass(&mut self, byte: u8) -> Byte {
        match byte {
            b'{' if self.depth == 0 => self.depth = 1,
            _ if self.depth == 0 && !byte.is_ascii_whitespace() => return Byte::Foreign,
            b'"' => {
                self.is_in_string = true;
                if self.depth == 1 {
                    self.key.clear();
                }
            }
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                if self.depth == 2 {
                    self.is_in_items = byte == b'[' && self.key == ITEMS;
                }
                if self.depth == 3 && self.is_in_items && byte == b'{' {
                    return Byte::FirstOfItem;
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.is_complete = self.depth == 0;
                if self.depth == 2 && self.is_in_items && byte == b'}' {
                    return Byte::LastOfItem;
                }
            }
            _ => {}
        }
        Byte::Other
    }

    /// Moves on in a string: to its end, behind an escape, or to the end of the chunk. Returns the number of bytes.
    fn pass_in_string(&mut self, rest: &[u8]) -> usize {
        if std::mem::take(&mut self.is_escaped) {
            return 1;
        }
        let end = memchr2(b'"', b'\\', rest);
        let length = end.map_or(rest.len(), |end| end + 1);
        let passed = rest.get(..length).unwrap_or_default();
        self.is_in_string = passed.last() != Some(&b'"');
        self.is_escaped = passed.last() == Some(&b'\\');
        if self.depth == 1 {
            // One byte more than those of `items`, so that a longer key differs.
            let text = passed.strip_suffix(b"\"").unwrap_or(passed);
            let space = (ITEMS.len() + 1).saturating_sub(self.key.len());
            self.key.extend(text.iter().take(space));
        }
        length
    }
}

impl<T, F: Fn(&[u8]) -> Result<T, Error>> JsonItems<T, F> {
    /// A reader of one list.
    pub(super) fn new(convert: F) -> Self {
        Self {
            convert,
            position: Position::default(),
            object: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Converts the object that ends with these bytes.
    fn convert(&mut self, end: &[u8]) -> Result<(), Error> {
        let item = if self.object.is_empty() {
            (self.convert)(end)?
        } else {
            self.object.extend_from_slice(end);
            (self.convert)(&self.object)?
        };
        self.object.clear();
        self.items.push(item);
        Ok(())
    }
}

impl<T: Send, F: Fn(&[u8]) -> Result<T, Error> + Send> ReadBody for JsonItems<T, F> {
    fn reads(&self, response: &ApiResponse) -> bool {
        !response.is_protobuf()
    }

    fn restart(&mut self) {
        self.position = Position::default();
        self.object.clear();
        self.items.clear();
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), Error> {
        // Where the current object, or the rest of it, begins in the chunk.
        let mut begin = (!self.object.is_empty()).then_some(0);
        let mut at = 0;
        while let Some(byte) = chunk.get(at).filter(|_| !self.position.is_complete) {
            if self.position.is_in_string {
                at += self
                    .position
                    .pass_in_string(chunk.get(at..).unwrap_or_default());
                continue;
            }
            match self.position.pass(*byte) {
                Byte::FirstOfItem => begin = Some(at),
                Byte::LastOfItem => {
                    let begin = begin.take().unwrap_or_default();
                    self.convert(chunk.get(begin..=at).unwrap_or_default())?;
                }
                Byte::Foreign => return Err(Error::unreadable("it is not a list")),
                Byte::Other => {}
            }
            at += 1;
        }
        if let Some(begin) = begin {
            self.object
                .extend_from_slice(chunk.get(begin..).unwrap_or_default());
        }
        if self.object.len() > MAX_OBJECT {
            return Err(Error::unreadable("an object of the list is too long"));
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Error> {
        if self.position.is_complete {
            Ok(())
        } else {
            Err(Error::unreadable("the list ends early"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader() -> JsonItems<String, impl Fn(&[u8]) -> Result<String, Error>> {
        JsonItems::new(|item: &[u8]| String::from_utf8(item.to_vec()).map_err(Error::unreadable))
    }

    #[test]
    fn objects_are_found_wherever_the_list_is_cut() {
        let items = [
            r#"{"name":"a","of":{"items":[{"b":1}]}}"#,
            "{}",
            r#"{"text":"} ] \\\" {","all":[[],{}]}"#,
        ];
        let list = format!(
            r#" {{"kind":"items","metadata":{{"items":[{{}}]}},"itemsOf":[{{}}],"item\\s":[{{}}],"items":[{}, null],"rest":["items",{{}}]}}"#,
            items.join(" ,\n")
        );
        serde_json::from_str::<serde_json::Value>(&list).unwrap();
        let mut reader = reader();
        for length in 1..=list.len() {
            reader.restart();
            for chunk in list.as_bytes().chunks(length) {
                assert!(reader.end().is_err());
                reader.read(chunk).unwrap();
            }
            reader.end().unwrap();
            assert_eq!(reader.items, items, "{length}");
        }
    }

    #[test]
    fn no_more_than_an_object_is_stored() {
        let objects = vec![r#"{"name":"web","namespace":"shop"}"#; 1_000];
        let list = format!(r#"{{"items":[{}]}}"#, objects.join(","));
        let mut reader = JsonItems::new(|item: &[u8]| Ok(item.len()));
        for chunk in list.as_bytes().chunks(1_000) {
            reader.read(chunk).unwrap();
        }
        assert_eq!(reader.items.len(), objects.len());
        assert!(reader.object.capacity() < 4 * objects[0].len());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in ["[]", "null", "}", "{\"items\":[{}", ""] {
            let mut reader = reader();
            let read = reader.read(text.as_bytes()).and_then(|()| reader.end());
            assert!(read.is_err(), "{text}");
        }
        let mut reader = reader();
        reader.read(b"{\"items\":[{").unwrap();
        assert!(reader.read(&vec![b' '; MAX_OBJECT]).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}\\[\\]\"items\\\\, ]{0,60}") {
            let mut reader = reader();
            let _ = reader.read(text.as_bytes());
        }
    }
}
