//! Reads the modules of a crate: what each declares, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tokens::{Kind, Token, tokens};

/// A module: a file, or a `mod name { … }` in one.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The file, from the repository's folder on.
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// Names of the items that are defined here.
    pub(crate) items: BTreeSet<String>,
    /// Names of what is defined deeper, such as in the call of a macro that makes items.
    pub(crate) inner: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths in code, other than those of `use`.
    pub(crate) paths: Vec<(Vec<String>, usize)>,
    /// How often each word stands in code, those of `use` not counted.
    pub(crate) words: BTreeMap<String, usize>,
}

/// One name of a `use`.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name in this module; `*` for all.
    pub(crate) name: String,
    /// `pub use`, `pub(crate) use`, …
    pub(crate) is_public: bool,
    pub(crate) line: usize,
}

/// The modules of one crate root, the root first, and all files that its code and its tests are in.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
    pub(crate) files: BTreeSet<PathBuf>,
}

impl Tree {
    /// Reads a crate from its root file.
    pub(crate) fn read(repository: &Path, root: &Path) -> Self {
        let mut tree = Self::default();
        let folder = root.parent().unwrap().to_path_buf();
        tree.read_file(repository, root, &folder, None);
        tree
    }

    fn read_file(
        &mut self,
        repository: &Path,
        path: &Path,
        folder: &Path,
        parent: Option<usize>,
    ) -> usize {
        let source = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        self.files.insert(path.to_path_buf());
        let index = self.add(path.strip_prefix(repository).unwrap(), parent);
        let tokens = tokens(&source);
        let mut reader = Reader {
            file: path,
            tokens: &tokens,
            at: 0,
            module: index,
            open: Vec::new(),
        };
        // A file that is declared in a test is read for its place in the tree alone.
        while reader.at < tokens.len() {
            if let Some((module, name, is_test)) = reader.step(self) {
                let inside = reader.folder_of(self, module, index, folder);
                let (file, below) = file_of(&inside, &name);
                if is_test {
                    self.skip_tests(&file, &below);
                } else {
                    let child = self.read_file(repository, &file, &below, Some(module));
                    self.modules[module].children.insert(name, child);
                }
            }
        }
        index
    }

    /// Notes the files of a test module without reading them.
    fn skip_tests(&mut self, file: &Path, below: &Path) {
        self.files.insert(file.to_path_buf());
        if below.is_dir() {
            self.files.extend(rust_files(below));
        }
    }

    fn add(&mut self, file: &Path, parent: Option<usize>) -> usize {
        self.modules.push(Module {
            file: file.to_str().unwrap().to_owned(),
            parent,
            ..Module::default()
        });
        self.modules.len() - 1
    }
}

/// Returns the file of `mod name;` and the folder of that module's own modules.
fn file_of(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let below = folder.join(name);
    let file = folder.join(format!("{name}.rs"));
    if file.is_file() {
        (file, below)
    } else {
        (below.join("mod.rs"), below)
    }
}

/// Returns all Rust files below a folder.
pub(crate) fn rust_files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path);
        }
    }
    files
}

struct Reader<'a> {
    file: &'a Path,
    tokens: &'a [Token],
    at: usize,
    module: usize,
    /// For each open brace, the module that it closes.
    open: Vec<Option<usize>>,
}

impl Reader<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn word(&self, ahead: usize) -> &str {
        self.token(ahead).and_then(Token::word).unwrap_or_default()
    }

    fn is(&self, ahead: usize, sign: char) -> bool {
        self.token(ahead).is_some_and(|token| token.is(sign))
    }

    /// Reads one item or word. Returns the module that is declared in another file, and whether it is a test.
    fn step(&mut self, tree: &mut Tree) -> Option<(usize, String, bool)> {
        if self.is(0, '#') {
            return self.attribute(tree);
        }
        if self.is(0, '{') {
            self.open.push(None);
        } else if self.is(0, '}')
            && let Some(module) = self.open.pop().flatten()
        {
            self.module = module;
        }
        // `pub(in crate::a)` says who may use the item: it is no import.
        if self.word(0) == "pub" && self.is(1, '(') && (self.word(2) == "in" || self.is(3, ')')) {
            self.at = self.group_end(self.at + 1) + 1;
            return None;
        }
        match self.word(0) {
            // Not `use<'a>` of a return type.
            "use" if !self.is(1, '<') => {
                self.import(tree);
                return None;
            }
            "mod" if self.is(2, ';') => {
                let name = self.word(1).to_owned();
                self.at += 3;
                return Some((self.module, name, false));
            }
            "mod" if self.is(2, '{') => {
                let name = self.word(1).to_owned();
                let file = PathBuf::from(&tree.modules[self.module].file);
                let child = tree.add(&file, Some(self.module));
                tree.modules[self.module].children.insert(name, child);
                self.open.push(Some(self.module));
                self.module = child;
                self.at += 3;
                return None;
            }
            "const" if matches!(self.word(1), "fn" | "unsafe" | "async") => {
                self.at += 1;
                return None;
            }
            "struct" | "enum" | "fn" | "trait" | "type" | "const" | "static" | "union"
            | "macro_rules" => {
                let ahead = 1 + usize::from(self.is(1, '!') || self.word(1) == "mut");
                let name = self.word(ahead).to_owned();
                if !name.is_empty() {
                    if self.open.iter().all(Option::is_some) {
                        tree.modules[self.module].items.insert(name);
                    } else {
                        tree.modules[self.module].inner.insert(name);
                    }
                    // A definition is no use of the name.
                    self.at += ahead;
                }
                self.at += 1;
                return None;
            }
            _ => {}
        }
        self.path(tree);
        None
    }

    /// Reads a path, a word, or another token.
    fn path(&mut self, tree: &mut Tree) {
        let Some(token) = self.tokens.get(self.at) else {
            return;
        };
        let line = token.line;
        let after_separator = self.at > 0 && self.tokens[self.at - 1].kind == Kind::Separator;
        let after_dot = self.at > 0 && self.tokens[self.at - 1].is('.');
        let Some(first) = token.word() else {
            self.at += 1;
            return;
        };
        let mut path = vec![first.to_owned()];
        while self
            .token(1)
            .is_some_and(|next| next.kind == Kind::Separator)
            && let Some(next) = self.token(2).and_then(Token::word)
        {
            path.push(next.to_owned());
            self.at += 2;
        }
        let is_field = path.len() == 1 && self.is(1, ':');
        self.at += 1;
        let module = &mut tree.modules[self.module];
        if is_field {
            module.inner.insert(path[0].clone());
        } else if !after_separator && !after_dot {
            *module.words.entry(path[0].clone()).or_default() += 1;
        }
        if path.len() > 1 && !after_separator {
            module.paths.push((path, line));
        }
    }

    /// Reads an attribute. What `#[cfg(test)]` stands before is skipped.
    fn attribute(&mut self, tree: &mut Tree) -> Option<(usize, String, bool)> {
        let start = self.at;
        self.at += 1 + usize::from(self.is(1, '!'));
        let end = self.group_end(self.at);
        let inside = &self.tokens[self.at + 1..end];
        let words: Vec<&str> = inside.iter().filter_map(Token::word).collect();
        let is_inner = self.tokens[start + 1].is('!');
        if words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not") {
            self.at = if is_inner { self.tokens.len() } else { end + 1 };
            return self.skip_item();
        }
        for token in inside {
            if let Kind::Text(text) = &token.kind
                && text.contains("::")
                && text
                    .chars()
                    .all(|next| next.is_alphanumeric() || "_:".contains(next))
            {
                let path = text.split("::").map(str::to_owned).collect();
                tree.modules[self.module].paths.push((path, token.line));
            }
        }
        self.at += 1;
        while self.at < end {
            self.path(tree);
        }
        self.at = end + 1;
        None
    }

    /// Skips the item that follows. Returns the module that it declares in another file.
    fn skip_item(&mut self) -> Option<(usize, String, bool)> {
        while self.is(0, '#') {
            self.at = self.group_end(self.at + 1) + 1;
        }
        let is_use = (0..8)
            .map(|ahead| self.word(ahead))
            .find(|word| !matches!(*word, "pub" | "crate" | "super" | "in" | ""))
            .is_some_and(|word| word == "use");
        let mut is_item = false;
        while let Some(token) = self.tokens.get(self.at) {
            if token.word() == Some("mod") && self.is(2, ';') {
                let name = self.word(1).to_owned();
                self.at += 3;
                return Some((self.module, name, true));
            }
            is_item |= matches!(
                token.word(),
                Some(
                    "fn" | "impl"
                        | "struct"
                        | "enum"
                        | "trait"
                        | "mod"
                        | "static"
                        | "const"
                        | "type"
                )
            );
            match &token.kind {
                Kind::Sign(';') => {
                    self.at += 1;
                    return None;
                }
                // A field or a variant.
                Kind::Sign(',') if !is_item && !is_use => {
                    self.at += 1;
                    return None;
                }
                Kind::Sign('}') => return None,
                Kind::Sign('{') if !is_use => {
                    self.at = self.group_end(self.at) + 1;
                    return None;
                }
                Kind::Sign('(' | '[' | '{') => self.at = self.group_end(self.at) + 1,
                _ => self.at += 1,
            }
        }
        None
    }

    /// Returns the index of the token that closes the bracket at `at`.
    fn group_end(&self, at: usize) -> usize {
        let mut depth = 0;
        for (index, token) in self.tokens.iter().enumerate().skip(at) {
            match &token.kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => depth -= 1,
                _ => continue,
            }
            if depth == 0 {
                return index;
            }
        }
        panic!(
            "{}:{}: a bracket is not closed",
            self.file.display(),
            self.tokens[at].line
        );
    }

    /// Reads a `use` into the module's imports.
    fn import(&mut self, tree: &mut Tree) {
        let is_public = self.is_public();
        self.at += 1;
        let mut imports = Vec::new();
        self.use_tree(&mut Vec::new(), is_public, &mut imports);
        assert!(
            self.is(0, ';'),
            "{}:{}: cannot parse this use",
            self.file.display(),
            self.tokens[self.at.min(self.tokens.len() - 1)].line
        );
        self.at += 1;
        tree.modules[self.module].imports.extend(imports);
    }

    /// Returns whether `pub` or `pub(…)` stands before this token.
    fn is_public(&self) -> bool {
        let mut before = self.at;
        if before > 0 && self.tokens[before - 1].is(')') {
            while before > 0 && !self.tokens[before].is('(') {
                before -= 1;
            }
        }
        before > 0 && self.tokens[before - 1].word() == Some("pub")
    }

    fn use_tree(&mut self, path: &mut Vec<String>, is_public: bool, imports: &mut Vec<Import>) {
        let depth = path.len();
        // A leading `::` names a crate outside.
        if self
            .token(0)
            .is_some_and(|token| token.kind == Kind::Separator)
        {
            path.push("::".to_owned());
            self.at += 1;
        }
        loop {
            let line = self.token(0).map_or(0, |token| token.line);
            if self.is(0, '{') {
                self.at += 1;
                while !self.is(0, '}') {
                    self.use_tree(path, is_public, imports);
                    self.at += usize::from(self.is(0, ','));
                }
                self.at += 1;
                break;
            }
            let segment = if self.is(0, '*') { "*" } else { self.word(0) }.to_owned();
            assert!(
                !segment.is_empty(),
                "{}:{line}: cannot parse this use",
                self.file.display()
            );
            self.at += 1;
            if self
                .token(0)
                .is_some_and(|token| token.kind == Kind::Separator)
            {
                path.push(segment);
                self.at += 1;
                continue;
            }
            let mut name = segment.clone();
            if segment == "self" {
                name = path.last().cloned().unwrap_or_default();
            } else if segment != "*" {
                path.push(segment.clone());
            }
            if self.word(0) == "as" {
                name = self.word(1).to_owned();
                self.at += 2;
            }
            imports.push(Import {
                path: path.clone(),
                name,
                is_public,
                line,
            });
            break;
        }
        path.truncate(depth);
    }

    /// Returns the folder in which the files of a module's modules are.
    fn folder_of(&self, tree: &Tree, module: usize, file: usize, folder: &Path) -> PathBuf {
        let mut names = Vec::new();
        let mut at = module;
        while at != file {
            let parent = tree.modules[at].parent.unwrap();
            let children = &tree.modules[parent].children;
            names.extend(
                children
                    .iter()
                    .find(|(_, child)| **child == at)
                    .map(|(name, _)| name),
            );
            at = parent;
        }
        names
            .iter()
            .rev()
            .fold(folder.to_path_buf(), |folder, name| folder.join(name))
    }
}
