//! Which pair a client is shown: by the name it asks for, else by the address it came to, else the one for all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::{Kind, Pair};

/// What is shown now. Handshakes read it without waiting; connections that stand keep what they were shown.
#[derive(Debug)]
pub struct Certificates(ArcSwap<Shown>);

#[derive(Debug, Clone)]
struct Shown {
    serving: Pair,
    named: Vec<Named>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

/// A pair for certain names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) pair: Pair,
    /// As they were given; none means the certificate's own.
    pub(super) patterns: Vec<String>,
}

impl Certificates {
    pub(super) fn new(serving: Pair, named: Vec<Named>) -> Self {
        let names = names(&named);
        Self(ArcSwap::from_pointee(Shown {
            serving,
            named,
            names,
        }))
    }

    /// Shows another pair to every client that asks for no name of another.
    pub fn set_serving(&self, pair: &Pair) {
        self.0.rcu(|shown| Shown {
            serving: pair.clone(),
            ..Shown::clone(shown)
        });
    }

    /// Shows another pair in the place of the `index`th named one.
    pub(super) fn set_named(&self, index: usize, pair: &Pair) {
        self.0.rcu(|shown| {
            let mut named = shown.named.clone();
            if let Some(named) = named.get_mut(index) {
                named.pair = pair.clone();
            }
            Shown {
                serving: shown.serving.clone(),
                names: names(&named),
                named,
            }
        });
    }

    /// The pair for every client that asks for no name of another.
    pub fn serving(&self) -> Pair {
        self.0.load().serving.clone()
    }

    /// Every pair: the one for all first, then the named ones in the order of their flags.
    pub(super) fn pairs(&self) -> Vec<(Kind, Pair)> {
        let shown = self.0.load();
        let named = shown.named.iter();
        let named = named.map(|named| (Kind::Sni, named.pair.clone()));
        [(Kind::Serving, shown.serving.clone())]
            .into_iter()
            .chain(named)
            .collect()
    }

    /// The pair for a name: exactly, or by a wildcard in the place of its first label.
    fn by_name(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.load();
        if shown.names.is_empty() {
            return None;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let wildcard = || {
            let (_, rest) = name.split_once('.')?;
            shown.names.get(&format!("*.{rest}"))
        };
        shown.names.get(&name).or_else(wildcard).cloned()
    }

    /// The pair for those who come to an address and ask for no name.
    fn by_address(&self, address: IpAddr) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.load();
        shown
            .names
            .get(&address.to_canonical().to_string())
            .cloned()
    }

    /// Whether the address that a client came to may matter.
    pub(super) fn know_addresses(&self) -> bool {
        let shown = self.0.load();
        shown
            .names
            .keys()
            .any(|name| name.parse::<IpAddr>().is_ok())
    }
}

/// Who comes first is shown, as k8s.io/apiserver has it: given patterns before certificates' own names, and among
/// each the earlier flag.
fn names(named: &[Named]) -> HashMap<String, Arc<CertifiedKey>> {
    let mut names = HashMap::new();
    let given = named.iter().map(|one| (&one.pair, &one.patterns));
    let own = named.iter().filter(|one| one.patterns.is_empty());
    let own = own.map(|one| (&one.pair, &one.pair.names));
    for (pair, patterns) in given.chain(own) {
        for pattern in patterns {
            // Addresses have several spellings.
            let pattern = match pattern.parse::<IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => pattern.to_ascii_lowercase(),
            };
            names
                .entry(pattern)
                .or_insert_with(|| Arc::clone(&pair.shown));
        }
    }
    names
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = client.server_name().and_then(|name| self.by_name(name));
        Some(named.unwrap_or_else(|| Arc::clone(&self.0.load().serving.shown)))
    }
}

/// What is shown to a client that came to a certain address.
#[derive(Debug)]
pub(super) struct AtAddress {
    pub(super) certificates: Arc<Certificates>,
    pub(super) address: IpAddr,
}

impl ResolvesServerCert for AtAddress {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let nameless = client.server_name().is_none();
        let here = nameless.then(|| self.certificates.by_address(self.address));
        here.flatten().or_else(|| self.certificates.resolve(client))
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::super::authority::Authority;
    use super::*;

    fn pair(names: &[&str]) -> Pair {
        let authority = Authority::make(Timestamp::from_secs(1_800_000_000)).unwrap();
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let mut pair = authority
            .issue(names, Timestamp::from_secs(1_800_000_000))
            .unwrap()
            .pair;
        // The common name says what these are for.
        pair.names.retain(|name| name != "vitals-server");
        pair
    }

    fn named(names: &[&str], patterns: &[&str]) -> Named {
        Named {
            pair: pair(names),
            patterns: patterns.iter().map(|&one| one.to_owned()).collect(),
        }
    }

    /// Which of the named pairs is shown for a name.
    fn shown(certificates: &Certificates, name: &str) -> Option<usize> {
        let shown = certificates.by_name(name)?;
        let all = certificates.0.load();
        let mut named = all.named.iter();
        named.position(|one| Arc::ptr_eq(&one.pair.shown, &shown))
    }

    #[test]
    fn exact_names_win_over_wildcards_given_ones_over_own_ones_and_the_first_over_the_next() {
        let certificates = Certificates::new(
            pair(&["all"]),
            vec![
                named(&["*.a.example", "b.example"], &[]),
                named(&["x.a.example"], &[]),
                named(&["unused"], &["b.example", "*.c.example"]),
                named(&["b.example", "d.example"], &["D.example"]),
                named(&["*.a.example"], &[]),
            ],
        );
        for (name, expected) in [
            ("y.a.example", Some(0)),
            ("x.a.example", Some(1)),
            ("X.A.Example.", Some(1)),
            ("b.example", Some(2)),
            ("z.c.example", Some(2)),
            ("z.z.c.example", None),
            ("c.example", None),
            ("unused", None),
            ("d.example", Some(3)),
            ("all", None),
        ] {
            assert_eq!(shown(&certificates, name), expected, "{name}");
        }
    }

    #[test]
    fn an_address_is_matched_however_it_is_spelled() {
        let certificates = Certificates::new(
            pair(&["all"]),
            vec![named(&["a"], &["10.0.0.1", "2001:0DB8::1"])],
        );
        assert!(certificates.know_addresses());
        for (address, is) in [
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("2001:db8::1", true),
            ("10.0.0.2", false),
        ] {
            let found = certificates.by_address(address.parse().unwrap());
            assert_eq!(found.is_some(), is, "{address}");
        }
        assert!(!Certificates::new(pair(&["all"]), vec![named(&["a"], &[])]).know_addresses());
    }

    #[test]
    fn a_named_pair_that_is_replaced_brings_its_names() {
        let certificates = Certificates::new(pair(&["all"]), vec![named(&["old"], &[])]);
        certificates.set_named(0, &pair(&["new"]));
        assert_eq!(shown(&certificates, "old"), None);
        assert_eq!(shown(&certificates, "new"), Some(0));
    }
}
