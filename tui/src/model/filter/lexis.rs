//! Lexical rules: where words, values and expressions without quotes end.

/// Whether the character ends a value without quotes.
pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '|' | '&' | '(' | ')' | '"')
}

/// Whether the character is a quotation mark.
pub(super) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// An operator that is written as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
}

impl Keyword {
    const ALL: [Self; 3] = [Self::And, Self::Or, Self::Not];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
        }
    }

    /// How to use the keyword, for errors.
    pub(super) const fn usage(self) -> &'static str {
        match self {
            Self::And => "and joins two conditions",
            Self::Or => "or joins two conditions",
            Self::Not => "not negates the condition after it",
        }
    }

    /// The keyword at the start of `text`. Case is ignored.
    pub(super) fn at(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| {
            let length = keyword.word().len();
            let begins = text.get(..length);
            begins.is_some_and(|word| word.eq_ignore_ascii_case(keyword.word()))
                && text.get(length..).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with(|c: char| ends_value(c))
                })
        })
    }
}

/// Whether the character ends the name of a field. A `!` only does before `=` or `~`.
pub(super) fn is_operator(c: char) -> bool {
    matches!(c, '=' | '<' | '>' | '~' | '!')
}

/// The length of an expression without quotes: up to a blank, or to a comma or closing parenthesis outside of brackets.
pub(super) fn pattern_length(text: &str) -> usize {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            c if c.is_whitespace() => return at,
            _ if escaped => {
                escaped = false;
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ',' if depth == 0 => return at,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = c == '\\';
    }
    text.len()
}
