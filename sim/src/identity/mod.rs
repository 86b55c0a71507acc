//! Authentication and authorization of the simulated cluster.
//!
//! [`Identities`] holds bearer tokens and the rules of each user and group for the API server and the kubelets. It records
//! requests and the permissions that these needed, so that a test can compare an RBAC manifest with what a program
//! uses.

mod defaults;
mod permission;
mod rules;
mod user;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

pub use permission::Permission;
pub use rules::{Attributes, Rule, Subject};
pub(crate) use user::bearer;
pub use user::{SERVER_ACCOUNT, UserInfo};

/// Tokens, rules, and the record of requests.
#[derive(Debug, Default)]
pub struct Identities {
    tokens: RwLock<HashMap<String, UserInfo>>,
    rules: RwLock<Vec<(Subject, Rule)>>,
    requests: Mutex<BTreeSet<(String, Attributes)>>,
    used: Mutex<BTreeSet<(Subject, Permission)>>,
    refused: Mutex<BTreeSet<(String, Attributes)>>,
    minted: AtomicU64,
}

impl Identities {
    /// No tokens and no rules. Members of `system:masters` may do everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rules of every cluster: discovery and self-reviews for the authenticated, health for everyone, and the rules of
    /// the `vitals-server` service account.
    pub fn with_defaults() -> Self {
        let this = Self::new();
        for (subject, rule) in defaults::rules() {
            this.grant(subject, rule);
        }
        this
    }

    /// Grants the `vitals-server` service account what remote write needs.
    pub fn grant_exports(&self) {
        for (subject, rule) in defaults::exports() {
            self.grant(subject, rule);
        }
    }

    /// Grants the `vitals-server` service account what pods' own metrics need.
    pub fn grant_pod_metrics(&self) {
        for (subject, rule) in defaults::pod_metrics() {
            self.grant(subject, rule);
        }
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
        let user = self.tokens.read().get(token).cloned();
        user.map(UserInfo::authenticated)
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
        is_master(user) || !self.needed(user, attributes).is_empty()
    }

    /// Whether `user` may do this. Records the request.
    pub fn authorize(&self, user: &UserInfo, attributes: &Attributes) -> bool {
        self.record(user, attributes);
        let allowed = self.review(user, attributes);
        if !allowed {
            let refusal = (user.username.clone(), attributes.clone());
            self.refused.lock().insert(refusal);
        }
        allowed
    }

    /// Whether `user` may do this at another server, which sends a review: the rules that it needs count as used.
    pub fn review(&self, user: &UserInfo, attributes: &Attributes) -> bool {
        let needed = self.needed(user, attributes);
        let allowed = is_master(user) || !needed.is_empty();
        self.used.lock().extend(needed);
        allowed
    }

    /// The permissions of `user` by which this may be done.
    fn needed(&self, user: &UserInfo, attributes: &Attributes) -> Vec<(Subject, Permission)> {
        let rules = self.rules.read();
        let of_user = rules.iter().filter(|(subject, _)| subject.is(user));
        of_user
            .flat_map(|(subject, rule)| {
                let allowing = rule
                    .permissions()
                    .into_iter()
                    .filter(|p| p.allows(attributes));
                allowing.map(|permission| (subject.clone(), permission))
            })
            .collect()
    }

    /// The permissions that were granted to a user or group.
    pub fn granted(&self, subject: &Subject) -> BTreeSet<Permission> {
        let rules = self.rules.read();
        let own = rules.iter().filter(|(s, _)| s == subject);
        own.flat_map(|(_, rule)| rule.permissions()).collect()
    }

    /// The permissions of a user or group that have been needed so far: at the API server, at a kubelet, or at a server
    /// that sent a review.
    pub fn used(&self, subject: &Subject) -> BTreeSet<Permission> {
        of(&self.used, subject)
    }

    /// Requests of `username` that were refused so far.
    pub fn refused(&self, username: &str) -> BTreeSet<Attributes> {
        of(&self.refused, username)
    }

    /// The rules that apply to `user`.
    pub fn rules_of(&self, user: &UserInfo) -> Vec<Rule> {
        let rules = self.rules.read();
        let own = rules.iter().filter(|(subject, _)| subject.is(user));
        own.map(|(_, rule)| rule.clone()).collect()
    }

    /// Records a request of `user`. Names are left out: RBAC rules hardly ever have them.
    pub fn record(&self, user: &UserInfo, attributes: &Attributes) {
        let attributes = Attributes {
            name: String::new(),
            ..attributes.clone()
        };
        self.requests
            .lock()
            .insert((user.username.clone(), attributes));
    }

    /// Every request of `username` so far.
    pub fn requests_seen(&self, username: &str) -> BTreeSet<Attributes> {
        of(&self.requests, username)
    }
}

/// The entries of one user or subject.
fn of<K: Ord, Q: PartialEq<K> + ?Sized, V: Ord + Clone>(
    set: &Mutex<BTreeSet<(K, V)>>,
    key: &Q,
) -> BTreeSet<V> {
    let set = set.lock();
    let own = set.iter().filter(|(owner, _)| key == owner);
    own.map(|(_, value)| value.clone()).collect()
}

fn is_master(user: &UserInfo) -> bool {
    user.groups.iter().any(|group| group == "system:masters")
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
    fn a_request_is_recorded_once() {
        let identities = Identities::new();
        let user = UserInfo::new("a", ["g"]);
        let get = |name: &str| Attributes {
            name: name.to_owned(),
            ..Attributes::resource("get", "", "pods")
        };
        identities.record(&user, &get("x"));
        identities.record(&user, &get("y"));
        let requests: Vec<_> = identities.requests_seen("a").into_iter().collect();
        assert_eq!(requests, [get("")]);
    }

    #[test]
    fn used_and_refused_are_recorded_apart() {
        let identities = Identities::new();
        let jane = UserInfo::new("jane", []);
        let subject = Subject::User("jane".to_owned());
        identities.grant(
            subject.clone(),
            Rule::resources(&["get", "list"], "", &["pods"]),
        );
        assert!(identities.authorize(&jane, &Attributes::resource("get", "", "pods")));
        assert!(!identities.authorize(&jane, &Attributes::resource("get", "", "nodes")));
        let verbs = |set: BTreeSet<Permission>| set.into_iter().map(|p| p.verb).collect::<Vec<_>>();
        assert_eq!(verbs(identities.granted(&subject)), ["get", "list"]);
        assert_eq!(verbs(identities.used(&subject)), ["get"]);
        let refused: Vec<_> = identities.refused("jane").into_iter().collect();
        assert_eq!(refused, [Attributes::resource("get", "", "nodes")]);
    }
}
