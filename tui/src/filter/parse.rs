//! Reads a filter: recursive descent over the characters, each part with its place.

use std::ops::Range;

use kubevitals_proto::needle::Needle;
use kubevitals_proto::selector::LabelSelector;

use super::lexis::{ends_value, is_operator, pattern_length};
use super::pattern::Pattern;
use super::tree::{Comparison, Kind, Node, Operator};
use super::value::{Number, example};
use super::{FilterError, MAX_LENGTH};
use crate::model::Field;

/// How deep parentheses and negations may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a filter; nothing for one that asks nothing.
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
        let there = self.rest().starts_with(sign);
        if there {
            self.at += sign.len();
        }
        there
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// An error about the next character, or about the end.
    fn here(&self, message: impl Into<String>) -> FilterError {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        FilterError::new(self.at..end, message)
    }

    /// Parts by commas.
    fn any(&mut self, depth: usize) -> Result<Node, FilterError> {
        let begin = self.at;
        let mut parts = vec![self.all(depth)?];
        while self.take(",") {
            parts.push(self.all(depth)?);
        }
        Ok(self.group(begin, parts, Kind::Any))
    }

    /// Parts by blanks.
    fn all(&mut self, depth: usize) -> Result<Node, FilterError> {
        self.blanks();
        let begin = self.at;
        let mut parts = Vec::new();
        while self.peek().is_some_and(|c| !matches!(c, ',' | ')')) {
            parts.push(self.part(depth)?);
            self.blanks();
        }
        if parts.is_empty() {
            let missing = match self.peek() {
                None => "something is missing at the end",
                Some(_) => "something is missing before this",
            };
            return Err(self.here(missing));
        }
        Ok(self.group(begin, parts, Kind::All))
    }

    /// One part stands for itself.
    fn group(&self, begin: usize, mut parts: Vec<Node>, kind: fn(Vec<Node>) -> Kind) -> Node {
        match (parts.pop(), parts.is_empty()) {
            (Some(one), true) => one,
            (last, _) => {
                parts.extend(last);
                let end = parts.last().map_or(self.at, |part| part.span.end);
                Node {
                    kind: kind(parts),
                    span: begin..end,
                }
            }
        }
    }

    fn part(&mut self, depth: usize) -> Result<Node, FilterError> {
        if depth >= MAX_DEPTH {
            return Err(self.here(format!("nested deeper than {MAX_DEPTH}")));
        }
        let begin = self.at;
        let kind = if self.take("!") {
            if self
                .peek()
                .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ')'))
            {
                return Err(FilterError::new(
                    begin..self.at,
                    "! stands before what must not hold",
                ));
            }
            Kind::Not(Box::new(self.part(depth + 1)?))
        } else if self.take("(") {
            let inner = self.any(depth + 1)?;
            if !self.take(")") {
                return Err(FilterError::new(begin..begin + 1, "this ( is not closed"));
            }
            // Parentheses leave no trace but the order they make.
            return Ok(Node {
                span: begin..self.at,
                ..inner
            });
        } else if self.take("~") {
            Kind::Matches(self.pattern(begin)?)
        } else if self.labels_follow() {
            Kind::Labels(self.labels()?)
        } else {
            self.word_or_field()?
        };
        Ok(Node {
            kind,
            span: begin..self.at,
        })
    }

    /// `-l` alone, or with its selector right behind a blank.
    fn labels_follow(&mut self) -> bool {
        let rest = self.rest().strip_prefix("-l");
        let follow = rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '"')
        });
        if follow {
            self.at += "-l".len();
        }
        follow
    }

    /// A label selector: to the next blank, commas within it included, or quoted.
    fn labels(&mut self) -> Result<LabelSelector, FilterError> {
        self.blanks();
        let begin = self.at;
        let text = if self.peek() == Some('"') {
            self.quoted()?
        } else {
            let rest = self.rest();
            let end = rest
                .find(|c: char| c.is_whitespace() || c == ')')
                .unwrap_or(rest.len());
            // A comma at its end is not of it: `-l app=web, restarts>0`.
            let end = rest
                .get(..end)
                .map_or(0, |text| text.trim_end_matches(',').len());
            self.at += end;
            rest.get(..end).unwrap_or_default().to_owned()
        };
        if text.is_empty() {
            return Err(FilterError::new(
                begin..self.at,
                "-l is followed by labels, like app=web",
            ));
        }
        text.parse()
            .map_err(|error| FilterError::new(begin..self.at, format!("labels: {error}")))
    }

    fn word_or_field(&mut self) -> Result<Kind, FilterError> {
        if self.peek() == Some('"') {
            return Ok(Kind::Word(Needle::new(&self.quoted()?)));
        }
        let begin = self.at;
        let rest = self.rest();
        let end = rest
            .find(|c: char| ends_value(c) || is_operator(c))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        match self.peek() {
            Some(c) if is_operator(c) => self.field(begin..begin + end, word),
            // A quote or a parenthesis in a word.
            Some(c @ ('"' | '(')) => {
                Err(self.here(format!("put quotes around a word with {c} in it")))
            }
            _ => Ok(Kind::Word(Needle::new(word))),
        }
    }

    /// An operator and a value, behind the name of a field.
    fn field(&mut self, place: Range<usize>, name: &str) -> Result<Kind, FilterError> {
        if name.is_empty() {
            return Err(
                self.here("no field stands before this: write cpu>500m, or quotes around a word")
            );
        }
        let Some(field) = Field::named(name) else {
            return Err(FilterError::new(place, unknown(name)));
        };
        let sign = self.at;
        for (text, found) in [("!~", false), ("~", true)] {
            if self.take(text) {
                let pattern = self.pattern(sign)?;
                return Ok(Kind::Field(field, Comparison::Matches { found, pattern }));
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
        // As in selectors, two are as good as one.
        if operator == Operator::Equal {
            self.take("=");
        }
        let operated = sign..self.at;
        let begin = self.at;
        let (value, quoted) = self.value()?;
        let comparison = if field.is_number() {
            if value.is_empty() {
                let said = format!("something is missing: {name}{}", example(field));
                return Err(FilterError::new(begin..self.at, said));
            }
            let number = Number::read(field, &value);
            let number = number.map_err(|said| FilterError::new(begin..self.at, said))?;
            Comparison::Number(operator, number)
        } else {
            let equal = match operator {
                Operator::Equal => true,
                Operator::NotEqual => false,
                _ => {
                    let said = format!("{name} is text: it is compared with =, !=, ~ or !~");
                    return Err(FilterError::new(operated, said));
                }
            };
            if value.is_empty() && !quoted {
                let said = format!(
                    "something is missing: {name}{}, or {name}=\"\" for none",
                    example(field)
                );
                return Err(FilterError::new(begin..self.at, said));
            }
            let with = Needle::new(&value);
            Comparison::Text { equal, with }
        };
        Ok(Kind::Field(field, comparison))
    }

    /// What stands behind an operator, and whether it was quoted.
    fn value(&mut self) -> Result<(String, bool), FilterError> {
        if self.peek() == Some('"') {
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

    /// A regular expression, behind the `~` at `sign`.
    fn pattern(&mut self, sign: usize) -> Result<Pattern, FilterError> {
        let begin = self.at;
        let quoted = self.peek() == Some('"');
        let text = if quoted {
            self.quoted()?
        } else {
            let rest = self.rest();
            let end = pattern_length(rest);
            self.at += end;
            rest.get(..end).unwrap_or_default().to_owned()
        };
        if text.is_empty() {
            return Err(FilterError::new(
                sign..self.at,
                "~ is followed by a regular expression",
            ));
        }
        Pattern::new(&text).map_err(|(message, at)| {
            // Within quotes places are moved by what is escaped.
            let place = match at.filter(|_| !quoted) {
                Some(at) => begin + at..begin + at + 1,
                None => begin..self.at,
            };
            FilterError::new(place, message)
        })
    }

    /// A text in quotes, in which `\` makes a quote or a backslash of what follows.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let begin = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = begin + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    // For regular expressions: every other backslash means itself.
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

/// What is said of a field that there is not: those that begin alike, or the usual ones.
fn unknown(name: &str) -> String {
    let begin: String = name
        .chars()
        .take(2)
        .collect::<String>()
        .to_ascii_lowercase();
    let alike: Vec<&str> = Field::ALL
        .iter()
        .map(|field| field.name())
        .filter(|known| known.starts_with(&begin))
        .take(6)
        .collect();
    let known = if alike.is_empty() {
        "ns, name, node, app, status, cpu, mem, restarts, ready, probe".to_owned()
    } else {
        alike.join(", ")
    };
    format!("there is no field {name}; there is {known}")
}
