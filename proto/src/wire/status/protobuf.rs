//! A status in protobuf.

use super::{Details, Status};
use crate::wire::object::{Object, list_meta};
use crate::wire::protobuf::{int, message, string};

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
