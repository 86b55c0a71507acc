//! Finds missing credentials: without one, an API server treats requests as anonymous and denies most of them.

use std::path::Path;

use kube::config::{AuthInfo, Kubeconfig};
use secrecy::ExposeSecret;

/// Explains why the current context of a kubeconfig has no credential; none if it has one.
pub(super) fn of_kubeconfig(kubeconfig: &Kubeconfig) -> Option<String> {
    let current = kubeconfig.current_context.as_deref().unwrap_or_default();
    let mut contexts = kubeconfig.contexts.iter();
    // kube reports a missing context.
    let context = contexts.find(|context| context.name == current)?;
    let user = context
        .context
        .as_ref()?
        .user
        .as_deref()
        .unwrap_or_default();
    if user.is_empty() {
        return Some(format!("context {current} names no user"));
    }
    let Some(named) = kubeconfig.auth_infos.iter().find(|it| it.name == user) else {
        return Some(format!(
            "user {user} of context {current} is not among its users"
        ));
    };
    let lack = of_user(named.auth_info.as_ref()?)?;
    Some(format!("user {user} has {lack}"))
}

/// Explains why a user has no credential.
fn of_user(user: &AuthInfo) -> Option<String> {
    let set = |text: &Option<String>| text.as_ref().is_some_and(|it| !it.trim().is_empty());
    let certificate = set(&user.client_certificate) || set(&user.client_certificate_data);
    let other = user.exec.is_some() || user.auth_provider.is_some() || set(&user.username);
    if certificate || other {
        return None;
    }
    let token = user
        .token
        .as_ref()
        .map(|token| token.expose_secret().trim());
    match (token, &user.token_file) {
        (Some(token), _) if !token.is_empty() => None,
        (_, Some(file)) => of_file(Path::new(file)).map(|lack| format!("a {lack}")),
        (Some(_), None) => Some("an empty token".to_owned()),
        (None, None) => Some("no token, client certificate or other credential".to_owned()),
    }
}

/// Explains why a token file has no token. The client reports a file that it cannot read.
pub(super) fn of_file(file: &Path) -> Option<String> {
    let token = std::fs::read_to_string(file).ok()?;
    let lack = || format!("token file {} that is empty", file.display());
    token.trim().is_empty().then(lack)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(user: &str) -> String {
        let yaml = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1'}}}}]\nusers: [{user}]\n"
        );
        of_kubeconfig(&Kubeconfig::from_yaml(&yaml).unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_missing_credential_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, good) = (folder.path().join("empty"), folder.path().join("good"));
        std::fs::write(&empty, " \n").unwrap();
        std::fs::write(&good, "token\n").unwrap();
        let (empty, good) = (empty.to_str().unwrap(), good.to_str().unwrap());
        let table = "
            {name: u, user: {token: ''}} | user u has an empty token
            {name: u, user: {token: '  '}} | user u has an empty token
            {name: u, user: {}} | user u has no token, client certificate
            {name: u, user: {client-certificate-data: ''}} | user u has no token
            {name: u, user: {tokenFile: EMPTY}} | that is empty
            {name: u, user: {tokenFile: /nowhere/token}} |
            {name: other, user: {token: t}} | user u of context c is not among its users
            {name: u, user: {token: '', tokenFile: GOOD}} |
            {name: u, user: {token: t}} |
            {name: u, user: {token: '', client-certificate: /c, client-key: /k}} |
            {name: u, user: {exec: {command: get-token, apiVersion: v1}}} |";
        for row in table.trim().lines() {
            let (user, expected) = row.split_once(" |").unwrap();
            let expected = expected.trim();
            let user = user.replace("EMPTY", empty).replace("GOOD", good);
            let lack = lack(&user);
            assert_eq!(lack.is_empty(), expected.is_empty(), "{user}: {lack}");
            assert!(
                lack.contains(expected) && !lack.contains('\n'),
                "{user}: {lack}"
            );
        }
    }

    #[test]
    fn a_context_without_a_user_is_reported() {
        let yaml = "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n";
        let lack = of_kubeconfig(&Kubeconfig::from_yaml(yaml).unwrap());
        assert_eq!(lack.as_deref(), Some("context c names no user"));
    }
}
