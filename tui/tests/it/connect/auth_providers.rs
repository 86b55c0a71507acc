//! Users with an `auth-provider`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::tls::{base64, fixture, serve, serve_cluster};
use super::{VITALS, caller, connects_as_kubectl, write_kubeconfig};
use crate::api::{Api, Cluster, Reply};

/// An ID token of this user that expires at this time, in seconds since the epoch. Nobody checks its signature.
fn token(user: &str, expiry: u64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "none"}));
    let claims = part(json!({"sub": user, "exp": expiry}));
    format!("{header}.{claims}.c2ln")
}

/// In the year 2100, and in 2020.
const FUTURE: u64 = 4_102_444_800;
const PAST: u64 = 1_577_836_800;

/// A cluster whose user has these fields below `user`.
fn with_user(user: &str) -> Api {
    let api = serve("server");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("server-ca.crt")
    );
    write_kubeconfig(&api, &cluster, user);
    api
}

/// A user with the provider `oidc` and these fields of its configuration.
fn oidc(fields: &str) -> String {
    format!("auth-provider: {{name: oidc, config: {{{fields}}}}}")
}

#[test]
fn a_valid_id_token_is_used_as_by_kubectl() {
    let valid = token("ann", FUTURE);
    let issuer = "client-id: vitals, idp-issuer-url: \"https://127.0.0.1:1\"";
    for fields in [
        format!("{issuer}, id-token: {valid}"),
        format!("{issuer}, client-secret: s, refresh-token: r, id-token: {valid}"),
    ] {
        let api = with_user(&oidc(&fields));
        let caller = connects_as_kubectl(&api, &fields, &[]);
        assert_eq!(caller.authorization, Some(format!("Bearer {valid}")));
    }
    let both = format!(
        "token: inline\n{}",
        oidc(&format!("{issuer}, id-token: {valid}"))
    );
    let caller = connects_as_kubectl(&with_user(&both), &both, &[]);
    assert_eq!(caller.authorization.as_deref(), Some("Bearer inline"));
}

#[test]
fn an_expired_or_missing_id_token_is_refreshed_as_by_kubectl() {
    let fresh = token("ann", FUTURE);
    let reply = |value| Reply::json(&value);
    let mut endpoint = Cluster::default();
    let tokens = reply(json!({"id_token": fresh, "access_token": "a", "token_type": "Bearer"}));
    endpoint.replies.insert("/token".to_owned(), tokens);
    let endpoint = serve_cluster("server", endpoint);
    // The issuer's name in its document has to be the requested one, and its port is not known before.
    for id_token in [format!(", id-token: {}", token("ann", PAST)), String::new()] {
        let issuer = issuer(&endpoint);
        let fields = format!(
            "client-id: vitals, client-secret: s, refresh-token: r, \
             idp-issuer-url: \"https://127.0.0.1:{}\"{id_token}",
            issuer.port
        );
        let api = with_user(&oidc(&fields));
        let authorities = fixture("server-ca.crt").display().to_string();
        let variables = [("SSL_CERT_FILE", authorities.as_str())];
        // kubectl writes the new token into the kubeconfig.
        let (ours, caller) = caller(&api, VITALS, &variables);
        assert_eq!(ours.code, Some(0), "{}", ours.err);
        let header = caller.and_then(|caller| caller.authorization);
        assert_eq!(header, Some(format!("Bearer {fresh}")));
        connects_as_kubectl(&api, &fields, &variables);
    }
}

/// An issuer with the token endpoint of another server.
fn issuer(endpoint: &Api) -> Api {
    let mut issuer = Cluster::default();
    let document = json!({"token_endpoint": format!("https://127.0.0.1:{}/token", endpoint.port)});
    let path = "/.well-known/openid-configuration".to_owned();
    issuer.replies.insert(path, Reply::json(&document));
    serve_cluster("server", issuer)
}

#[test]
fn an_unusable_provider_is_reported_in_one_line_without_secrets() {
    let expired = token("ann", PAST);
    let plugin =
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never}";
    for (user, expected) in [
        (
            "auth-provider: {name: gcp}".to_owned(),
            "gke-gcloud-auth-plugin",
        ),
        ("auth-provider: {name: azure}".to_owned(), "kubelogin"),
        (
            "auth-provider: {name: own}".to_owned(),
            "auth-provider \"own\" does not exist",
        ),
        (
            format!("{plugin}\nauth-provider: {{name: oidc}}"),
            "cannot be used in combination",
        ),
        (oidc("client-id: x"), "missing field id-token"),
        (oidc("id-token: s3cr3t"), "not a valid JWT"),
        (
            oidc(&format!("id-token: {expired}")),
            "ID token expired and refreshing is not possible",
        ),
        (
            oidc(&format!(
                "client-id: x, idp-issuer-url: \"https://127.0.0.1:1\", refresh-token: s3cr3t, id-token: {expired}"
            )),
            "ID token expired and refreshing failed",
        ),
    ] {
        let (ours, caller) = caller(&with_user(&user), VITALS, &[]);
        assert_eq!((ours.code, &*ours.out), (Some(1), ""), "{user}");
        assert!(ours.err.contains(expected), "{user}: {}", ours.err);
        assert_eq!(ours.err.lines().count(), 1, "{user}: {}", ours.err);
        assert!(
            !ours.err.contains("s3cr3t") && !ours.err.contains(&expired),
            "{}",
            ours.err
        );
        assert_eq!(caller, None, "{user}");
    }
}
