//! The pods that the source should send, if there are too many to send all.

use super::field::Field;
use super::filter::Selection;
use super::name::{Key, Name};
use super::scope::Scope;

/// What the screen shows, as far as a source can select pods by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    /// The scope of the view.
    pub scope: Scope,
    /// The namespaces; empty for all.
    pub namespaces: Vec<Name>,
    /// The part of the filter that a source understands.
    pub selection: Selection,
    /// The field whose largest values come first.
    pub order: Field,
    /// A pod that is sent in any case.
    pub pod: Option<Key>,
}

impl Default for Interest {
    fn default() -> Self {
        Self {
            scope: Scope::All,
            namespaces: Vec::new(),
            selection: Selection::default(),
            order: Field::Cpu,
            pod: None,
        }
    }
}
