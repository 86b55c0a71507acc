//! Normalizes a kubeconfig as kubectl reads it.
//!
//! kube reads the file literally; client-go is more tolerant. An empty value counts as absent, and line breaks in
//! base64 are ignored.

use kube::config::{AuthInfo, Cluster, Kubeconfig};
use secrecy::{ExposeSecret, SecretString};

/// Normalizes a parsed file.
pub(super) fn normalize(config: &mut Kubeconfig) {
    drop_empty(&mut config.current_context);
    let clusters = config.clusters.iter_mut();
    for cluster in clusters.filter_map(|named| named.cluster.as_mut()) {
        normalize_cluster(cluster);
    }
    let users = config.auth_infos.iter_mut();
    for user in users.filter_map(|named| named.auth_info.as_mut()) {
        normalize_user(user);
    }
    let contexts = config.contexts.iter_mut();
    for context in contexts.filter_map(|named| named.context.as_mut()) {
        drop_empty(&mut context.user);
        drop_empty(&mut context.namespace);
    }
}

fn normalize_cluster(cluster: &mut Cluster) {
    drop_empty(&mut cluster.server);
    drop_empty(&mut cluster.proxy_url);
    drop_empty(&mut cluster.tls_server_name);
    drop_empty(&mut cluster.certificate_authority);
    join_lines(&mut cluster.certificate_authority_data);
}

fn normalize_user(user: &mut AuthInfo) {
    drop_empty(&mut user.username);
    drop_empty_secret(&mut user.password);
    drop_empty_secret(&mut user.token);
    drop_empty(&mut user.token_file);
    drop_empty(&mut user.client_certificate);
    drop_empty(&mut user.client_key);
    drop_empty(&mut user.impersonate);
    drop_empty(&mut user.impersonate_uid);
    join_lines(&mut user.client_certificate_data);
    if let Some(data) = user.client_key_data.take() {
        let mut text = Some(data.expose_secret().to_owned());
        join_lines(&mut text);
        user.client_key_data = text.map(SecretString::from);
    }
}

fn drop_empty(value: &mut Option<String>) {
    value.take_if(|text| text.is_empty());
}

fn drop_empty_secret(value: &mut Option<SecretString>) {
    value.take_if(|secret| secret.expose_secret().is_empty());
}

/// Go's base64 decoder skips carriage returns and line feeds, and nothing else.
fn join_lines(value: &mut Option<String>) {
    if let Some(text) = value {
        text.retain(|letter| !matches!(letter, '\r' | '\n'));
    }
    drop_empty(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Kubeconfig {
        let mut config = Kubeconfig::from_yaml(text).unwrap();
        normalize(&mut config);
        config
    }

    #[test]
    fn empty_values_count_as_absent() {
        let empty = "current-context: ''
clusters: [{name: c, cluster: {server: '', certificate-authority: '', certificate-authority-data: '', proxy-url: '', tls-server-name: ''}}]
users: [{name: u, user: {token: '', tokenFile: '', username: '', password: '', client-certificate: '', client-certificate-data: '', client-key: '', client-key-data: '', as: '', as-uid: ''}}]
contexts: [{name: x, context: {cluster: c, user: '', namespace: ''}}]";
        let absent = "{clusters: [{name: c, cluster: {}}], users: [{name: u, user: {}}], contexts: [{name: x, context: {cluster: c}}]}";
        assert_eq!(format!("{:?}", read(empty)), format!("{:?}", read(absent)));
    }

    #[test]
    fn line_breaks_in_base64_are_ignored() {
        let user = |yaml: &str| {
            let config = read(&format!("users:\n- name: u\n  user:\n    {yaml}\n"));
            let user = config.auth_infos[0].auth_info.clone().unwrap();
            (
                user.client_certificate_data,
                user.client_key_data
                    .map(|key| key.expose_secret().to_owned()),
            )
        };
        let whole = Some("aGVsbG8gd29ybGQ=".to_owned());
        for yaml in [
            "client-certificate-data: |\n      aGVsbG8g\n      d29ybGQ=\n",
            "client-certificate-data: \"aGVsbG8g\\r\\nd29ybGQ=\\n\"",
            "client-certificate-data: |-\n      aGVs\n      bG8gd29y\n      bGQ=",
            "client-certificate-data: aGVsbG8gd29ybGQ=",
        ] {
            assert_eq!(user(yaml).0, whole, "{yaml}");
            let key = yaml.replace("client-certificate-data", "client-key-data");
            assert_eq!(user(&key).1, whole, "{key}");
        }
        // A space is not a line break: kubectl refuses it too.
        let folded = "client-certificate-data: >-\n      aGVsbG8g\n      d29ybGQ=\n";
        assert_eq!(user(folded).0.as_deref(), Some("aGVsbG8g d29ybGQ="));
    }
}
