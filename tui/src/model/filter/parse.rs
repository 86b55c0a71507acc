//! The parser of filters: recursive descent, with the span of each part.

use std::ops::Range;

use kubevitals_proto::needle::Needle;
use kubevitals_proto::selector::LabelSelector;

use super::error::FilterError;
use super::hints;
use super::lexis::{Keyword, ends_value, is_operator, is_quote, pattern_length};
use super::pattern::Pattern;
use super::tree::{Comparison, Node, Operator};
use super::value::{self, example};
use crate::model::Field;

/// The maximum length of a filter in bytes.
const MAX_LENGTH: usize = 2_048;

/// The maximum depth of parentheses and negations.
const MAX_DEPTH: usize = 64;

/// Parses a filter. `None` for an empty one.
pub(super) fn parse(text: &str) -> Result<Option<Node>, FilterError> {
    if text.len() > MAX_LENGTH {
        return Err(FilterError::new(
            0..text.len(),
            format!("a filter is at most {MAX_LENGTH} bytes long"),
        ));
    }
    let mut parser = Parser { text, at: 0 };
    parser.blanks();
    if parser.at == text.len() {
        return Ok(None);
    }
    let root = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(root)),
        // Only a parenthesis stops the outermost parts.
        Some(c) => Err(parser.here(format!("{c:?} closes nothing: there is no ( before it"))),
    }
}

/// Combines parts. A single part is returned as it is.
fn group(mut parts: Vec<Node>, kind: fn(Vec<Node>) -> Node) -> Node {
    match (parts.pop(), parts.is_empty()) {
        (Some(one), true) => one,
        (last, _) => {
            parts.extend(last);
            kind(parts)
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// An error at the next character, or at the end.
    fn here(&self, message: impl Into<String>) -> FilterError {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        FilterError::new(self.at..end, message)
    }

    /// An error from a position up to this one.
    fn error(&self, begin: usize, message: impl Into<String>) -> FilterError {
        FilterError::new(begin..self.at, message)
    }

    /// The keyword at this position, unless it is the start of a longer word.
    fn keyword(&self) -> Option<Keyword> {
        Keyword::at(self.rest())
    }

    /// Consumes one of the signs or the keyword, if it is at this position.
    fn take_sign(&mut self, signs: &[&str], keyword: Keyword) -> bool {
        if signs.iter().any(|sign| self.take(sign)) {
            return true;
        }
        let found = self.keyword() == Some(keyword);
        if found {
            self.at += keyword.word().len();
        }
        found
    }

    /// Parses alternatives: parts separated by commas, `|`, `||` or `or`.
    fn any(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.take_sign(&[",", "||", "|"], Keyword::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(group(parts, Node::Any))
    }

    /// Whether a conjunction ends at this position.
    fn is_end_of_all(&self) -> bool {
        self.peek().is_none_or(|c| matches!(c, ',' | ')' | '|'))
            || self.keyword() == Some(Keyword::Or)
    }

    /// Parses a conjunction: parts separated by blanks, `&`, `&&` or `and`.
    fn all(&mut self, depth: usize) -> Result<Node, FilterError> {
        self.blanks();
        let mut parts = Vec::new();
        while !self.is_end_of_all() {
            if self.peek() == Some('&') {
                return Err(self.missing());
            }
            parts.push(self.part(depth)?);
            self.blanks();
            if self.take_sign(&["&&", "&"], Keyword::And) {
                self.blanks();
                if self.is_end_of_all() {
                    return Err(self.missing());
                }
            }
        }
        if parts.is_empty() {
            return Err(self.missing());
        }
        Ok(group(parts, Node::All))
    }

    /// The error for a missing part.
    fn missing(&self) -> FilterError {
        match self.keyword() {
            Some(keyword) => self.alone(keyword),
            None if self.peek().is_none() => self.here("a condition is missing at the end"),
            None => self.here("a condition is missing before this"),
        }
    }

    /// The error for a keyword without operands.
    fn alone(&self, keyword: Keyword) -> FilterError {
        let word = keyword.word();
        FilterError::new(
            self.at..self.at + word.len(),
            format!("{}; to find the word write \"{word}\"", keyword.usage()),
        )
    }

    fn part(&mut self, depth: usize) -> Result<Node, FilterError> {
        if depth >= MAX_DEPTH {
            return Err(self.here(format!("nested deeper than {MAX_DEPTH}")));
        }
        let begin = self.at;
        if self.take("!") {
            if self
                .peek()
                .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ')'))
            {
                return Err(self.error(begin, "! negates the condition after it"));
            }
            return Ok(Node::Not(Box::new(self.part(depth + 1)?)));
        }
        if let Some(keyword) = self.keyword() {
            let alone = self.alone(keyword);
            self.at += keyword.word().len();
            self.blanks();
            if keyword != Keyword::Not || self.is_end_of_all() {
                return Err(alone);
            }
            return Ok(Node::Not(Box::new(self.part(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.any(depth + 1)?;
            if !self.take(")") {
                return Err(FilterError::new(begin..begin + 1, "this ( is not closed"));
            }
            return Ok(inner);
        }
        if self.take("~") {
            return Ok(Node::Matches(self.pattern(begin)?));
        }
        if self.labels_follow() {
            return Ok(Node::Labels(self.labels()?));
        }
        self.word_or_field()
    }

    /// Consumes `-l`, if it is followed by a blank, a quotation mark or the end.
    fn labels_follow(&mut self) -> bool {
        let rest = self.rest().strip_prefix("-l");
        let follow = rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || is_quote(c))
        });
        if follow {
            self.at += "-l".len();
        }
        follow
    }

    /// Parses a label selector: up to the next blank, with its commas, or quoted.
    fn labels(&mut self) -> Result<LabelSelector, FilterError> {
        self.blanks();
        let begin = self.at;
        let text = if self.peek().is_some_and(is_quote) {
            self.quoted()?
        } else {
            let rest = self.rest();
            let end = rest
                .find(|c: char| c.is_whitespace() || c == ')')
                .unwrap_or(rest.len());
            // A trailing comma separates the next part: `-l app=web, restarts>0`.
            let end = rest
                .get(..end)
                .map_or(0, |text| text.trim_end_matches(',').len());
            self.at += end;
            rest.get(..end).unwrap_or_default().to_owned()
        };
        if text.is_empty() {
            return Err(self.error(begin, "-l is followed by labels, like app=web"));
        }
        text.parse()
            .map_err(|error| self.error(begin, format!("labels: {error}")))
    }

    fn word_or_field(&mut self) -> Result<Node, FilterError> {
        if self.peek().is_some_and(is_quote) {
            return Ok(Node::Word(Needle::new(&self.quoted()?)));
        }
        let begin = self.at;
        let rest = self.rest();
        let end = rest
            .find(|c: char| ends_value(c) || is_operator(c))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        let span = begin..self.at;
        match self.peek() {
            Some(c) if is_operator(c) => return self.field(span, word),
            // A quotation mark or a parenthesis in a word.
            Some(c @ ('"' | '(')) => {
                return Err(self.here(format!("put quotes around a word with {c} in it")));
            }
            _ => {}
        }
        // Blanks may surround an operator: no part starts with one.
        let behind = self.rest().trim_start();
        if ["=", "<", ">", "!="]
            .iter()
            .any(|sign| behind.starts_with(sign))
        {
            self.blanks();
            return self.field(span, word);
        }
        if let Some((at, message)) = hints::misspelled(word, behind) {
            return Err(FilterError::new(begin + at.start..begin + at.end, message));
        }
        if word.contains('*') {
            return Ok(Node::Matches(self.glob(span, word)?));
        }
        Ok(Node::Word(Needle::new(word)))
    }

    /// Parses a text with `*` for any characters.
    fn glob(&self, span: Range<usize>, text: &str) -> Result<Pattern, FilterError> {
        Pattern::new(&hints::glob(text)).map_err(|(message, _)| FilterError::new(span, message))
    }

    /// Parses an operator and values after the name of a field.
    fn field(&mut self, span: Range<usize>, name: &str) -> Result<Node, FilterError> {
        if name.is_empty() {
            return Err(self
                .here("a field is missing before this: write cpu>500m, or quotes around a word"));
        }
        let Some(field) = Field::named(name) else {
            return Err(FilterError::new(span, hints::unknown(name, self.rest())));
        };
        let sign = self.at;
        for (text, found) in [("!~", false), ("=~", true), ("~", true)] {
            if self.take(text) {
                let pattern = self.pattern(sign)?;
                return Ok(Node::Field(field, Comparison::Matches { found, pattern }));
            }
        }
        let operators = [
            Operator::NotEqual,
            Operator::AtMost,
            Operator::AtLeast,
            Operator::Equal,
            Operator::Less,
            Operator::Greater,
        ];
        let Some(operator) = operators
            .into_iter()
            .find(|operator| self.take(operator.sign()))
        else {
            return Err(self.here("= or ~ is missing behind !"));
        };
        // `==` is the same as `=`, as in selectors.
        if operator == Operator::Equal {
            self.take("=");
        }
        let operator_span = sign..self.at;
        if !self.rest().trim_start().is_empty() {
            self.blanks();
        }
        let mut parts = Vec::new();
        loop {
            let comparison = self.comparison(name, field, operator, operator_span.clone())?;
            parts.push(Node::Field(field, comparison));
            let is_list = matches!(operator, Operator::Equal | Operator::NotEqual);
            if !(is_list && self.another_value()) {
                break;
            }
            self.at += 1;
        }
        let kind = match operator {
            Operator::NotEqual => Node::All,
            _ => Node::Any,
        };
        Ok(group(parts, kind))
    }

    /// Whether another value of the same field follows: `ns=shop,payments`, without a blank after the comma, and not a
    /// condition.
    fn another_value(&self) -> bool {
        let rest = self.rest();
        let Some(rest) = rest.strip_prefix([',', '|']) else {
            return false;
        };
        let end = rest.find(|c: char| ends_value(c) || is_operator(c));
        let ends_with = end.and_then(|end| rest.get(end..)?.chars().next());
        match end {
            Some(0) => rest.starts_with(is_quote),
            _ => {
                !rest.is_empty()
                    && !rest.starts_with("-l ")
                    && !ends_with.is_some_and(|c| is_operator(c) || c == '(')
            }
        }
    }

    /// Parses one value after the operator at `operator_span`.
    fn comparison(
        &mut self,
        name: &str,
        field: Field,
        operator: Operator,
        operator_span: Range<usize>,
    ) -> Result<Comparison, FilterError> {
        let begin = self.at;
        let (value, quoted) = self.value()?;
        let span = begin..self.at;
        if field.is_number() {
            if value.is_empty() {
                let message = format!("a value is missing: {name}{}", example(field));
                return Err(FilterError::new(span, message));
            }
            let number = value::parse(field, &value);
            let number = number.map_err(|message| FilterError::new(span, message))?;
            return Ok(Comparison::Number(operator, number));
        }
        let equal = match operator {
            Operator::Equal => true,
            Operator::NotEqual => false,
            _ => {
                let message = format!("{name} is text: it is compared with =, !=, ~ or !~");
                return Err(FilterError::new(operator_span, message));
            }
        };
        if value.is_empty() && !quoted {
            let message = format!(
                "a value is missing: {name}{}, or {name}=\"\" for none",
                example(field)
            );
            return Err(FilterError::new(span, message));
        }
        if value.contains('*') && !quoted {
            let pattern = self.glob(span, &value)?;
            return Ok(Comparison::Matches {
                found: equal,
                pattern,
            });
        }
        let with = Needle::new(&value);
        Ok(Comparison::Text { equal, with })
    }

    /// Parses the text after an operator. Returns whether it was quoted.
    fn value(&mut self) -> Result<(String, bool), FilterError> {
        if self.peek().is_some_and(is_quote) {
            return Ok((self.quoted()?, true));
        }
        let rest = self.rest();
        let end = rest.find(ends_value).unwrap_or(rest.len());
        self.at += end;
        match self.peek() {
            Some(c @ ('"' | '(')) => {
                Err(self.here(format!("put quotes around a text with {c} in it")))
            }
            _ => Ok((rest.get(..end).unwrap_or_default().to_owned(), false)),
        }
    }

    /// Parses a regular expression after the `~` at `sign`.
    fn pattern(&mut self, sign: usize) -> Result<Pattern, FilterError> {
        let begin = self.at;
        let quoted = self.peek().is_some_and(is_quote);
        let text = if quoted {
            self.quoted()?
        } else {
            let rest = self.rest();
            let end = pattern_length(rest);
            self.at += end;
            rest.get(..end).unwrap_or_default().to_owned()
        };
        if text.is_empty() {
            return Err(self.error(sign, "~ is followed by a regular expression"));
        }
        Pattern::new(&text).map_err(|(message, at)| {
            // In a quoted text, escapes move the positions.
            let span = match at.filter(|_| !quoted) {
                Some(at) => begin + at..begin + at + 1,
                None => begin..self.at,
            };
            FilterError::new(span, message)
        })
    }

    /// Parses a quoted text. `\` escapes the quotation mark and itself.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let begin = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        let Some((_, quote)) = chars.next() else {
            return Ok(text);
        };
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at = begin + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c)) if c == quote || c == '\\' => text.push(c),
                    // Every other backslash stays, for regular expressions.
                    Some((_, c)) => text.extend(['\\', c]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(FilterError::new(
            begin..begin + 1,
            "this quote is not closed",
        ))
    }
}
