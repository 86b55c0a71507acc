//! Imports point down the lists of layers in docs/architecture.md, and there is no import circle.
//!
//! - An arrow leads from a file to the file that *defines* what the first one names: in `use`, in paths such as
//!   `crate::x::y`, and in attributes such as `#[serde(with = "x::y")]`.
//! - `mod name;` and `pub use` are no arrows. A `pub use` is one if the file itself uses the name.
//! - So a child that imports an item of its own `mod.rs` is in a circle only if code in that `mod.rs` uses the child.
//! - `#[cfg(test)]` items and files of tests are exempt.
//! - `standing.txt` lists what still breaks these rules. The list is exact: a new circle fails, and so does one
//!   that is gone and still listed. `LAYERS_UPDATE=1` writes the list again.
//! - A circle of the kind `parent` is one that is open without the imports of children from their own parents.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, but not in what they call"
)]

mod graph;
mod imports;
mod modules;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use graph::{Graph, circles};
use imports::{Arrow, arrows};
use modules::{Tree, rust_files};

/// The page that states the layers.
const PAGE: &str = "docs/architecture.md";

/// What still breaks the rules.
const STANDING: &str = "proto/tests/layers/standing.txt";

#[test]
fn imports_point_down_and_make_no_circle() {
    let workspace = Workspace::read();
    let mut broken = Broken::default();
    workspace.check_crates(&mut broken);
    for folder in workspace.libraries.values() {
        workspace.check_folders(folder, &mut broken);
    }
    workspace.check_circles(&mut broken);
    broken.compare();
}

/// A parser that misses imports would let everything pass.
#[test]
fn imports_are_found() {
    let workspace = Workspace::read();
    for (folder, floor) in [
        ("proto", 600),
        ("server", 2000),
        ("sim", 700),
        ("tui", 2000),
    ] {
        let seen = workspace.of(folder).count();
        assert!(
            seen >= floor,
            "of {folder} only {seen} imports were seen, fewer than {floor}"
        );
    }
    let all = workspace.files.len() + workspace.crates.len();
    let unresolved: String = workspace
        .unresolved
        .iter()
        .map(|arrow| format!("{arrow}\n"))
        .collect();
    assert!(
        workspace.unresolved.len() * 100 <= all,
        "of {all} names these were not found in the file to which their path leads:\n{unresolved}"
    );
    let missed: Vec<_> = workspace.on_disk.difference(&workspace.read).collect();
    assert!(
        missed.is_empty(),
        "no `mod` leads to these files: {missed:#?}"
    );
}

/// What breaks a rule, as a line of `standing.txt`, with the arrows that do it.
#[derive(Debug, Default)]
struct Broken {
    lines: BTreeMap<String, Vec<Arrow>>,
}

impl Broken {
    fn add(&mut self, line: String, arrow: &Arrow) {
        self.lines.entry(line).or_default().push(arrow.clone());
    }

    /// Compares what is broken with the list.
    fn compare(&self) {
        let path = repository().join(STANDING);
        let text = fs::read_to_string(&path).unwrap_or_default();
        if std::env::var_os("LAYERS_UPDATE").is_some() {
            let comments = text.lines().filter(|line| line.starts_with('#'));
            let lines = comments.chain(self.lines.keys().map(String::as_str));
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            fs::write(&path, text).unwrap();
            return;
        }
        let listed: BTreeSet<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .collect();
        let mut wrong = String::new();
        // An arrow that points up explains most circles: it comes first.
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|(line, _)| !line.starts_with("up "));
        for (line, arrows) in lines {
            if !listed.contains(line.as_str()) {
                writeln!(wrong, "\nnew: {line}").unwrap();
                let mut pairs = BTreeSet::new();
                for arrow in arrows {
                    if pairs.insert((&arrow.from, &arrow.to)) {
                        writeln!(wrong, "  {arrow}").unwrap();
                    }
                }
            }
        }
        for line in listed {
            if !self.lines.contains_key(line) {
                writeln!(wrong, "\ngone, take it off {STANDING}: {line}").unwrap();
            }
        }
        assert!(
            wrong.is_empty(),
            "imports do not follow the layers of {PAGE} ({STANDING} lists what still does not):\n{wrong}"
        );
    }
}

/// The imports of all crates.
struct Workspace {
    /// The folder of each crate by its library's name.
    libraries: BTreeMap<String, String>,
    files: BTreeSet<Arrow>,
    crates: BTreeSet<Arrow>,
    unresolved: BTreeSet<Arrow>,
    read: BTreeSet<PathBuf>,
    on_disk: BTreeSet<PathBuf>,
}

impl Workspace {
    fn read() -> Self {
        let repository = repository();
        let mut workspace = Self {
            libraries: libraries(&repository),
            files: BTreeSet::new(),
            crates: BTreeSet::new(),
            unresolved: BTreeSet::new(),
            read: BTreeSet::new(),
            on_disk: BTreeSet::new(),
        };
        for folder in workspace.libraries.clone().values() {
            let source = repository.join(folder).join("src");
            workspace.on_disk.extend(rust_files(&source));
            let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
            if source.join("bin").is_dir() {
                roots.extend(rust_files(&source.join("bin")));
            }
            for root in roots.iter().filter(|root| root.is_file()) {
                let tree = Tree::read(&repository, root);
                let arrows = arrows(&tree, &workspace.libraries);
                workspace.read.extend(tree.files);
                workspace.files.extend(arrows.files);
                workspace.crates.extend(arrows.crates);
                workspace.unresolved.extend(arrows.unresolved);
            }
        }
        workspace
    }

    /// Returns all arrows that begin in a crate.
    fn of(&self, folder: &str) -> impl Iterator<Item = &Arrow> {
        let start = format!("{folder}/");
        self.files
            .iter()
            .chain(&self.crates)
            .filter(move |arrow| arrow.from.starts_with(&start))
    }

    /// Crates import down the list `crates`. `crate/folder` in the list is a part of a crate with a place of its own.
    fn check_crates(&self, broken: &mut Broken) {
        let layers = Layers::read("crates");
        for arrow in &self.crates {
            let (folder, path) = arrow.from.split_once("/src/").unwrap();
            if folder == arrow.to {
                continue;
            }
            let part = format!("{folder}/{}", unit(path));
            let from = if layers.contains(&part) {
                &part
            } else {
                folder
            };
            if !layers.is_down(from, &arrow.to) {
                broken.add(format!("up crates: {from} -> {}", arrow.to), arrow);
            }
        }
    }

    /// What is directly in a crate's src, folders and files, imports down the crate's list.
    fn check_folders(&self, folder: &str, broken: &mut Broken) {
        let layers = Layers::read(folder);
        let source = format!("{folder}/src/");
        let mut there = BTreeSet::new();
        for file in &self.on_disk {
            let path = file.strip_prefix(repository().join(&source));
            if let Ok(path) = path {
                there.insert(unit(path.to_str().unwrap()).to_owned());
            }
        }
        let listed: BTreeSet<String> = layers.floors.keys().cloned().collect();
        let add: Vec<_> = there.difference(&listed).collect();
        let remove: Vec<_> = listed.difference(&there).collect();
        assert!(
            add.is_empty() && remove.is_empty(),
            "in the list {folder} of {PAGE} add {add:?} and remove {remove:?}"
        );
        for arrow in &self.files {
            let from = arrow.from.strip_prefix(&source).map(unit);
            let to = arrow.to.strip_prefix(&source).map(unit);
            if let (Some(from), Some(to)) = (from, to)
                && from != to
                && !layers.is_down(from, to)
            {
                broken.add(format!("up {folder}: {from} -> {to}"), arrow);
            }
        }
    }

    /// No files and no folders import each other in a circle.
    fn check_circles(&self, broken: &mut Broken) {
        let files = |arrow: &Arrow| Some((arrow.from.clone(), arrow.to.clone()));
        let apart = |arrow: &Arrow| files(arrow).filter(|_| !is_to_parent(arrow));
        let without_parents = self.circles(apart);
        let folders = |arrow: &Arrow| sibling_folders(&arrow.from, &arrow.to);
        for circle in self.circles(files) {
            if !without_parents.contains(&circle) {
                self.add_circle("parent", &circle, files, broken);
            }
        }
        for circle in without_parents {
            self.add_circle("files", &circle, apart, broken);
        }
        for circle in self.circles(folders) {
            self.add_circle("folders", &circle, folders, broken);
        }
    }

    /// Finds the circles among units. `ends` gives the units between which an arrow leads.
    fn circles(
        &self,
        ends: impl Fn(&Arrow) -> Option<(String, String)>,
    ) -> BTreeSet<BTreeSet<String>> {
        let mut graph = Graph::new();
        for (from, to) in self.files.iter().filter_map(ends) {
            graph.entry(to.clone()).or_default();
            graph.entry(from).or_default().insert(to);
        }
        circles(&graph)
    }

    fn add_circle(
        &self,
        kind: &str,
        circle: &BTreeSet<String>,
        ends: impl Fn(&Arrow) -> Option<(String, String)>,
        broken: &mut Broken,
    ) {
        let units: Vec<&str> = circle.iter().map(String::as_str).collect();
        for arrow in &self.files {
            if let Some((from, to)) = ends(arrow)
                && from != to
                && circle.contains(&from)
                && circle.contains(&to)
            {
                broken.add(format!("{kind}: {}", units.join(" ")), arrow);
            }
        }
    }
}

/// Returns whether an arrow leads to the file of a module that contains the first file's module.
fn is_to_parent(arrow: &Arrow) -> bool {
    let folder = arrow
        .to
        .strip_suffix("/mod.rs")
        .or_else(|| arrow.to.strip_suffix(".rs"));
    folder.is_some_and(|folder| arrow.from.starts_with(&format!("{folder}/")))
}

/// Returns the two folders beside each other in which two files are.
fn sibling_folders(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to): (Vec<_>, Vec<_>) = (from.split('/').collect(), to.split('/').collect());
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(from, to)| from == to)
        .count();
    let is_folder = |path: &[&str]| common + 1 < path.len();
    (is_folder(&from) && is_folder(&to))
        .then(|| (from[..=common].join("/"), to[..=common].join("/")))
}

/// Returns the folder or the file, without `.rs`, directly in src to which a path belongs.
fn unit(path: &str) -> &str {
    let first = path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Every way to import, in a small crate.
#[test]
fn an_arrow_leads_to_the_file_that_defines_the_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layers/example");
    let tree = Tree::read(&folder, &folder.join("lib.rs"));
    let libraries = BTreeMap::from([("other_crate".to_owned(), "other".to_owned())]);
    let arrows = arrows(&tree, &libraries);
    let lines = |arrows: &BTreeSet<Arrow>| -> Vec<String> {
        arrows
            .iter()
            .map(|arrow| format!("{} {}: {}", arrow.from, arrow.path, arrow.to))
            .collect()
    };
    assert_eq!(
        lines(&arrows.files),
        [
            "high.rs crate::low::Leaf: low/leaf.rs",
            "high.rs crate::low::Parent: low/mod.rs",
            "high.rs crate::low::Twig: low/leaf.rs",
            "high.rs crate::low::made::Made: low/made.rs",
            "high.rs crate::low::Nothing: low/mod.rs",
            "high.rs super::low::leaf::skip: low/leaf.rs",
            "high.rs low::leaf::grow: low/leaf.rs",
            "high.rs super::super::low::Leaf: low/leaf.rs",
            "high.rs crate::low::Leaf::of: low/leaf.rs",
            "low/leaf.rs super::Parent: low/mod.rs",
            "low/mod.rs self::used::Used: low/used.rs",
        ]
    );
    assert_eq!(lines(&arrows.crates), ["high.rs other_crate::Thing: other"]);
    assert_eq!(
        lines(&arrows.unresolved),
        ["high.rs crate::low::Nothing: low/mod.rs"]
    );
}

/// One list of layers.
struct Layers {
    /// The line of each name.
    floors: BTreeMap<String, usize>,
}

impl Layers {
    /// Reads the block "```layers NAME" of the page: one layer a line, the top one first.
    fn read(name: &str) -> Self {
        let page = fs::read_to_string(repository().join(PAGE)).unwrap();
        let start = format!("```layers {name}");
        let block = page
            .lines()
            .skip_while(|line| line.trim() != start)
            .skip(1)
            .take_while(|line| !line.starts_with("```"));
        let mut floors = BTreeMap::new();
        for (floor, line) in block.enumerate() {
            let names = line.split('#').next().unwrap();
            for name in names.split_whitespace() {
                let before = floors.insert(name.to_owned(), floor);
                assert!(before.is_none(), "{PAGE} has {name} twice in one list");
            }
        }
        assert!(!floors.is_empty(), "{PAGE} has no block {start}");
        Self { floors }
    }

    fn contains(&self, name: &str) -> bool {
        self.floors.contains_key(name)
    }

    fn floor(&self, name: &str) -> usize {
        *self
            .floors
            .get(name)
            .unwrap_or_else(|| panic!("{PAGE} lists no layer of {name}"))
    }

    /// Returns whether the first name is in a layer above that of the second.
    fn is_down(&self, from: &str, to: &str) -> bool {
        self.floor(from) < self.floor(to)
    }
}

/// Returns the folder of each crate of the workspace by its library's name.
fn libraries(repository: &Path) -> BTreeMap<String, String> {
    let manifest = fs::read_to_string(repository.join("Cargo.toml")).unwrap();
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .unwrap();
    let folders = members.split('"').skip(1).step_by(2);
    folders
        .map(|folder| {
            let manifest = fs::read_to_string(repository.join(folder).join("Cargo.toml")).unwrap();
            let name = manifest
                .lines()
                .find_map(|line| line.strip_prefix("name = "))
                .unwrap();
            (name.trim_matches('"').replace('-', "_"), folder.to_owned())
        })
        .collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}
