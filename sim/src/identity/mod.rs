//! Who may talk to the simulated cluster, and what they may do.
//!
//! [`Identities`] knows bearer tokens and the rules of each user and group. The API server and the kubelets ask it;
//! it also remembers what was asked for, so that a test can compare an RBAC manifest with what a program really uses.

mod rules;
mod user;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

pub use rules::{Attributes, Rule, Subject};
pub use user::UserInfo;

/// The service account `vitals-server` runs as.
pub const SERVER_ACCOUNT: (&str, &str) = ("kube-system", "vitals-server");

/// Known tokens, and rules.
#[derive(Debug, Default)]
pub struct Identities {
    tokens: RwLock<HashMap<String, UserInfo>>,
    rules: RwLock<Vec<(Subject, Rule)>>,
    seen: Mutex<BTreeSet<(String, Attributes)>>,
    minted: AtomicU64,
}

impl Identities {
    /// Knows nobody but `system:masters`, who may everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows what every cluster knows: discovery and self-reviews for the authenticated, health for everyone, and the
    /// rules of the `vitals-server` service account.
    pub fn with_defaults() -> Self {
        let this = Self::new();
        for (subject, rule) in rules::defaults() {
            this.grant(subject, rule);
        }
        this
    }

    /// Makes `token` valid for `user`.
    pub fn add_token(&self, token: impl Into<String>, user: UserInfo) {
        self.tokens.write().insert(token.into(), user);
    }

    /// Makes `token` invalid; whether it was valid.
    pub fn remove_token(&self, token: &str) -> bool {
        self.tokens.write().remove(token).is_some()
    }

    /// Makes up a token and makes it valid for `user`. Tokens differ from one another and, being a simulation's, are
    /// not secret.
    pub fn mint_token(&self, user: UserInfo) -> String {
        let serial = self.minted.fetch_add(1, Ordering::Relaxed) + 1;
        let token = format!("sim-{}-{serial}", user.username.replace(':', "."));
        self.add_token(token.clone(), user);
        token
    }

    /// Whose token it is; `None` when it is not valid. A valid one makes its owner `system:authenticated`.
    pub fn authenticate(&self, token: &str) -> Option<UserInfo> {
        self.tokens
            .read()
            .get(token)
            .cloned()
            .map(UserInfo::authenticated)
    }

    /// Lets a user or group do what `rule` says.
    pub fn grant(&self, subject: Subject, rule: Rule) {
        self.rules.write().push((subject, rule));
    }

    /// Takes back every rule of a user or group.
    pub fn revoke(&self, subject: &Subject) {
        self.rules.write().retain(|(s, _)| s != subject);
    }

    /// Whether `user` may do this.
    pub fn allow(&self, user: &UserInfo, attributes: &Attributes) -> bool {
        user.groups.iter().any(|g| g == "system:masters")
            || self
                .rules
                .read()
                .iter()
                .any(|(subject, rule)| subject.is(user) && rule.allows(attributes))
    }

    /// The rules that apply to `user`.
    pub fn rules_of(&self, user: &UserInfo) -> Vec<Rule> {
        self.rules
            .read()
            .iter()
            .filter(|(subject, _)| subject.is(user))
            .map(|(_, rule)| rule.clone())
            .collect()
    }

    /// Remembers that `user` asked for this at the API server. Names are left out: RBAC rules hardly ever have them.
    pub fn record(&self, user: &UserInfo, attributes: &Attributes) {
        let attributes = Attributes {
            name: String::new(),
            ..attributes.clone()
        };
        let mut seen = self.seen.lock();
        let entry = (user.username.clone(), attributes);
        if !seen.contains(&entry) {
            seen.insert(entry);
        }
    }

    /// Everything that `username` has asked for so far.
    pub fn requests_seen(&self, username: &str) -> BTreeSet<Attributes> {
        self.seen
            .lock()
            .iter()
            .filter(|(user, _)| user == username)
            .map(|(_, a)| a.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_token_is_no_longer_valid() {
        let identities = Identities::new();
        let token = identities.mint_token(UserInfo::service_account("kube-system", "a"));
        let user = identities.authenticate(&token).unwrap();
        assert_eq!(user.username, "system:serviceaccount:kube-system:a");
        assert!(user.groups.iter().any(|g| g == "system:authenticated"));
        assert!(identities.remove_token(&token));
        assert_eq!(identities.authenticate(&token), None);
    }

    #[test]
    fn masters_may_everything_and_strangers_nothing() {
        let identities = Identities::with_defaults();
        let list = Attributes::resource("list", "", "nodes");
        assert!(identities.allow(&UserInfo::new("admin", ["system:masters"]), &list));
        assert!(!identities.allow(&UserInfo::anonymous(), &list));
    }

    #[test]
    fn the_server_may_what_it_needs_and_not_more() {
        let identities = Identities::with_defaults();
        let (namespace, name) = SERVER_ACCOUNT;
        let server = UserInfo::service_account(namespace, name).authenticated();
        for allowed in [
            Attributes::resource("watch", "", "pods"),
            Attributes::resource("get", "", "nodes").subresource("metrics"),
            Attributes::resource("create", "authentication.k8s.io", "tokenreviews"),
            Attributes::path("get", "/version"),
        ] {
            assert!(identities.allow(&server, &allowed), "{allowed:?}");
        }
        for refused in [
            Attributes::resource("get", "", "nodes").subresource("proxy"),
            Attributes::resource("list", "", "secrets"),
            Attributes::resource("delete", "", "pods"),
        ] {
            assert!(!identities.allow(&server, &refused), "{refused:?}");
        }
    }

    #[test]
    fn what_was_asked_for_is_remembered_once() {
        let identities = Identities::new();
        let user = UserInfo::new("a", ["g"]);
        let get = |name: &str| Attributes {
            name: name.to_owned(),
            ..Attributes::resource("get", "", "pods")
        };
        identities.record(&user, &get("x"));
        identities.record(&user, &get("y"));
        assert_eq!(
            identities
                .requests_seen("a")
                .into_iter()
                .collect::<Vec<_>>(),
            [get("")]
        );
    }
}
