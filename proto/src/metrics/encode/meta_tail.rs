//! The end of an object's metadata in protobuf.

use crate::labels::Labels;
use crate::time::Timestamp;
use crate::wire::protobuf::{field_len, head, string, write_time};

/// The end of the last object's metadata in protobuf: the creation time, and the labels. The next object often has the
/// same, because pods of a workload share their labels and follow one another. It is then encoded once for all of them.
#[derive(Debug, Default)]
pub struct MetaTail {
    of: Option<(Timestamp, Labels)>,
    bytes: Vec<u8>,
}

impl MetaTail {
    /// The fields of a creation time and labels.
    #[inline]
    pub(super) fn of(&mut self, creation: Timestamp, labels: &Labels) -> &[u8] {
        let last = self.of.as_ref();
        if !last.is_some_and(|(time, last)| *time == creation && last.is_same(labels)) {
            self.encode(creation, labels);
        }
        &self.bytes
    }

    fn encode(&mut self, creation: Timestamp, labels: &Labels) {
        self.of = Some((creation, labels.clone()));
        let out = &mut self.bytes;
        out.clear();
        write_time(out, 8, creation);
        for (name, value) in labels.iter() {
            head(out, 11, field_len(name.len()) + field_len(value.len()));
            string(out, 1, name);
            string(out, 2, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_object_does_not_depend_on_the_objects_before() {
        let [web, api] = ["web", "api"].map(|app| Labels::from_iter([("app", app), ("tier", app)]));
        let [now, later] = [1_800_000_000, 1_800_000_015].map(Timestamp::from_secs);
        let mut tail = MetaTail::default();
        for (creation, labels) in [
            (now, &web),
            (now, &web.clone()),
            (now, &api),
            (later, &api),
            (later, &Labels::default()),
            (later, &web),
        ] {
            let alone = MetaTail::default().of(creation, labels).to_vec();
            assert_eq!(tail.of(creation, labels), alone, "{creation:?} {labels:?}");
        }
    }
}
