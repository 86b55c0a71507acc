//! Rows of changes: what is different from an earlier time.

use kubevitals_proto::time::Timestamp;

use super::{Entry, Row, Value};
use crate::model::field::Field;
use crate::model::name::Key;
use crate::model::part::Part;
use crate::model::scope::{Limits, Open};
use crate::model::view_info::ViewInfo;

/// A change of a workload, a pod or a node.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// The key; its part is the kind of the object and of the change.
    pub key: Key,
    /// The object in words: `deploy/web`, a node, a pod.
    pub object: String,
    /// The change in words.
    pub text: String,
    /// The time of the change, if it is known.
    pub at: Option<Timestamp>,
    /// What `enter` opens.
    pub opens: Open,
}

type E = Entry<ChangeRow>;

impl Row for ChangeRow {
    const FIELDS: &'static [E] = &[
        E::number(Field::Age, "AGE", 6, 1, |row| Value::Since(row.at)),
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 2, |row| {
            (&row.key.namespace).into()
        }),
        E::text(Field::Name, "NAME", (12, 63), 0, |row| {
            row.object.as_str().into()
        }),
        E::text(Field::Message, "CHANGE", (16, 200), 0, |row| {
            row.text.as_str().into()
        }),
    ];

    const VIEW: ViewInfo = ViewInfo::new("Changes", "Chg", "changes", Part::Pods);

    fn key(&self) -> Key {
        self.key.clone()
    }

    // The rule that makes the rows has applied the limits.
    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    fn open(&self) -> Open {
        self.opens.clone()
    }

    fn reference(&self) -> String {
        self.object.clone()
    }
}
