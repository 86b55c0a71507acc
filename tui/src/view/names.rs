//! Shortens names so that different names stay different.
//!
//! First, the labels that all names share at their ends are left out (`.eu.compute.internal`, `prod-`), except the first
//! ones that fit. Then each name
//! that is still too long loses its middle. Names that are equal then are cut where they do not differ.

use std::collections::{HashMap, HashSet};

use crate::text::{cut_middle, head, tail, width};

/// Shortened names. A name that is not in the map fits.
#[derive(Debug, Default)]
pub(super) struct Elided<'a>(HashMap<&'a str, String>);

impl Elided<'_> {
    /// Returns a name as it is displayed.
    pub(super) fn text<'b>(&'b self, name: &'b str) -> &'b str {
        self.0.get(name).map_or(name, String::as_str)
    }
}

/// Shortens names to `space` cells. `others` are names of the same list that are not on the screen. They count for the
/// shared labels, so that scrolling does not change a name.
///
/// Different names stay different if there are at most `space` of them, and mostly if there are more.
pub(super) fn elide<'a>(
    names: impl IntoIterator<Item = &'a str>,
    others: impl IntoIterator<Item = &'a str>,
    space: usize,
    ellipsis: &str,
) -> Elided<'a> {
    let mut unique = HashSet::new();
    let mut names: Vec<&str> = names
        .into_iter()
        .filter(|name| unique.insert(*name))
        .collect();
    let all: Vec<&str> = others
        .into_iter()
        .filter(|name| unique.insert(*name))
        .chain(names.iter().copied())
        .collect();
    if all.iter().all(|name| width(name) <= space) {
        return Elided::default();
    }
    names.sort_unstable();
    if space < 4 {
        // There is space for a beginning only.
        let cut = names
            .iter()
            .map(|name| (*name, cut_middle(name, space, ellipsis).into_owned()));
        return Elided(cut.collect());
    }
    let cutter = Cutter { space, ellipsis };
    if let Some(shortened) = cutter.without_shared(&names, &all) {
        return Elided(names.into_iter().zip(shortened).collect());
    }
    let shortened = cutter.one_by_one(&names, &all);
    Elided(names.into_iter().zip(shortened).collect())
}

/// The bytes that names share at their beginnings and at their ends.
#[derive(Debug, Clone, Copy, Default)]
struct Shared {
    before: usize,
    behind: usize,
}

impl Shared {
    /// Returns a name without the shared bytes.
    fn core<'a>(&self, name: &'a str) -> &'a str {
        let end = name.len().saturating_sub(self.behind);
        name.get(self.before..end).unwrap_or(name)
    }
}

/// Whether a character separates labels.
const fn is_border(c: char) -> bool {
    matches!(c, '.' | '-')
}

/// Returns the length of the common prefix, in bytes.
fn common_prefix(texts: &[&str]) -> usize {
    let Some((first, others)) = texts.split_first() else {
        return 0;
    };
    others.iter().fold(first.len(), |length, other| {
        let first = first.get(..length).unwrap_or_default();
        let same = first.char_indices().zip(other.chars());
        let differs = same
            .filter(|((_, a), b)| a != b)
            .map(|((at, _), _)| at)
            .next();
        differs.unwrap_or_else(|| first.len().min(other.len()))
    })
}

/// Returns the length of the common suffix, in bytes.
fn common_suffix(texts: &[&str]) -> usize {
    let Some((first, others)) = texts.split_first() else {
        return 0;
    };
    others.iter().fold(first.len(), |length, other| {
        let mut same = 0;
        for (a, b) in first.chars().rev().zip(other.chars().rev()) {
            if a != b || same + a.len_utf8() > length {
                break;
            }
            same += a.len_utf8();
        }
        same
    })
}

/// Returns the whole labels that names share. Each name keeps at least one character.
fn shared(names: &[&str]) -> Shared {
    let (Some(first), true) = (names.first(), names.len() > 1) else {
        return Shared::default();
    };
    let end = first
        .get(first.len() - common_suffix(names)..)
        .unwrap_or_default();
    // The separator is left out too, here and at the beginning.
    let behind = end.find(is_border).map_or(0, |at| end.len() - at);
    let left: Vec<&str> = names
        .iter()
        .map(|name| name.get(..name.len() - behind).unwrap_or_default())
        .collect();
    let beginning = first.get(..common_prefix(&left)).unwrap_or_default();
    let before = beginning.rfind(is_border).map_or(0, |at| at + 1);
    let shared = Shared { before, behind };
    let something_is_left = names.iter().all(|name| !shared.core(name).is_empty());
    if something_is_left {
        shared
    } else {
        Shared::default()
    }
}

/// Counts the domains of names: every suffix from a dot on.
fn domains<'a>(names: &[&'a str]) -> HashMap<&'a str, usize> {
    let mut domains = HashMap::new();
    for name in names {
        for (at, _) in name.match_indices('.') {
            *domains
                .entry(name.get(at..).unwrap_or_default())
                .or_default() += 1;
        }
    }
    domains
}

/// Returns a name without the longest domain that another name has too.
fn without_domain<'a>(name: &'a str, domains: &HashMap<&str, usize>) -> &'a str {
    let is_shared = |at: &usize| {
        let domain = name.get(*at..).unwrap_or_default();
        domains.get(domain).is_some_and(|count| *count > 1)
    };
    let mut dots = name.match_indices('.').map(|(at, _)| at);
    let end = dots.find(is_shared).filter(|at| *at > 0);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// Cuts names to `space` cells.
struct Cutter<'a> {
    space: usize,
    ellipsis: &'a str,
}

impl Cutter<'_> {
    /// Returns the names without their shared labels, if they fit then. Leaves out as little as possible, and marks the
    /// gap with an ellipsis if that fits.
    fn without_shared(&self, names: &[&str], all: &[&str]) -> Option<Vec<String>> {
        let both = shared(all);
        let behind = Shared { before: 0, ..both };
        let cuts = [(behind, true), (behind, false), (both, true), (both, false)];
        cuts.into_iter()
            .filter(|(shared, _)| shared.before + shared.behind > 0)
            .map(|(shared, marked)| -> Vec<String> {
                let sign = |is_cut: usize| {
                    if marked && is_cut > 0 {
                        self.ellipsis
                    } else {
                        ""
                    }
                };
                let (before, behind) = (sign(shared.before), sign(shared.behind));
                let cut = |name: &&str| format!("{before}{}{behind}", shared.core(name));
                names.iter().map(cut).collect()
            })
            .find(|shortened| shortened.iter().all(|name| width(name) <= self.space))
            .map(|shortened| self.with_first_labels(names, &both, shortened))
    }

    /// Puts the first of the shared labels before names that start with the mark of a gap, as many as fit.
    fn with_first_labels(
        &self,
        names: &[&str],
        shared: &Shared,
        shortened: Vec<String>,
    ) -> Vec<String> {
        let longest = shortened.iter().map(|name| width(name)).max().unwrap_or(0);
        let is_marked = shortened.iter().all(|name| name.starts_with(self.ellipsis));
        let labels = names.first().and_then(|name| {
            let before = name.get(..shared.before)?;
            let spare = head(before, self.space.saturating_sub(longest));
            spare.get(..=spare.rfind(is_border)?)
        });
        match labels.filter(|_| is_marked) {
            Some(labels) => shortened
                .iter()
                .map(|name| format!("{labels}{name}"))
                .collect(),
            None => shortened,
        }
    }

    /// Cuts each name by itself. Cuts equal results where the names differ.
    fn one_by_one(&self, names: &[&str], all: &[&str]) -> Vec<String> {
        let shared = shared(all);
        let domains = domains(all);
        let before = if shared.before > 0 { self.ellipsis } else { "" };
        let space = self.space.saturating_sub(width(before));
        let mut shortened: Vec<String> = names
            .iter()
            .map(|name| {
                if width(name) <= self.space {
                    return (*name).to_owned();
                }
                let core = shared.core(name);
                let host = without_domain(core, &domains);
                let behind = if host.len() < core.len() {
                    self.ellipsis
                } else {
                    ""
                };
                if width(host) + width(behind) <= space {
                    return format!("{before}{host}{behind}");
                }
                format!("{before}{}", cut_middle(host, space, self.ellipsis))
            })
            .collect();
        let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, text) in shortened.iter().enumerate() {
            groups.entry(text.clone()).or_default().push(at);
        }
        for group in groups.values().filter(|group| group.len() > 1) {
            let cores: Vec<&str> = group
                .iter()
                .filter_map(|at| names.get(*at).map(|name| shared.core(name)))
                .collect();
            let (before, behind) = (common_prefix(&cores), common_suffix(&cores));
            for (at, core) in group.iter().zip(cores) {
                if let Some(text) = shortened.get_mut(*at) {
                    *text = self.cut_around(core, before, core.len().saturating_sub(behind));
                }
            }
        }
        self.make_unique(names, shortened)
    }

    /// Cuts a name so that its bytes from `begin` to `end` stay, with as much of the beginning as fits.
    fn cut_around(&self, name: &str, begin: usize, end: usize) -> String {
        // If one name contains another, its extra part may be at the end of the shared part.
        let begin = begin.min(end.saturating_sub(1));
        let (Some(upto), Some(part)) = (name.get(..end), name.get(begin..end)) else {
            return cut_middle(name, self.space, self.ellipsis).into_owned();
        };
        let sign = width(self.ellipsis);
        let behind = if end < name.len() { self.ellipsis } else { "" };
        let space = self.space.saturating_sub(width(behind));
        if width(upto) <= space {
            return format!("{upto}{behind}");
        }
        if width(part) + sign > space {
            return cut_middle(part, self.space, self.ellipsis).into_owned();
        }
        let spare = space - sign - width(part);
        let beginning = head(upto, spare / 2);
        let rest = tail(upto, space - sign - width(beginning));
        format!("{beginning}{}{rest}{behind}", self.ellipsis)
    }

    /// Makes equal results different, by a matching of names and cuts.
    fn make_unique(&self, names: &[&str], shortened: Vec<String>) -> Vec<String> {
        let different: HashSet<&String> = shortened.iter().collect();
        if different.len() == shortened.len() {
            return shortened;
        }
        let cuts: Vec<Vec<String>> = names
            .iter()
            .zip(&shortened)
            .map(|(name, text)| self.cuts(name, text))
            .collect();
        let mut owners: HashMap<&str, usize> = HashMap::new();
        for at in 0..cuts.len() {
            claim(at, &cuts, &mut owners, &mut HashSet::new());
        }
        let mut result = shortened.clone();
        for (text, at) in owners {
            if let Some(slot) = result.get_mut(at) {
                *slot = text.to_owned();
            }
        }
        result
    }

    /// Returns all cuts of a name, the best first: the present one, then with less and less of its beginning, then
    /// parts of its middle.
    fn cuts(&self, name: &str, shortened: &str) -> Vec<String> {
        if width(name) <= self.space {
            return vec![name.to_owned()];
        }
        let sign = width(self.ellipsis);
        let mut cuts = vec![shortened.to_owned()];
        let space = self.space.saturating_sub(sign);
        let one = (0..=space).rev().map(|beginning| {
            let beginning = head(name, beginning);
            let end = tail(name, space - width(beginning));
            format!("{beginning}{}{end}", self.ellipsis)
        });
        cuts.extend(one);
        if let Some(space) = space.checked_sub(sign).filter(|space| *space > 0) {
            let middles = name.char_indices().skip(1).map(|(at, _)| {
                let part = head(name.get(at..).unwrap_or_default(), space);
                format!("{0}{part}{0}", self.ellipsis)
            });
            cuts.extend(middles);
        }
        cuts
    }
}

/// Assigns to a name its first cut that is free, or that another name can exchange (augmenting path).
fn claim<'a>(
    at: usize,
    cuts: &'a [Vec<String>],
    owners: &mut HashMap<&'a str, usize>,
    visited: &mut HashSet<&'a str>,
) -> bool {
    for cut in cuts.get(at).into_iter().flatten() {
        if !visited.insert(cut) {
            continue;
        }
        let free = match owners.get(cut.as_str()).copied() {
            None => true,
            Some(owner) => claim(owner, cuts, owners, visited),
        };
        if free {
            owners.insert(cut, at);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shortened(names: &[&str], space: usize) -> Vec<String> {
        let elided = elide(names.iter().copied(), [], space, "…");
        names
            .iter()
            .map(|name| elided.text(name).to_owned())
            .collect()
    }

    #[test]
    fn shared_labels_are_left_out_of_long_names() {
        let controlplanes = [1, 2, 3]
            .map(|at| format!("foo-01337-foobarinclongname-prd-controlplane{at}.k8s.isp.example"));
        let controlplanes = controlplanes.each_ref().map(String::as_str);
        let eks = [
            "ip-10-0-1-17.eu-central-1.compute.internal",
            "ip-10-0-1-18.eu-central-1.compute.internal",
            "ip-10-0-23-118.eu-central-1.compute.internal",
        ];
        let gke = [
            "gke-prod-eu-default-pool-7f1c2a3b-0x1z",
            "gke-prod-eu-default-pool-7f1c2a3b-9k2m",
            "gke-prod-eu-highmem-pool-11aa22bb-77qq",
        ];
        for (names, space, expected) in [
            (&controlplanes, 70, controlplanes.map(str::to_owned)),
            (
                &controlplanes,
                50,
                [1, 2, 3].map(|at| format!("foo-01337-foobarinclongname-prd-controlplane{at}…")),
            ),
            (
                &controlplanes,
                20,
                [1, 2, 3].map(|at| format!("foo-…controlplane{at}…")),
            ),
            (
                &controlplanes,
                12,
                [1, 2, 3].map(|at| format!("…contr…lane{at}")),
            ),
            (
                &eks,
                15,
                ["ip-10-0-1-17…", "ip-10-0-1-18…", "ip-10-0-23-118…"].map(str::to_owned),
            ),
            (
                &eks,
                12,
                ["ip-…1-17…", "ip-…1-18…", "ip-…23-118…"].map(str::to_owned),
            ),
            (
                &gke,
                30,
                [
                    "…default-pool-7f1c2a3b-0x1z",
                    "…default-pool-7f1c2a3b-9k2m",
                    "…highmem-pool-11aa22bb-77qq",
                ]
                .map(str::to_owned),
            ),
            (
                &gke,
                12,
                ["…defau…-0x1z", "…defau…-9k2m", "…highm…-77qq"].map(str::to_owned),
            ),
        ] {
            assert_eq!(shortened(names, space), expected, "in {space}");
        }
    }

    #[test]
    fn names_are_cut_where_they_do_not_differ() {
        let mixed = [
            "ip-10-0-1-17.eu-central-1.compute.internal",
            "ip-10-0-1-18.eu-central-1.compute.internal",
            "bastion",
        ];
        assert_eq!(
            shortened(&mixed, 14),
            ["ip-10-0-1-17…", "ip-10-0-1-18…", "bastion"]
        );
        assert_eq!(shortened(&mixed, 9), ["ip-1…1-17", "ip-1…1-18", "bastion"]);
        assert_eq!(shortened(&["aaaaaaaaaaaaaa", "aaaaaaaaaaaaa"], 8).len(), 2);
        assert_eq!(
            shortened(&["fraud-score-7d9f8c-x2x4z"], 12),
            ["fraud-…x2x4z"]
        );
    }

    #[test]
    fn scrolling_does_not_change_names() {
        let elided = elide(
            ["web-1.eu.internal"],
            ["web-2.eu.internal", "db.eu.internal"],
            12,
            "…",
        );
        assert_eq!(elided.text("web-1.eu.internal"), "web-1…");
        // A label that only the names on the screen share is not left out.
        let elided = elide(["web-1.eu.internal"], ["web-1.us.external"], 16, "…");
        assert_eq!(elided.text("web-1.eu.internal"), "web-…eu.internal");
    }

    /// Names as in clusters, and names that are easily confused.
    fn names() -> impl Strategy<Value = HashSet<String>> {
        let domain =
            prop::sample::select(&["", ".eu.compute.internal", ".k8s.example", "-pool"][..]);
        let stem =
            prop::sample::select(&["", "ip-10-0-", "foo-01337-foobarinclongname-prd-", "web-"][..]);
        let like = (stem, "[0-9a-z]{1,12}(-[0-9a-z]{1,8}){0,3}", domain)
            .prop_map(|(stem, middle, domain)| format!("{stem}{middle}{domain}"));
        let confusing = "[ab]{1,40}|[a.-]{1,40}|a{1,40}|[ab日]{1,20}";
        prop_oneof![
            prop::collection::hash_set(like, 1..14),
            prop::collection::hash_set(confusing, 1..14),
        ]
    }

    proptest! {
        /// The cells are at least 14, more than there are names: then it is always possible.
        #[test]
        fn different_names_look_different(names in names(), space in 14_usize..60) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let shortened = shortened(&names, space);
            prop_assert!(shortened.iter().all(|text| width(text) <= space), "{:?}", shortened);
            let different: HashSet<&String> = shortened.iter().collect();
            prop_assert_eq!(different.len(), names.len(), "{:?} are {:?}", names, shortened);
        }

        #[test]
        fn no_name_is_too_wide(names in names(), space in 0_usize..14) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            prop_assert!(shortened(&names, space).iter().all(|text| width(text) <= space));
        }
    }
}
