//! What charts show beside their series.

use super::format;
use super::scope::Scope;

/// What charts show beside their series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LaidOver {
    /// Nothing.
    #[default]
    Nothing,
    /// CPU and memory in one chart, each as a part of its limit or capacity.
    Shares,
    /// The same series a span earlier.
    Earlier,
    /// The containers of the pod, on top of each other.
    Containers,
}

impl LaidOver {
    /// What follows. Only the page of a pod has containers.
    #[must_use]
    pub const fn next(self, has_containers: bool) -> Self {
        match self {
            Self::Nothing => Self::Shares,
            Self::Shares => Self::Earlier,
            Self::Earlier if has_containers => Self::Containers,
            Self::Earlier | Self::Containers => Self::Nothing,
        }
    }

    /// What the charts show, for a notice.
    #[must_use]
    pub fn text(self, scope: &Scope, span_seconds: u32) -> String {
        let span = format::duration(span_seconds.into());
        match self {
            Self::Nothing => match scope {
                Scope::Node(_) => "charts show the pods of the node".to_owned(),
                _ => "charts show usage".to_owned(),
            },
            Self::Shares => "charts show CPU and memory together".to_owned(),
            Self::Earlier => format!("charts also show usage {span} earlier"),
            Self::Containers => "charts show the containers of the pod".to_owned(),
        }
    }
}
