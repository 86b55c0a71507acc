//! Who asks, as authentication found it.

use std::collections::BTreeMap;

/// Who asks: an extension (`Arc<User>`) of every request that authentication lets pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What tells this user from an earlier one of the same name; empty when there is none.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else authentication knows, by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

const ANONYMOUS: &str = "system:anonymous";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const MASTERS: &str = "system:masters";

impl User {
    /// Who shows nothing.
    pub fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// The same user in the group of all whom somebody knows. The kube-aggregator's own identities come without
    /// it; a user who was anonymous to the front proxy stays so.
    #[must_use]
    pub fn authenticated(mut self) -> Self {
        let grouped = self
            .groups
            .iter()
            .any(|group| group == AUTHENTICATED || group == UNAUTHENTICATED);
        if self.name != ANONYMOUS && !grouped {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }

    /// Whether nobody knows who it is.
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    /// Whether it may everything, whatever the API server says: who sets a cluster up, before there are rules.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(name: &str, groups: &[&str]) -> Vec<String> {
        let user = User {
            name: name.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            ..User::default()
        };
        user.authenticated().groups
    }

    #[test]
    fn authenticated_users_get_their_group_once() {
        assert_eq!(groups("jane", &[]), [AUTHENTICATED]);
        assert_eq!(groups("jane", &["dev"]), ["dev", AUTHENTICATED]);
        assert_eq!(groups("jane", &[AUTHENTICATED]), [AUTHENTICATED]);
        assert_eq!(groups(ANONYMOUS, &[UNAUTHENTICATED]), [UNAUTHENTICATED]);
        assert_eq!(groups(ANONYMOUS, &[]), [] as [&str; 0]);
    }
}
