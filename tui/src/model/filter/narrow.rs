//! Compares filters: which of two matches fewer rows.

use super::tree::{Comparison, Node, Operator};

impl Node {
    /// Whether every row that this condition matches certainly matches `other` too. `false` may also mean that it does not
    /// follow from the conditions alone.
    pub(super) fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any(parts), _) => parts.iter().all(|part| part.implies(other)),
            (_, Self::All(others)) => others.iter().all(|other| self.implies(other)),
            // One alternative at a time, so that each pair of conditions is compared once.
            (_, Self::Any(others)) => others.iter().any(|other| self.implies(other)),
            (Self::All(parts), _) => parts.iter().any(|part| part.implies(other)),
            (Self::Not(part), Self::Not(other)) => other.implies(part),
            (Self::Word(word), Self::Word(other)) => other.is_in(word.word()),
            (Self::Field(field, number), Self::Field(other_field, other)) => {
                field == other_field && number.implies(other)
            }
            _ => self == other,
        }
    }
}

impl Comparison {
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(operator, number), Self::Number(other_operator, other))
                if operator == other_operator =>
            {
                match operator {
                    Operator::Greater | Operator::AtLeast => number >= other,
                    Operator::Less | Operator::AtMost => number <= other,
                    Operator::Equal | Operator::NotEqual => number == other,
                }
            }
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::filter::Filter;

    #[test]
    fn a_filter_that_grows_usually_gets_narrower() {
        for (longer, shorter, narrows) in [
            ("web", "", true),
            ("", "web", false),
            ("web", "we", true),
            ("Web", "EB", true),
            ("we", "web", false),
            ("web cpu>10m", "web", true),
            ("web cpu>100m", "web cpu>10m", true),
            ("web cpu<100m", "web cpu<10m", false),
            ("web cpu>100m", "web mem>10Mi", false),
            ("web, shop", "web", false),
            ("web", "shop, web", true),
            ("web cpu>1m, web x", "web", true),
            ("!web", "!webs", true),
            ("!webs", "!web", false),
            ("ns=shop web", "ns=shop", true),
            ("ns=shops", "ns=shop", false),
            ("-l app=web x", "-l app=web", true),
            ("~^web x", "~^web", true),
            ("~^web-1", "~^web", false),
        ] {
            let read = |text: &str| text.parse::<Filter>().unwrap();
            assert_eq!(
                read(longer).narrows(&read(shorter)),
                narrows,
                "{longer:?} {shorter:?}"
            );
        }
    }
}
