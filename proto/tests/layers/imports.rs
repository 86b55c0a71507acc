//! Follows each import and path to the file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::modules::{Import, Tree};

/// One file uses something of another file or of another crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) line: usize,
    pub(crate) path: String,
    pub(crate) to: String,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {} -> {}",
            self.from, self.line, self.path, self.to
        )
    }
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity<'a> {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
    /// A name that cannot be found in this module, such as one that a macro makes.
    Unresolved(usize),
    /// Something in another crate of the workspace: its library's name.
    Crate(&'a str),
    /// Something in another library, or a local name.
    Outside,
}

/// The result for one crate root.
#[derive(Debug, Default)]
pub(crate) struct Arrows {
    /// Between files of the crate.
    pub(crate) files: BTreeSet<Arrow>,
    /// From a file to another crate of the workspace; `to` is the crate's folder.
    pub(crate) crates: BTreeSet<Arrow>,
    pub(crate) unresolved: BTreeSet<Arrow>,
}

/// Finds the arrows of a crate. `libraries` has the folder of each crate by its library's name.
pub(crate) fn arrows(tree: &Tree, libraries: &BTreeMap<String, String>) -> Arrows {
    let resolver = Resolver { tree, libraries };
    let mut arrows = Arrows::default();
    for (index, module) in tree.modules.iter().enumerate() {
        for import in &module.imports {
            // A re-export alone is no use of what it names.
            if import.is_public && !module.words.contains_key(&import.name) {
                continue;
            }
            let entity = resolver.import(index, import, 0);
            // A module's name alone is no use if paths begin with it: those are arrows of their own.
            let is_head = module
                .paths
                .iter()
                .any(|(path, _)| path.first() == Some(&import.name));
            if matches!(entity, Entity::Module(_)) && is_head {
                continue;
            }
            resolver.add(&mut arrows, index, &import.path, import.line, entity);
        }
        for (path, line) in &module.paths {
            let entity = resolver.path(index, path, 0);
            resolver.add(&mut arrows, index, path, *line, entity);
        }
    }
    arrows
}

struct Resolver<'a> {
    tree: &'a Tree,
    libraries: &'a BTreeMap<String, String>,
}

impl<'a> Resolver<'a> {
    fn add(&self, arrows: &mut Arrows, from: usize, path: &[String], line: usize, to: Entity<'_>) {
        let from = self.tree.modules[from].file.clone();
        let arrow = |to: &str| Arrow {
            from: from.clone(),
            line,
            path: path.join("::"),
            to: to.to_owned(),
        };
        match to {
            Entity::Module(module) | Entity::Item(module) | Entity::Unresolved(module) => {
                let file = &self.tree.modules[module].file;
                if matches!(to, Entity::Unresolved(_)) {
                    arrows.unresolved.insert(arrow(file));
                }
                if *file != from {
                    arrows.files.insert(arrow(file));
                }
            }
            Entity::Crate(library) => {
                if let Some(folder) = self.libraries.get(library) {
                    arrows.crates.insert(arrow(folder));
                }
            }
            Entity::Outside => {}
        }
    }

    fn import(&self, module: usize, import: &'a Import, depth: usize) -> Entity<'a> {
        self.path(module, &import.path, depth + 1)
    }

    fn path(&self, module: usize, path: &'a [String], depth: usize) -> Entity<'a> {
        let Some((first, rest)) = path.split_first() else {
            return Entity::Outside;
        };
        let mut entity = match first.as_str() {
            "crate" => Entity::Module(0),
            "self" => Entity::Module(module),
            "super" => self.parent(module),
            name if self.libraries.contains_key(name) => return Entity::Crate(name),
            name => self
                .member(module, name, rest.is_empty(), depth)
                .unwrap_or(Entity::Outside),
        };
        for (index, segment) in rest.iter().enumerate() {
            entity = match entity {
                Entity::Module(module) if segment == "super" => self.parent(module),
                Entity::Module(module) => self
                    .member(module, segment, index + 1 == rest.len(), depth)
                    .unwrap_or(Entity::Unresolved(module)),
                other => other,
            };
        }
        entity
    }

    fn parent(&self, module: usize) -> Entity<'a> {
        self.tree.modules[module]
            .parent
            .map_or(Entity::Outside, Entity::Module)
    }

    /// Finds a name in a module. A module and an item may have the same name: the item is meant at the end of a path.
    fn member(&self, module: usize, name: &str, is_last: bool, depth: usize) -> Option<Entity<'a>> {
        if depth > 16 {
            return None;
        }
        let here = &self.tree.modules[module];
        let child = here.children.get(name).map(|child| Entity::Module(*child));
        if child.is_some() && !is_last {
            return child;
        }
        if here.items.contains(name) {
            return Some(Entity::Item(module));
        }
        // `use name::name` beside `mod name` names what is in that module.
        let mut imports = here.imports.iter().filter(|import| import.name == name);
        if let Some(import) = imports.next() {
            return Some(self.import(module, import, depth));
        }
        child
            .or_else(|| self.in_globs(module, name, is_last, depth))
            .or_else(|| {
                // A macro may make an item of a name that stands in its call.
                let is_here = here.inner.contains(name) || here.words.contains_key(name);
                is_here.then_some(Entity::Item(module))
            })
    }

    fn in_globs(
        &self,
        module: usize,
        name: &str,
        is_last: bool,
        depth: usize,
    ) -> Option<Entity<'a>> {
        let here = &self.tree.modules[module];
        let mut globs = here.imports.iter().filter(|import| import.name == "*");
        globs.find_map(|glob| match self.import(module, glob, depth) {
            Entity::Module(from) if from != module => self.member(from, name, is_last, depth + 1),
            _ => None,
        })
    }
}
