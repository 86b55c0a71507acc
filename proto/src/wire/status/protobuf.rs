//! A status in protobuf.

use super::{Cause, Details, Status};
use crate::wire::envelope;
use crate::wire::object::{Object, list_meta};
use crate::wire::protobuf::{Fields, Malformed, int, message, string};

impl Object for Status {
    fn type_meta(&self) -> (&str, &str) {
        ("v1", "Status")
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        list_meta(out, 1, &self.metadata);
        string(out, 2, &self.status);
        string(out, 3, &self.message);
        string(out, 4, self.reason.as_str());
        if let Some(details) = &self.details {
            message(out, 5, |out| write_details(out, details));
        }
        int(out, 6, self.code.into());
    }
}

fn write_details(out: &mut Vec<u8>, details: &Details) {
    string(out, 1, &details.name);
    string(out, 2, &details.group);
    string(out, 3, &details.kind);
    for cause in &details.causes {
        message(out, 4, |out| {
            string(out, 1, &cause.reason);
            string(out, 2, &cause.message);
            string(out, 3, &cause.field);
        });
    }
    int(out, 5, details.retry_after_seconds.into());
    string(out, 6, &details.uid);
}

impl Status {
    /// Parses a status from a body in JSON or protobuf. Returns `None` for any other body. Metadata and details of an
    /// unexpected type are left out.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        if !body.starts_with(&envelope::MAGIC) {
            return serde_json::from_slice(body).ok();
        }
        let unknown = envelope::unwrap(body).ok()?;
        (unknown.kind == "Status").then(|| read(unknown.raw).ok())?
    }
}

/// Parses a status, without its metadata.
fn read(raw: &[u8]) -> Result<Status, Malformed> {
    let mut status = Status::default();
    for field in Fields::new(raw) {
        match field? {
            (2, value) => status.status = value.str()?.to_owned(),
            (3, value) => status.message = value.str()?.to_owned(),
            (4, value) => status.reason = value.str()?.to_owned().into(),
            (5, value) => status.details = Some(read_details(value.fields()?)?),
            (6, value) => status.code = value.int()?.try_into().unwrap_or_default(),
            _ => {}
        }
    }
    Ok(status)
}

fn read_details(fields: Fields<'_>) -> Result<Details, Malformed> {
    let mut details = Details::default();
    for field in fields {
        match field? {
            (1, value) => details.name = value.str()?.to_owned(),
            (2, value) => details.group = value.str()?.to_owned(),
            (3, value) => details.kind = value.str()?.to_owned(),
            (4, value) => details.causes.push(read_cause(value.fields()?)?),
            (5, value) => {
                details.retry_after_seconds = value.int()?.try_into().unwrap_or_default();
            }
            (6, value) => details.uid = value.str()?.to_owned(),
            _ => {}
        }
    }
    Ok(details)
}

fn read_cause(fields: Fields<'_>) -> Result<Cause, Malformed> {
    let mut cause = Cause::default();
    for field in fields {
        match field? {
            (1, value) => cause.reason = value.str()?.to_owned(),
            (2, value) => cause.message = value.str()?.to_owned(),
            (3, value) => cause.field = value.str()?.to_owned(),
            _ => {}
        }
    }
    Ok(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::object::Encoding;

    #[test]
    fn what_is_written_is_read() {
        for status in [
            Status::too_large_resource_version(5, 3),
            Status::not_found("metrics.k8s.io", "pods", "web"),
            Status::unauthorized(),
        ] {
            assert_eq!(Status::read(&status.to_json()), Some(status.clone()));
            let protobuf = status.encode(Encoding::Protobuf).unwrap();
            assert_eq!(Status::read(&protobuf), Some(status));
        }
        let odd = br#"{"kind":"Status","metadata":null,"details":7,"message":"no"}"#;
        assert_eq!(Status::read(odd).unwrap().message, "no");
        for other in [&b"{}"[..], br#"{"kind":"Pod"}"#, b"k8s\0\xff", b"<html>"] {
            assert_eq!(Status::read(other), None);
        }
        let pod = envelope::wrap("v1", "Pod", b"");
        assert_eq!(Status::read(&pod), None);
    }
}
