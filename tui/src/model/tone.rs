//! How grave a cell is. Which colour, weight or mark that becomes is the theme's to say.

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// Says nothing: unknown, none, over.
    Dim,
    /// As it is.
    #[default]
    Plain,
    /// As it should be, where that is worth saying.
    Good,
    /// Wants to be looked at.
    Warn,
    /// Is wrong.
    Bad,
}

/// From where on a part of a limit is much, and too much. Parts: 0.7 is 70 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Much.
    pub warn: f64,
    /// Too much.
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
    /// How grave a part is.
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
