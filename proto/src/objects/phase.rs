//! The phase of a pod.

use super::protobuf::Field;
use crate::lenient::Lenient;
use crate::wire::protobuf::{Malformed, Value};

/// `PodPhase` of core/v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The pod is accepted; not all containers have started.
    Pending,
    /// At least one container runs or is being restarted.
    Running,
    /// All containers ended with exit code 0.
    Succeeded,
    /// All containers ended, at least one with an error.
    Failed,
    /// The node cannot be reached, or the phase is unknown to this version.
    #[default]
    Unknown,
}

impl Phase {
    /// All phases, in the order in which overviews list them.
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Pending,
        Self::Succeeded,
        Self::Failed,
        Self::Unknown,
    ];

    /// The phase of this name; `Unknown` for any other name.
    pub fn of(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|phase| phase.as_str() == name).unwrap_or_default()
    }

    /// The name of the phase.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether the containers have ended for good.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Lenient<'_> for Phase {
    fn text(name: &str) -> Self {
        Self::of(name)
    }
}

impl Field for Phase {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Self::text(value.str().unwrap_or_default());
        Ok(())
    }
}
