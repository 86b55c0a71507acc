//! The parts of a screen that the cursor can be in.

/// A part of a screen that the cursor can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The table. On the overview it is of the pods that need attention.
    #[default]
    List,
    /// The fullest nodes.
    Nodes,
    /// The latest incidents.
    Incidents,
    /// The busiest pods: there where nothing is known of incidents.
    Pods,
}
