//! The images of the containers of a pod: how a row has them, and what changed between two templates.
//!
//! A row has the images as one interned text, which the pods of a template share. So a row takes two words more, which
//! are within the block that the allocator gives to it anyway.

use std::collections::BTreeMap;

use super::name::{Name, Names};

/// The most changes of images that a line names.
const MOST_NAMED: usize = 2;

/// The characters of a digest that are shown, as container runtimes do.
const DIGEST_CHARACTERS: usize = 12;

/// The names and images of containers as one text, a container a line. Empty if no image is known.
pub(super) fn joined<'a>(
    containers: impl Iterator<Item = (&'a str, &'a str)>,
    names: &Names,
) -> Name {
    let mut text = String::new();
    for (name, image) in containers.filter(|(_, image)| !image.is_empty()) {
        for part in [name, " ", image, "\n"] {
            text.push_str(part);
        }
    }
    names.intern(&text)
}

/// The containers of a text of [`joined`] with their images.
fn containers(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(' '))
}

/// The changed images in words: `image shop/web:1.4 → 1.5`. `None` if none has changed, or if they are unknown at one
/// of the two times.
pub(super) fn change(before: &str, after: &str) -> Option<String> {
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let earlier: BTreeMap<&str, &str> = containers(before).collect();
    let later: BTreeMap<&str, &str> = containers(after).collect();
    let changed = containers(after).filter_map(|(name, image)| {
        let before = earlier.get(name)?;
        (*before != image).then(|| difference(before, image))
    });
    let mut changed: Vec<String> = changed.collect();
    // Containers with the same image, such as an init container that migrates, change together.
    let mut seen = Vec::new();
    changed.retain(|text| {
        let is_new = !seen.contains(text);
        if is_new {
            seen.push(text.clone());
        }
        is_new
    });
    let added = containers(after).filter(|(name, _)| !earlier.contains_key(name));
    let added = added.map(|(name, image)| format!("new container {name} {}", short(image)));
    let gone = containers(before).filter(|(name, _)| !later.contains_key(name));
    let gone = gone.map(|(name, _)| format!("container {name} removed"));
    let images = match changed.as_slice() {
        [] => None,
        [one] => Some(format!("image {one}")),
        several => Some(named("images ", several)),
    };
    let others: Vec<String> = added.chain(gone).collect();
    let others = (!others.is_empty()).then(|| named("", &others));
    match (images, others) {
        (Some(images), Some(others)) => Some(format!("{images}, {others}")),
        (one, other) => one.or(other),
    }
}

/// The first texts, and the number of the others.
fn named(start: &str, texts: &[String]) -> String {
    let count = texts.len().min(MOST_NAMED);
    let first = texts.get(..count).unwrap_or_default().join(", ");
    match texts.len() - count {
        0 => format!("{start}{first}"),
        more => format!("{start}{first} and {more} more"),
    }
}

/// The parts of the name of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Image<'a> {
    /// The registry and the repository.
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before a slash is that of a registry's port.
        let tagged = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        let (repository, tag) = match tagged {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        Self {
            repository,
            // As the kubelet completes it.
            tag: tag.or(digest.is_none().then_some("latest")),
            digest,
        }
    }

    /// The tag or the digest, as it follows the repository: `:1.4`, `@3f8a1c90d2e7`.
    fn version(&self) -> String {
        match (self.tag, self.digest) {
            (Some(tag), _) => format!(":{tag}"),
            (None, Some(digest)) => format!("@{}", short_digest(digest)),
            (None, None) => String::new(),
        }
    }
}

/// The start of a digest without its algorithm.
fn short_digest(digest: &str) -> &str {
    let (_, hash) = digest.split_once(':').unwrap_or(("", digest));
    let end = hash.floor_char_boundary(DIGEST_CHARACTERS);
    hash.get(..end).unwrap_or_default()
}

/// The image with a short digest.
pub(super) fn short(image: &str) -> String {
    let image = Image::parse(image);
    format!("{}{}", image.repository, image.version())
}

/// An image and the one that replaces it. Of the second one only the tag or digest if the repository is the same.
fn difference(before: &str, after: &str) -> String {
    let (old, new) = (Image::parse(before), Image::parse(after));
    if old.repository != new.repository {
        return format!("{} → {}", short(before), short(after));
    }
    let repository = old.repository;
    match (old.digest, new.digest) {
        // The same tag, built again.
        (Some(was), Some(is)) if old.tag == new.tag => {
            let tag = old.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            let (was, is) = (short_digest(was), short_digest(is));
            format!("{repository}{tag}@{was} → {is}")
        }
        (was, is) if old.tag == new.tag => {
            let digest = |digest: Option<&str>| match digest {
                Some(digest) => format!("@{}", short_digest(digest)),
                None => "without digest".to_owned(),
            };
            format!(
                "{repository}{} {} → {}",
                old.version(),
                digest(was),
                digest(is)
            )
        }
        _ => match (old.tag, new.tag) {
            (Some(was), Some(is)) => format!("{repository}:{was} → {is}"),
            _ => format!("{repository}{} → {}", old.version(), new.version()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_that_differs_is_repeated() {
        let a = "sha256:3f8a1c90d2e7b5a6c4d8";
        let b = "sha256:9b2e77d01c4fa8";
        for (before, after, expected) in [
            ("shop/web:1.4", "shop/web:1.5", "shop/web:1.4 → 1.5"),
            ("web", "web:2", "web:latest → 2"),
            ("reg:5000/web", "reg:5000/web:2", "reg:5000/web:latest → 2"),
            ("a/web:1", "b/web:1", "a/web:1 → b/web:1"),
            (
                &format!("web@{a}"),
                &format!("web@{b}"),
                "web@3f8a1c90d2e7 → 9b2e77d01c4f",
            ),
            (
                &format!("web:1@{a}"),
                &format!("web:1@{b}"),
                "web:1@3f8a1c90d2e7 → 9b2e77d01c4f",
            ),
            (&format!("web:1@{a}"), &format!("web:2@{b}"), "web:1 → 2"),
            ("web:1", &format!("web@{b}"), "web:1 → @9b2e77d01c4f"),
            (
                "web:1",
                &format!("web:1@{b}"),
                "web:1 without digest → @9b2e77d01c4f",
            ),
            (
                "a/web:1",
                &format!("b/web@{b}"),
                "a/web:1 → b/web@9b2e77d01c4f",
            ),
        ] {
            assert_eq!(difference(before, after), expected);
        }
    }

    fn text(containers: &[(&str, &str)]) -> Name {
        joined(containers.iter().copied(), &Names::default())
    }

    #[test]
    fn a_change_names_what_is_different_and_no_more_than_a_line_takes() {
        let before = text(&[("migrate", "web:1"), ("web", "web:1"), ("proxy", "envoy:1")]);
        for (after, expected) in [
            (
                &[("migrate", "web:1"), ("web", "web:1"), ("proxy", "envoy:1")][..],
                None,
            ),
            (&[], None),
            (
                &[("migrate", "web:2"), ("web", "web:2"), ("proxy", "envoy:1")],
                Some("image web:1 → 2"),
            ),
            (
                &[("migrate", "web:2"), ("web", "web:2"), ("proxy", "envoy:2")],
                Some("images web:1 → 2, envoy:1 → 2"),
            ),
            (
                &[("migrate", "web:3"), ("web", "web:2"), ("proxy", "envoy:2")],
                Some("images web:1 → 3, web:1 → 2 and 1 more"),
            ),
            (
                &[("web", "web:2"), ("proxy", "envoy:1"), ("log", "fluent:3")],
                Some("image web:1 → 2, new container log fluent:3, container migrate removed"),
            ),
        ] {
            assert_eq!(change(&before, &text(after)).as_deref(), expected);
        }
        assert_eq!(change("", &before), None);
    }

    #[test]
    fn pods_of_a_template_share_the_text() {
        let names = Names::default();
        let one = joined([("web", "web:1")].into_iter(), &names);
        let other = joined([("web", "web:1")].into_iter(), &names);
        assert!(Name::ptr_eq(&one, &other));
        assert!(joined([("web", "")].into_iter(), &names).is_empty());
    }

    #[test]
    fn nonsense_is_an_image_without_parts() {
        for image in [
            "",
            ":",
            "@",
            "a:@b:",
            "日本語日本語日本語:日@本:語語語語語語語",
        ] {
            assert!(!difference(image, "web:1").is_empty());
            assert!(!difference(image, image).is_empty());
        }
    }
}
