//! JSON as a kubelet prints it: `json.MarshalIndent` with one space a level.

use kubevitals_proto::time::{Timestamp, write_rfc3339_seconds};

use crate::goformat;

/// Writes indented JSON, member by member.
#[derive(Debug)]
pub(crate) struct Indented<'a> {
    out: &'a mut Vec<u8>,
    depth: usize,
    /// Whether the innermost object or array has nothing in it yet.
    empty: bool,
}

impl<'a> Indented<'a> {
    /// Begins with an object.
    pub(crate) fn object(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            depth: 1,
            empty: true,
        }
    }

    /// Ends the outermost object.
    pub(crate) fn finish(mut self) {
        self.close(b'}');
    }

    /// A member that is an object.
    pub(crate) fn member(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.nested(b"{}", write);
    }

    /// A member that is an array.
    pub(crate) fn array(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.nested(b"[]", write);
    }

    /// An element of an array that is an object.
    pub(crate) fn element(&mut self, write: impl FnOnce(&mut Self)) {
        self.next();
        self.nested(b"{}", write);
    }

    /// A member that is a string without anything to escape.
    pub(crate) fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    /// A member that is a whole number.
    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        goformat::integer(self.out, value);
    }

    /// A member that is a time, cut to seconds.
    pub(crate) fn time(&mut self, key: &str, value: Timestamp) {
        self.key(key);
        self.out.push(b'"');
        write_rfc3339_seconds(self.out, value);
        self.out.push(b'"');
    }

    fn nested(&mut self, brackets: &[u8; 2], write: impl FnOnce(&mut Self)) {
        let [open, close] = *brackets;
        self.out.push(open);
        self.depth += 1;
        self.empty = true;
        write(self);
        self.close(close);
    }

    fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        if !self.empty {
            self.line();
        }
        self.out.push(bracket);
        self.empty = false;
    }

    fn key(&mut self, key: &str) {
        self.next();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\": ");
    }

    fn next(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.line();
    }

    fn line(&mut self) {
        const SPACES: &[u8; 16] = b"                ";
        self.out.push(b'\n');
        let depth = self.depth.min(SPACES.len());
        self.out
            .extend_from_slice(SPACES.get(..depth).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_go_indents() {
        let mut out = Vec::new();
        let mut json = Indented::object(&mut out);
        json.member("a", |a| {
            a.string("b", "c");
            a.array("d", |d| {
                d.element(|e| e.number("n", 1));
                d.element(|e| e.time("t", Timestamp::from_secs(0)));
            });
            a.member("none", |_| ());
        });
        json.finish();
        let want = "{\n \"a\": {\n  \"b\": \"c\",\n  \"d\": [\n   {\n    \"n\": 1\n   },\n   {\n    \"t\": \"1970-01-01T00:00:00Z\"\n   }\n  ],\n  \"none\": {}\n }\n}";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
