//! Label selectors: `app=web,tier in (a,b),!canary`.

use super::lexer::{Token, tokens};
use super::operator::Operator;
use super::{SelectorError, validate};
use crate::labels::Labels;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// One of the conditions of a [`LabelSelector`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// The condition on its value.
    pub operator: Operator,
    /// The values it is compared with, sorted, each once.
    pub values: Vec<String>,
}

/// Conditions on an object's labels, all of which must hold; the empty one selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The conditions, sorted by key.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether every condition holds for `labels`.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    /// Whether the condition holds for `labels`.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = || value.is_some_and(|value| self.values.iter().any(|it| it == value));
        let integers = || Some((go_integer(value?)?, go_integer(self.values.first()?)?));
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => listed(),
            Operator::NotEquals | Operator::NotIn => !listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => integers().is_some_and(|(value, bound)| value > bound),
            Operator::LessThan => integers().is_some_and(|(value, bound)| value < bound),
        }
    }
}

/// A decimal integer as Go's `strconv.ParseInt` takes it, which is as Rust does.
fn go_integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Parser {
            tokens: tokens(text),
            at: 0,
        }
        .requirements()?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements })
    }
}

/// Recursive descent with one token of foresight.
struct Parser {
    tokens: Vec<(Token, String)>,
    at: usize,
}

impl Parser {
    /// The next token, in a place where `in` and `notin` are values.
    fn peek(&self) -> (Token, String) {
        let (token, literal) = self.raw();
        let token = if matches!(token, Token::In | Token::NotIn) {
            Token::Identifier
        } else {
            token
        };
        (token, literal)
    }

    fn raw(&self) -> (Token, String) {
        self.tokens
            .get(self.at)
            .cloned()
            .unwrap_or((Token::End, String::new()))
    }

    fn next(&mut self) -> (Token, String) {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirements(mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::Identifier | Token::Not, _) => {
                    let requirement = self.requirement();
                    requirements.push(requirement.map_err(|error| {
                        SelectorError(format!("unable to parse requirement: {error}"))
                    })?);
                    match self.next() {
                        (Token::End, _) => return Ok(requirements),
                        (Token::Comma, _) => {
                            let (token, literal) = self.peek();
                            if !matches!(token, Token::Identifier | Token::Not) {
                                return Err(SelectorError::found(&literal, "identifier after ','"));
                            }
                        }
                        (_, literal) => {
                            return Err(SelectorError::found(&literal, "',' or 'end of string'"));
                        }
                    }
                }
                (Token::End, _) => return Ok(requirements),
                (_, literal) => {
                    return Err(SelectorError::found(
                        &literal,
                        "!, identifier, or 'end of string'",
                    ));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let (mut token, mut key) = self.next();
        let negated = token == Token::Not;
        if negated {
            (token, key) = self.next();
        }
        if token != Token::Identifier {
            return Err(SelectorError::found(&key, "identifier"));
        }
        validate::key(&key)?;
        let alone = matches!(self.peek().0, Token::End | Token::Comma);
        // As in Go, `!key` needs nothing after it, and what follows is left to the caller.
        if negated || alone {
            let operator = if negated {
                Operator::DoesNotExist
            } else {
                Operator::Exists
            };
            return Ok(Requirement {
                key,
                operator,
                values: Vec::new(),
            });
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => self.exact_value()?,
        };
        let values: Vec<String> = values.into_iter().collect();
        validate::values(&key, operator, &values)?;
        Ok(Requirement {
            key,
            operator,
            values,
        })
    }

    fn operator(&mut self) -> Result<Operator, SelectorError> {
        let (token, literal) = self.raw();
        self.at += 1;
        Ok(match token {
            Token::In => Operator::In,
            Token::Equals => Operator::Equals,
            Token::DoubleEquals => Operator::DoubleEquals,
            Token::Greater => Operator::GreaterThan,
            Token::Less => Operator::LessThan,
            Token::NotIn => Operator::NotIn,
            Token::NotEquals => Operator::NotEquals,
            _ => {
                return Err(SelectorError::found(
                    &literal,
                    "in, notin, =, ==, !=, gt, lt",
                ));
            }
        })
    }

    /// The values between parentheses.
    fn values(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        let (token, literal) = self.next();
        if token != Token::Open {
            return Err(SelectorError(format!("found '{literal}' expected: '('")));
        }
        let (token, literal) = self.peek();
        match token {
            Token::Identifier | Token::Comma => {
                let values = self.identifiers()?;
                let (token, _) = self.next();
                if token != Token::Close {
                    return Err(SelectorError::found(&literal, "')'"));
                }
                Ok(values)
            }
            Token::Close => {
                self.next();
                Ok(BTreeSet::from([String::new()]))
            }
            _ => Err(SelectorError::found(&literal, "',', ')' or identifier")),
        }
    }

    /// Values parted by commas; where one is missing it is the empty one.
    fn identifiers(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                (Token::Identifier, literal) => {
                    values.insert(literal);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, literal) => return Err(SelectorError::found(&literal, "',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.insert(String::new());
                            return Ok(values);
                        }
                        Token::Comma => {
                            values.insert(String::new());
                        }
                        _ => {}
                    }
                }
                (_, literal) => return Err(SelectorError::found(&literal, "',', or identifier")),
            }
        }
    }

    fn exact_value(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.next() {
            (Token::Identifier, literal) => Ok(BTreeSet::from([literal])),
            (_, literal) => Err(SelectorError::found(&literal, "identifier")),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(",");
        let key = &self.key;
        match self.operator {
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

impl fmt::Display for LabelSelector {
    /// The canonical text, which parses to an equal selector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, requirement) in self.requirements.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}
