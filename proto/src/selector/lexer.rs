//! The tokens of a label selector.

/// A token; what it was written as stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Error,
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    Greater,
    Identifier,
    In,
    Less,
    NotEquals,
    NotIn,
    Open,
}

/// Cuts `text` into tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Vec<(Token, String)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_blank);
        // A zero byte ends the text, as in Go, which does not distinguish the two.
        if rest.is_empty() || rest.starts_with('\0') {
            tokens.push((Token::End, String::new()));
            return tokens;
        }
        let symbol = rest.starts_with(is_special);
        let (token, literal, after) = if symbol { special(rest) } else { word(rest) };
        tokens.push((token, literal));
        rest = after;
    }
}

fn word(text: &str) -> (Token, String, &str) {
    let end = text
        .find(|c| is_blank(c) || is_special(c) || c == '\0')
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let token = match word {
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => Token::Identifier,
    };
    // The zero byte that ended the word is taken with it.
    (
        token,
        word.to_owned(),
        rest.strip_prefix('\0').unwrap_or(rest),
    )
}

/// The longest symbol at the start of `text`, built up byte by byte as Go does: what no symbol
/// starts with is gathered until one is found or the special characters end.
fn special(text: &str) -> (Token, String, &str) {
    let run = text.find(|c| !is_special(c)).unwrap_or(text.len());
    let mut last = None;
    for end in 1..=run {
        let (literal, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        match symbol(literal) {
            Some(token) => last = Some((token, literal, rest)),
            None if last.is_some() => break,
            None => {}
        }
    }
    match last {
        Some((token, literal, rest)) => (token, literal.to_owned(), rest),
        None => {
            let (literal, rest) = text.split_at_checked(run).unwrap_or((text, ""));
            (
                Token::Error,
                format!("error expected: keyword found '{literal}'"),
                rest,
            )
        }
    }
}

fn symbol(literal: &str) -> Option<Token> {
    Some(match literal {
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "==" => Token::DoubleEquals,
        "=" => Token::Equals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "!=" => Token::NotEquals,
        "(" => Token::Open,
        _ => return None,
    })
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

const fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}
