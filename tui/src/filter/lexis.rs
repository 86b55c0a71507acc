//! Where the words of a filter end: what is read without quotes, and what has to be written in them.

/// What ends a value that is not quoted.
pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"')
}

/// What ends the name of a field. `!` does with `=` or `~` behind it, and a word that has it in itself is to be quoted.
pub(super) fn is_operator(c: char) -> bool {
    matches!(c, '=' | '<' | '>' | '~' | '!')
}

/// Whether an expression is read whole without quotes.
pub(super) fn is_bare_pattern(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('"') && pattern_length(text) == text.len()
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
