//! Label selectors: equality- and set-based requirements joined by commas.

use crate::objects::MetaLite;

/// All requirements must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Parses; the error is the message of the 400.
    pub(in super::super) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokenize(text);
        let mut parser = Parser { tokens: &tokens };
        let mut requirements = Vec::new();
        while !parser.at_end() {
            let requirement = parser
                .requirement()
                .map_err(|e| format!("unable to parse requirement: {e}"))?;
            requirements.push(requirement);
            match parser.next() {
                "" => break,
                "," if is_word(parser.peek()) || parser.peek() == "!" => {}
                "," => {
                    return Err(format!(
                        "found '{}', expected: identifier after ','",
                        parser.peek()
                    ));
                }
                other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
            }
        }
        Ok(Self(requirements))
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in super::super) fn matches(&self, meta: &MetaLite) -> bool {
        self.0.iter().all(|Requirement { key, test }| {
            let value = meta.label(key);
            let number = || value.and_then(|v| v.parse::<i64>().ok());
            match test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
                Test::NotIn(values) => value.is_none_or(|v| values.iter().all(|x| x != v)),
                Test::Greater(than) => number().is_some_and(|n| n > *than),
                Test::Less(than) => number().is_some_and(|n| n < *than),
            }
        })
    }
}

const SYMBOLS: &[char] = &['=', '!', '(', ')', ',', '>', '<'];

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(SYMBOLS)
}

/// Words and operators; the longest operator wins.
fn tokenize(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = if rest.starts_with("==") || rest.starts_with("!=") {
            2
        } else if rest.starts_with(SYMBOLS) {
            1
        } else {
            rest.find(|c: char| c.is_whitespace() || SYMBOLS.contains(&c))
                .unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The next token; empty at the end.
    fn peek(&self) -> &'a str {
        self.tokens.first().copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.peek() == "!";
        if absent {
            self.next();
        }
        let key = self.next();
        if !is_word(key) {
            return Err(format!("found '{key}', expected: identifier"));
        }
        valid_key(key)?;
        let key = key.to_owned();
        if absent {
            return Ok(Requirement {
                key,
                test: Test::Absent,
            });
        }
        if matches!(self.peek(), "" | ",") {
            return Ok(Requirement {
                key,
                test: Test::Exists,
            });
        }
        let test = match self.next() {
            "=" | "==" => Test::In(vec![self.value()?]),
            "!=" => Test::NotIn(vec![self.value()?]),
            "in" => Test::In(self.values()?),
            "notin" => Test::NotIn(self.values()?),
            operator @ (">" | "<") => {
                let value = self.value()?;
                let number = value.parse().map_err(|_| format!("values[0][{key}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"))?;
                if operator == ">" {
                    Test::Greater(number)
                } else {
                    Test::Less(number)
                }
            }
            other => {
                return Err(format!(
                    "found '{other}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        Ok(Requirement { key, test })
    }

    /// A single value; none is the empty string.
    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), "" | ",") {
            return Ok(String::new());
        }
        match self.next() {
            value if is_word(value) => valid_value(value),
            other => Err(format!("found '{other}', expected: identifier")),
        }
    }

    /// `(a,b,)`: values may be empty.
    fn values(&mut self) -> Result<Vec<String>, String> {
        if self.next() != "(" {
            return Err(format!("found '{}' expected: '('", self.peek()));
        }
        let mut values = Vec::new();
        let mut empty = true;
        loop {
            match self.next() {
                ")" => {
                    if empty {
                        values.push(String::new());
                    }
                    return Ok(values);
                }
                "," => {
                    if std::mem::replace(&mut empty, true) {
                        values.push(String::new());
                    }
                }
                value if is_word(value) && empty => {
                    values.push(valid_value(value)?);
                    empty = false;
                }
                other => return Err(format!("found '{other}', expected: ',' or ')'")),
            }
        }
    }
}

/// Letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
fn is_name(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.chars().next())
        && edge(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn valid_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(p, n)| (Some(p), n));
    let prefixed = prefix.is_none_or(|p| !p.is_empty() && p.split('.').all(is_name));
    if prefixed && is_name(name) {
        Ok(())
    } else {
        Err(format!(
            "<nil>: Invalid value: {key:?}: a qualified name must consist of alphanumeric characters, '-', '_' or '.'"
        ))
    }
}

fn valid_value(value: &str) -> Result<String, String> {
    if is_name(value) {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "<nil>: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(labels: &[(&str, &str)]) -> MetaLite {
        MetaLite {
            labels: labels
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            ..MetaLite::default()
        }
    }

    #[test]
    fn every_form_of_requirement() {
        let web = labelled(&[("app", "web"), ("tier", "front"), ("n", "5")]);
        for (selector, matches) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app!=web", false),
            ("missing!=x", true),
            ("app in (web, db)", true),
            ("app notin (web,db)", false),
            ("missing notin (x)", true),
            ("missing in ()", false),
            ("app", true),
            ("!app", false),
            ("!missing", true),
            ("n>4,n<6", true),
            ("n>5", false),
            ("app=", false),
            ("in in (in)", false),
        ] {
            assert_eq!(
                LabelSelector::parse(selector).map(|s| s.matches(&web)),
                Ok(matches),
                "{selector}"
            );
        }
    }

    #[test]
    fn errors_are_those_of_the_real_one() {
        let error = |s| LabelSelector::parse(s).unwrap_err();
        assert_eq!(
            error("a b"),
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert_eq!(error("a=1,"), "found '', expected: identifier after ','");
        assert_eq!(
            error("a=1 b"),
            "found 'b', expected: ',' or 'end of string'"
        );
        assert!(error("a in x").contains("expected: '('"));
    }
}
