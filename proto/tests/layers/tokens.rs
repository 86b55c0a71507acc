//! Splits Rust source into the tokens that matter for imports.

/// A token and the line that it is on.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

/// What a token is. Comments, lifetimes, numbers and characters are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Word(String),
    /// `::`
    Separator,
    Sign(char),
    /// The content of a string: attributes name functions in strings.
    Text(String),
}

impl Token {
    /// Returns the token's word.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Returns whether the token is this sign.
    pub(crate) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Returns the tokens of a source file.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn bump(&mut self) -> char {
        let next = self.peek(0);
        self.at += 1;
        self.line += usize::from(next == '\n');
        next
    }

    fn push(&mut self, line: usize, kind: Kind) {
        self.tokens.push(Token { kind, line });
    }

    fn step(&mut self) {
        let line = self.line;
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.bump();
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.text(),
            ('\'', _) => self.character_or_lifetime(),
            (':', ':') => {
                self.at += 2;
                self.push(line, Kind::Separator);
            }
            (next, _) if next.is_alphabetic() || next == '_' => self.word(),
            (next, _) if next.is_ascii_digit() => {
                while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                    self.bump();
                }
            }
            (next, _) if next.is_whitespace() => {
                self.bump();
            }
            (next, _) => {
                self.bump();
                self.push(line, Kind::Sign(next));
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads a word, or the string or the raw word of which it is the prefix.
    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.bump());
        }
        let is_prefix = matches!(word.as_str(), "r" | "b" | "br" | "c" | "cr");
        if is_prefix && word.ends_with('r') && matches!(self.peek(0), '#' | '"') {
            let hashes = (0..).take_while(|ahead| self.peek(*ahead) == '#').count();
            if self.peek(hashes) == '"' {
                return self.raw_text(hashes);
            }
            self.at += 1;
            return self.word();
        }
        if is_prefix && self.peek(0) == '"' {
            return self.text();
        }
        if word == "b" && self.peek(0) == '\'' {
            return self.character_or_lifetime();
        }
        self.push(line, Kind::Word(word));
    }

    fn text(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.bump();
        while self.at < self.chars.len() {
            match self.bump() {
                '"' => break,
                '\\' => {
                    self.bump();
                }
                next => text.push(next),
            }
        }
        self.push(line, Kind::Text(text));
    }

    fn raw_text(&mut self, hashes: usize) {
        let line = self.line;
        self.at += hashes + 1;
        let mut text = String::new();
        while self.at < self.chars.len() {
            let next = self.bump();
            if next == '"' && (0..hashes).all(|ahead| self.peek(ahead) == '#') {
                break;
            }
            text.push(next);
        }
        self.at += hashes;
        self.push(line, Kind::Text(text));
    }

    fn character_or_lifetime(&mut self) {
        self.bump();
        if self.peek(0) == '\\' {
            self.bump();
            self.bump();
            while self.at < self.chars.len() && self.bump() != '\'' {}
        } else if self.peek(1) == '\'' {
            self.bump();
            self.bump();
        }
        // Otherwise a lifetime: its name becomes a word, which no rule looks at.
    }
}
