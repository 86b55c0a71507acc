//! Chooses the certificate for a client: by the name that it requests, else by the address that it connected to, else
//! the serving certificate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::pair::{Kind, Pair};

/// The served certificates. Handshakes read them without a lock; open connections keep theirs.
#[derive(Debug)]
pub struct CertResolver(ArcSwap<Served>);

#[derive(Debug, Clone)]
struct Served {
    serving: Pair,
    named: Vec<Named>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

/// A pair for certain names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) pair: Pair,
    /// The patterns of the flag; if there are none, the certificate's own names apply.
    pub(super) patterns: Vec<String>,
}

impl CertResolver {
    pub(super) fn new(serving: Pair, named: Vec<Named>) -> Self {
        let names = names(&named);
        Self(ArcSwap::from_pointee(Served {
            serving,
            named,
            names,
        }))
    }

    /// Replaces the serving pair: the one for clients that no named pair matches.
    pub fn set_serving(&self, pair: &Pair) {
        self.0.rcu(|served| Served {
            serving: pair.clone(),
            ..Served::clone(served)
        });
    }

    /// Replaces the `index`th named pair.
    pub(super) fn set_named(&self, index: usize, pair: &Pair) {
        self.0.rcu(|served| {
            let mut named = served.named.clone();
            if let Some(named) = named.get_mut(index) {
                named.pair = pair.clone();
            }
            Served {
                serving: served.serving.clone(),
                names: names(&named),
                named,
            }
        });
    }

    /// The serving pair.
    pub fn serving(&self) -> Pair {
        self.0.load().serving.clone()
    }

    /// All pairs: the serving pair first, then the named ones in the order of their flags.
    pub(super) fn pairs(&self) -> Vec<(Kind, Pair)> {
        let served = self.0.load();
        let named = served.named.iter();
        let named = named.map(|named| (Kind::Sni, named.pair.clone()));
        [(Kind::Serving, served.serving.clone())]
            .into_iter()
            .chain(named)
            .collect()
    }

    /// The pair for a name: an exact match, else a wildcard for the first label.
    fn by_name(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let served = self.0.load();
        if served.names.is_empty() {
            return None;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let wildcard = || {
            let (_, rest) = name.split_once('.')?;
            served.names.get(&format!("*.{rest}"))
        };
        served.names.get(&name).or_else(wildcard).cloned()
    }

    /// The pair for clients that connect to an address and request no name.
    fn by_address(&self, address: IpAddr) -> Option<Arc<CertifiedKey>> {
        let served = self.0.load();
        served
            .names
            .get(&address.to_canonical().to_string())
            .cloned()
    }

    /// Whether a pair is for an IP address.
    pub(super) fn has_addresses(&self) -> bool {
        let served = self.0.load();
        served
            .names
            .keys()
            .any(|name| name.parse::<IpAddr>().is_ok())
    }
}

/// The pair for each name. As in k8s.io/apiserver, patterns of flags come before certificates' own names, and among
/// equals the earlier flag wins.
fn names(named: &[Named]) -> HashMap<String, Arc<CertifiedKey>> {
    let mut names = HashMap::new();
    let explicit = named.iter().map(|one| (&one.pair, &one.patterns));
    let own = named.iter().filter(|one| one.patterns.is_empty());
    let own = own.map(|one| (&one.pair, &one.pair.fields.names));
    for (pair, patterns) in explicit.chain(own) {
        for pattern in patterns {
            // An address has several spellings.
            let pattern = match pattern.parse::<IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => pattern.to_ascii_lowercase(),
            };
            names
                .entry(pattern)
                .or_insert_with(|| Arc::clone(&pair.certified_key));
        }
    }
    names
}

impl ResolvesServerCert for CertResolver {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = client.server_name().and_then(|name| self.by_name(name));
        Some(named.unwrap_or_else(|| Arc::clone(&self.0.load().serving.certified_key)))
    }
}

/// The resolver of a connection to a certain address.
#[derive(Debug)]
pub(super) struct ResolverAtAddress {
    pub(super) certificates: Arc<CertResolver>,
    pub(super) address: IpAddr,
}

impl ResolvesServerCert for ResolverAtAddress {
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
        // The common name is the same in all pairs.
        pair.fields.names.retain(|name| name != "vitals-server");
        pair
    }

    fn named(names: &[&str], patterns: &[&str]) -> Named {
        Named {
            pair: pair(names),
            patterns: patterns.iter().map(|&one| one.to_owned()).collect(),
        }
    }

    /// The index of the named pair that a name resolves to.
    fn resolved(certificates: &CertResolver, name: &str) -> Option<usize> {
        let key = certificates.by_name(name)?;
        let all = certificates.0.load();
        let mut named = all.named.iter();
        named.position(|one| Arc::ptr_eq(&one.pair.certified_key, &key))
    }

    #[test]
    fn exact_names_win_over_wildcards_patterns_over_own_names_and_the_first_over_the_next() {
        let certificates = CertResolver::new(
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
            assert_eq!(resolved(&certificates, name), expected, "{name}");
        }
    }

    #[test]
    fn an_address_matches_in_every_spelling() {
        let certificates = CertResolver::new(
            pair(&["all"]),
            vec![named(&["a"], &["10.0.0.1", "2001:0DB8::1"])],
        );
        assert!(certificates.has_addresses());
        for (address, expected) in [
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("2001:db8::1", true),
            ("10.0.0.2", false),
        ] {
            let found = certificates.by_address(address.parse().unwrap());
            assert_eq!(found.is_some(), expected, "{address}");
        }
        assert!(!CertResolver::new(pair(&["all"]), vec![named(&["a"], &[])]).has_addresses());
    }

    #[test]
    fn a_replaced_named_pair_brings_its_names() {
        let certificates = CertResolver::new(pair(&["all"]), vec![named(&["old"], &[])]);
        certificates.set_named(0, &pair(&["new"]));
        assert_eq!(resolved(&certificates, "old"), None);
        assert_eq!(resolved(&certificates, "new"), Some(0));
    }
}
