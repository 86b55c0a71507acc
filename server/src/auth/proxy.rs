//! The front proxy: the kube-apiserver, which has authenticated a user and names the user in headers.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::User;
use super::certificate::ClientCas;

/// What identifies a front proxy, and the headers in which it names the user.
#[derive(Debug, Clone)]
pub(super) struct FrontProxy {
    pub(super) cas: ClientCas,
    /// The common names that a front proxy may have; empty for any name that the CAs verify.
    pub(super) allowed_names: Vec<String>,
    pub(super) headers: ProxyHeaders,
}

/// The names of the headers, in the order in which they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProxyHeaders {
    pub(super) username: Vec<HeaderName>,
    pub(super) uid: Vec<HeaderName>,
    pub(super) groups: Vec<HeaderName>,
    /// In lower case.
    pub(super) extra_prefixes: Vec<String>,
}

impl FrontProxy {
    /// Reads the user that a front proxy names; `None` if it names none. Verifies the certificates before it reads
    /// any header.
    ///
    /// # Errors
    /// Why this is not a front proxy.
    pub(super) fn authenticate(
        &self,
        chain: &[CertificateDer<'_>],
        headers: &HeaderMap,
        now: UnixTime,
    ) -> Result<Option<User>, String> {
        let name = self.cas.verify(chain, now)?.common_name;
        if !self.allowed_names.is_empty() && !self.allowed_names.contains(&name) {
            return Err(format!(
                "the name {name:?} is not among the allowed names of front proxies ({})",
                self.allowed_names.join(", ")
            ));
        }
        Ok(self.headers.user(headers))
    }
}

impl ProxyHeaders {
    /// Parses the configured names.
    ///
    /// # Errors
    /// The name that is not a valid header name.
    pub(super) fn new(
        username: &[String],
        uid: &[String],
        groups: &[String],
        extra_prefixes: &[String],
    ) -> Result<Self, String> {
        let names = |texts: &[String]| {
            let texts = texts.iter().filter(|text| !text.is_empty());
            let name = |text: &String| {
                HeaderName::try_from(text)
                    .map_err(|_| format!("{text:?} is not a valid header name"))
            };
            texts.map(name).collect::<Result<Vec<_>, _>>()
        };
        let prefixes = extra_prefixes.iter().filter(|text| !text.is_empty());
        Ok(Self {
            username: names(username)?,
            uid: names(uid)?,
            groups: names(groups)?,
            extra_prefixes: prefixes.map(|text| text.to_ascii_lowercase()).collect(),
        })
    }

    fn user(&self, headers: &HeaderMap) -> Option<User> {
        let text = |name: &HeaderName| {
            let value = headers.get(name)?.as_bytes();
            let text = String::from_utf8_lossy(value).into_owned();
            (!text.is_empty()).then_some(text)
        };
        let name = self.username.iter().find_map(text)?;
        let groups = self.groups.iter().flat_map(|name| headers.get_all(name));
        let groups = groups
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .filter(|group| !group.is_empty());
        Some(User {
            name,
            uid: self.uid.iter().find_map(text).unwrap_or_default(),
            groups: groups.collect(),
            extra: self.extra(headers),
        })
    }

    fn extra(&self, headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
        let mut extra = BTreeMap::<String, Vec<String>>::new();
        for prefix in &self.extra_prefixes {
            for (name, value) in headers {
                // `http` has converted all header names to lower case.
                let Some(key) = name.as_str().strip_prefix(prefix.as_str()) else {
                    continue;
                };
                // A key that does not decode is used as it is, as in Kubernetes.
                let key = percent_decode_str(key)
                    .decode_utf8()
                    .map_or_else(|_| key.to_owned(), |key| key.into_owned());
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                extra.entry(key).or_default().push(value);
            }
        }
        extra
    }

    /// Removes all headers that carry an identity, also of clients that are not front proxies. Later layers use the
    /// `User`.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        let ours = [&self.username, &self.uid, &self.groups];
        let names_user = |name: &HeaderName| {
            let text = name.as_str();
            text.starts_with("x-remote-")
                || ours.iter().any(|names| names.contains(name))
                || self
                    .extra_prefixes
                    .iter()
                    .any(|prefix| text.starts_with(prefix))
        };
        let removed: Vec<HeaderName> = headers
            .keys()
            .filter(|name| names_user(name))
            .cloned()
            .collect();
        for name in removed {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use kubevitals_sim::pki::{Authority, Certified};

    /// The headers of these names: the user's, the UID's, the groups' and the prefix of extra values.
    fn named(names: [&[&str]; 4]) -> Result<ProxyHeaders, String> {
        let [user, uid, groups, extra] = names.map(owned);
        ProxyHeaders::new(&user, &uid, &groups, &extra)
    }

    fn standard() -> ProxyHeaders {
        let [user, uid] = [&["X-Remote-User"][..], &["X-Remote-Uid"]];
        named([user, uid, &["X-Remote-Group"], &["X-Remote-Extra-"]]).unwrap()
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn sent(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            map.append(name, HeaderValue::from_static(value));
        }
        map
    }

    fn as_proxy(
        ca: &Authority,
        allowed: &[&str],
        certified: &Certified,
        headers: &HeaderMap,
    ) -> Result<Option<User>, String> {
        let proxy = FrontProxy {
            cas: ClientCas::from_pem(ca.pem().as_bytes()).unwrap(),
            allowed_names: owned(allowed),
            headers: standard(),
        };
        proxy.authenticate(&certified.chain().unwrap(), headers, UnixTime::now())
    }

    #[test]
    fn headers_name_the_user_in_any_case() {
        let user = standard().user(&sent(&[
            ("X-REMOTE-USER", "jane"),
            ("x-remote-uid", "42"),
            ("X-Remote-Group", "dev"),
            ("x-remote-group", ""),
            ("x-REMOTE-group", "ops"),
            ("X-Remote-Extra-Scopes", "a"),
            ("X-Remote-Extra-Scopes", "b"),
            ("X-Remote-Extra-Example.org%2fKEY%C3%BC", "c"),
            ("X-Remote-Extra-half%2", "d"),
            ("X-Remote-Extra-%ff", "e"),
        ]));
        let expected = User {
            name: "jane".to_owned(),
            uid: "42".to_owned(),
            groups: owned(&["dev", "ops"]),
            extra: BTreeMap::from([
                ("scopes".to_owned(), owned(&["a", "b"])),
                ("example.org/key\u{fc}".to_owned(), owned(&["c"])),
                ("half%2".to_owned(), owned(&["d"])),
                ("%ff".to_owned(), owned(&["e"])),
            ]),
        };
        assert_eq!(user, Some(expected));
    }

    #[test]
    fn the_first_non_empty_name_counts() {
        let headers = named([&["x-first", "", "x-second"], &[], &[], &[]]).unwrap();
        let user = |sent: &HeaderMap| headers.user(sent).map(|user| user.name);
        let both = sent(&[("x-second", "b"), ("x-first", "a")]);
        assert_eq!(user(&both).as_deref(), Some("a"));
        let second = sent(&[("x-first", ""), ("x-second", "b")]);
        assert_eq!(user(&second).as_deref(), Some("b"));
        assert_eq!(user(&sent(&[("x-remote-user", "c")])), None);
        assert!(named([&["no header"], &[], &[], &[]]).is_err());
    }

    #[test]
    fn only_a_front_proxy_is_trusted() {
        let [ca, other] = [(); 2].map(|()| Authority::new("proxy").unwrap());
        let headers = sent(&[("x-remote-user", "jane")]);
        let proxy = ca.issue_client("front-proxy-client", &[]).unwrap();
        // Without names, any certificate of the CA is allowed.
        for allowed in [
            &["front-proxy-client"][..],
            &["a", "front-proxy-client"],
            &[],
        ] {
            let user = as_proxy(&ca, allowed, &proxy, &headers).unwrap().unwrap();
            assert_eq!(user.name, "jane");
        }

        let refused = as_proxy(&ca, &["another"], &proxy, &headers).unwrap_err();
        assert!(refused.contains("front-proxy-client") && refused.contains("another"));
        let stranger = other.issue_client("front-proxy-client", &[]).unwrap();
        assert!(as_proxy(&ca, &[], &stranger, &headers).is_err());
        let server = ca.issue_server("front-proxy-client", &[], &[]).unwrap();
        assert!(as_proxy(&ca, &[], &server, &headers).is_err());
    }

    #[test]
    fn a_front_proxy_without_a_user_names_no_user() {
        let ca = Authority::new("proxy").unwrap();
        let proxy = ca.issue_client("front-proxy-client", &[]).unwrap();
        for headers in [
            sent(&[]),
            sent(&[("x-remote-user", "")]),
            sent(&[("x-remote-group", "system:masters")]),
        ] {
            assert_eq!(as_proxy(&ca, &[], &proxy, &headers), Ok(None));
        }
    }

    #[test]
    fn authentication_removes_the_headers() {
        let headers = named([&["x-who"], &[], &["x-groups"], &["x-more-"]]).unwrap();
        let mut seen = sent(&[
            ("x-remote-user", "jane"),
            ("x-remote-extra-a", "b"),
            ("x-who", "jane"),
            ("x-groups", "dev"),
            ("x-more-a", "b"),
            ("accept", "*/*"),
        ]);
        headers.strip(&mut seen);
        assert_eq!(seen, sent(&[("accept", "*/*")]));
    }
}
