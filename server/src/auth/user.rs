//! The user of a request, as authentication identifies it.

use std::collections::BTreeMap;

/// The user of a request. Authentication adds it to every request as an extension (`Arc<User>`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Distinguishes this user from an earlier one of the same name; may be empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Extra values by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

const ANONYMOUS: &str = "system:anonymous";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const MASTERS: &str = "system:masters";

impl User {
    /// The anonymous user.
    pub fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// Adds the group of all authenticated users. The kube-aggregator's own identities come without it. A user who is
    /// anonymous to the front proxy stays anonymous.
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

    /// Whether the user is anonymous.
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    /// Whether the user is in `system:masters`, which may do everything without a review, also before RBAC rules
    /// exist.
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
