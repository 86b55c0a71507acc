//! Which pods a source should send, where there are too many to send all.

use super::field::Field;
use super::filter::Selection;
use super::name::{Key, Name};
use super::scope::Scope;

/// What is on the screen, as far as a source can select pods by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    /// On this node, of this workload, in this namespace; or all.
    pub scope: Scope,
    /// In one of these namespaces; in any, if there is none.
    pub namespaces: Vec<Name>,
    /// What the filter lets through.
    pub selection: Selection,
    /// Those that have the most of this first.
    pub order: Field,
    /// This pod in any case.
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
