//! The panes of a view.

/// An area of a view that can have the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The table. On the overview: the problems.
    #[default]
    List,
    /// What runs out at the present trend.
    Forecasts,
    /// What has changed.
    Changes,
    /// The nodes with the highest usage.
    Nodes,
    /// The pods with the highest CPU usage.
    Pods,
}
