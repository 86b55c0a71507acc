//! Severities of cells. The theme converts them to colours and marks.

/// The severity of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// Without meaning: unknown, none, completed.
    Dim,
    /// Normal.
    #[default]
    Plain,
    /// A warning.
    Warn,
    /// A problem.
    Bad,
}

/// Thresholds for fractions of a limit: 0.7 is 70 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From here on a fraction is a warning.
    pub warn: f64,
    /// From here on a fraction is a problem.
    pub bad: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            warn: 0.7,
            bad: 0.9,
        }
    }
}

impl Thresholds {
    /// The severity of a fraction.
    #[must_use]
    pub fn tone(&self, part: f64) -> Tone {
        if part >= self.bad {
            Tone::Bad
        } else if part >= self.warn {
            Tone::Warn
        } else {
            Tone::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_reached_at_its_value() {
        let thresholds = Thresholds::default();
        for (part, tone) in [
            (0.0, Tone::Plain),
            (0.69, Tone::Plain),
            (0.7, Tone::Warn),
            (0.9, Tone::Bad),
            (20.0, Tone::Bad),
        ] {
            assert_eq!(thresholds.tone(part), tone, "{part}");
        }
    }
}
