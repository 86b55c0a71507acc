//! What the views name instead of colours, and what a terminal can show.

use crate::model::{Resource, Tone};

/// The number of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: bold, dim and reversed text remain.
    None,
    /// The sixteen colours of the terminal's own palette.
    #[default]
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

/// The background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

/// The meaning of a text, which determines its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Normal text.
    Plain,
    /// Units, ages and other secondary text.
    Muted,
    /// Rules and grids.
    Faint,
    /// Headings of columns and panes.
    Heading,
    /// Names and keys.
    Accent,
    /// Healthy.
    Good,
    /// Near a limit, waiting, or recently restarted.
    Warn,
    /// Over a limit, failed or killed.
    Bad,
    /// CPU in a chart.
    Cpu,
    /// Memory in a chart.
    Memory,
    /// The line of a request.
    Request,
    /// The line of a limit.
    Limit,
    /// Old data.
    Stale,
    /// The row under the cursor.
    Selected,
    /// The bar of a mode: paused, or a time in the past.
    Bar,
}

impl Ink {
    /// All inks with their names in the configuration, in the order of their definition.
    pub const ALL: [(&'static str, Self); 15] = [
        ("plain", Self::Plain),
        ("muted", Self::Muted),
        ("faint", Self::Faint),
        ("heading", Self::Heading),
        ("accent", Self::Accent),
        ("good", Self::Good),
        ("warn", Self::Warn),
        ("bad", Self::Bad),
        ("cpu", Self::Cpu),
        ("memory", Self::Memory),
        ("request", Self::Request),
        ("limit", Self::Limit),
        ("stale", Self::Stale),
        ("selected", Self::Selected),
        ("bar", Self::Bar),
    ];

    /// Whether the ink is the colour of a background.
    pub const fn is_background(self) -> bool {
        matches!(self, Self::Selected | Self::Bar)
    }
}

impl From<Resource> for Ink {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::Cpu => Self::Cpu,
            Resource::Memory => Self::Memory,
        }
    }
}

impl From<Tone> for Ink {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Dim => Self::Muted,
            Tone::Plain => Self::Plain,
            Tone::Warn => Self::Warn,
            Tone::Bad => Self::Bad,
        }
    }
}
