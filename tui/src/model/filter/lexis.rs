//! Where the words of a filter end: what is read without quotes, and what has to be written in them.

/// What ends a value that is not quoted.
pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '|' | '&' | '(' | ')' | '"')
}

/// What begins a text in quotes, and ends it.
pub(super) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// A word that is a sign of the language.
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

    /// Where it belongs.
    pub(super) const fn place(self) -> &'static str {
        match self {
            Self::And => "and stands between two parts",
            Self::Or => "or stands between two parts",
            Self::Not => "not stands before what must not hold",
        }
    }

    /// The keyword that `text` begins with, in any case.
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

/// What ends the name of a field. `!` does with `=` or `~` behind it, and a word that has it in itself is to be quoted.
pub(super) fn is_operator(c: char) -> bool {
    matches!(c, '=' | '<' | '>' | '~' | '!')
}

/// Whether an expression is read whole without quotes.
pub(super) fn is_bare_pattern(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(is_quote) && pattern_length(text) == text.len()
}

/// How far an expression without quotes goes: to a blank, or to a comma or closing parenthesis that is not within
/// brackets of its own.
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
