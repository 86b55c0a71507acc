//! The panes of a view.

/// An area of a view that can have the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The table. On the overview: the pods that need attention.
    #[default]
    List,
    /// The nodes with the highest usage.
    Nodes,
    /// The latest incidents.
    Incidents,
    /// The pods with the highest CPU usage; shown if there are no incidents.
    Pods,
}
