//! Lines of facts.

use crate::model::tone::Tone;
use crate::text::width;

/// A fact: a label and a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fact {
    /// The label; may be empty.
    pub label: String,
    /// The text.
    pub text: String,
    /// The severity of the text.
    pub tone: Tone,
    /// The filled part of a bar before the text, if the fact has one.
    pub part: Option<f64>,
}

/// The width of a bar.
pub const BAR: u16 = 12;

/// The cells between two facts.
const GAP: usize = 2;

impl Fact {
    /// A fact with a label.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
            ..Self::default()
        }
    }

    /// Sets the severity.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Adds a bar.
    #[must_use]
    pub fn bar(mut self, part: Option<f64>) -> Self {
        self.part = part;
        self
    }

    fn width(&self) -> usize {
        let label = match width(&self.label) {
            0 => 0,
            label => label + 1,
        };
        let bar = usize::from(BAR) + 1;
        label + if self.part.is_some() { bar } else { 0 } + width(&self.text)
    }
}

/// A line of facts.
pub type FactLine = Vec<Fact>;

/// Breaks groups of facts into lines of `columns` cells, each group from a line of its own. A fact that is wider than a
/// line has its own, and is cut when it is drawn.
pub(in crate::model) fn flow(groups: Vec<Vec<Fact>>, columns: u16) -> Vec<FactLine> {
    let space = usize::from(columns).saturating_sub(1);
    let mut lines = Vec::new();
    for group in groups {
        let (mut line, mut used) = (FactLine::new(), 0);
        for fact in group.into_iter().filter(|fact| !fact.text.is_empty()) {
            let needed = fact.width() + GAP;
            if used + needed > space + GAP && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            used += needed;
            line.push(fact);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_start_lines_and_facts_that_do_not_fit_continue_below() {
        let fact = |text: &str| Fact::new("a", text);
        let groups = vec![
            vec![fact("12345"), fact("12345"), fact("")],
            vec![fact(&"x".repeat(253)), fact("1")],
            vec![],
        ];
        let counts = |columns: u16| -> Vec<usize> {
            flow(groups.clone(), columns).iter().map(Vec::len).collect()
        };
        // A blank, two facts of seven cells and the gap.
        assert_eq!(counts(17), [2, 1, 1]);
        assert_eq!(counts(16), [1, 1, 1, 1]);
        assert_eq!(counts(0), [1, 1, 1, 1]);
    }
}
