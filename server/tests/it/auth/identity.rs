//! Authentication.

use kubevitals_sim::identity::{Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::pki::Authority;

use super::{NODES, TestUser, cannot_list, config, may_see_nodes, unauthorized};
use crate::captures::{as_captured, captured};
use crate::harness::{BELIEVED, Harness};

const PROXY: &str = "front-proxy-client";

fn user(name: &str) -> Subject {
    Subject::User(name.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_a_certificate_are_ignored() {
    let harness = Harness::start(config()).await;
    let forger = TestUser::anonymous(&harness)
        .with_header("X-Remote-User", "root")
        .with_header("X-Remote-Group", "system:masters");
    assert_eq!(
        forger.status_and_message(NODES).await,
        cannot_list("system:anonymous")
    );
    let token = harness
        .cluster
        .identities()
        .mint_token(UserInfo::new("jane", []));
    let forger = TestUser::with_token(&harness, &token)
        .with_header("x-remote-user", "root")
        .with_header("x-remote-group", "system:masters");
    assert_eq!(forger.status_and_message(NODES).await, cannot_list("jane"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_front_proxy_may_set_identity_headers() {
    let harness = Harness::start(config()).await;
    let (pki, stranger) = (
        harness.cluster.pki(),
        Authority::new("front-proxy-ca").unwrap(),
    );
    let ca = pki.front_proxy();
    may_see_nodes(&harness, user("jane"));
    for (who, certificate, expected) in [
        (
            "the front proxy",
            ca.issue_client(PROXY, &[]),
            (200, String::new()),
        ),
        (
            "a name not allowed",
            ca.issue_client("another", &[]),
            unauthorized(),
        ),
        (
            "no longer valid",
            ca.issue_expired_client(PROXY),
            unauthorized(),
        ),
        (
            "a server",
            ca.issue_server(PROXY, &[], &["localhost"]),
            unauthorized(),
        ),
        (
            "of another CA",
            stranger.issue_client(PROXY, &[]),
            unauthorized(),
        ),
        // A client certificate counts, and headers do not.
        (
            "a client",
            pki.cluster().issue_client("eve", &[]),
            cannot_list("eve"),
        ),
    ] {
        let user = TestUser::with_certificate(&harness, &certificate.unwrap())
            .with_header("X-Remote-User", "jane");
        assert_eq!(user.status_and_message(NODES).await, expected, "{who}");
    }
    let proxy = ca.issue_client(PROXY, &[]).unwrap();
    assert_eq!(
        TestUser::with_certificate(&harness, &proxy)
            .status_and_message(NODES)
            .await,
        unauthorized(),
        "a front proxy that names nobody is nobody"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_group_headers_count_in_any_case() {
    let harness = Harness::start(config()).await;
    let proxy = harness.cluster.pki().front_proxy().issue_client(PROXY, &[]);
    let proxy = proxy.unwrap();
    may_see_nodes(&harness, Subject::Group("ops".to_owned()));
    let member = TestUser::with_certificate(&harness, &proxy)
        .with_header("X-REMOTE-USER", "jane")
        .with_header("x-remote-group", "dev")
        .with_header("X-Remote-GROUP", "ops");
    assert_eq!(member.status(NODES).await, 200);
    let stranger =
        TestUser::with_certificate(&harness, &proxy).with_header("X-Remote-User", "jane");
    assert_eq!(
        stranger.status_and_message(NODES).await,
        cannot_list("jane")
    );
    // Authenticated users are in system:authenticated, though the aggregator's own identities come without it.
    assert_eq!(stranger.status("/apis").await, 200);
    let master = stranger.with_header("X-Remote-Group", "system:masters");
    assert_eq!(master.status("/debug/scrapes").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_the_subject_of_its_certificate() {
    let harness = Harness::start(config()).await;
    let ca = harness.cluster.pki().cluster();
    may_see_nodes(&harness, user("jane"));
    may_see_nodes(&harness, Subject::Group("ops".to_owned()));
    for (certificate, expected) in [
        (ca.issue_client("jane", &[]), (200, String::new())),
        (
            ca.issue_client("joe", &["dev", "ops"]),
            (200, String::new()),
        ),
        (ca.issue_client("eve", &["dev"]), cannot_list("eve")),
        (ca.issue_client("", &["ops"]), unauthorized()),
        (ca.issue_expired_client("jane"), unauthorized()),
    ] {
        let user = TestUser::with_certificate(&harness, &certificate.unwrap());
        assert_eq!(user.status_and_message(NODES).await, expected);
    }
    let stranger = Authority::new("kubernetes")
        .unwrap()
        .issue_client("jane", &[])
        .unwrap();
    assert_eq!(
        TestUser::with_certificate(&harness, &stranger)
            .status_and_message(NODES)
            .await,
        unauthorized()
    );
    // If a certificate names no user, the token counts.
    let token = harness
        .cluster
        .identities()
        .mint_token(UserInfo::new("jane", []));
    let both = TestUser::with_certificate(&harness, &stranger)
        .with_header("Authorization", &format!("Bearer {token}"));
    assert_eq!(both.status(NODES).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_valid_until_it_is_revoked() {
    let harness = Harness::start(config()).await;
    let identities = harness.cluster.identities();
    may_see_nodes(&harness, user("jane"));
    let token = identities.mint_token(UserInfo::new("jane", []));
    let jane = TestUser::with_token(&harness, &token);
    assert_eq!(jane.status(NODES).await, 200);
    identities.remove_token(&token);
    assert_eq!(
        jane.status(NODES).await,
        200,
        "what was said of it holds for ten seconds"
    );
    harness.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(jane.status_and_message(NODES).await, unauthorized());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_token_is_refused_and_not_ignored() {
    let harness = Harness::start(config()).await;
    let reviews = |harness: &Harness| harness.server.auth().metrics().tokens.misses.get();
    for token in ["garbage", "a.b.c", "\u{fc}\u{df}", "%00", "'; drop table"] {
        let user = TestUser::with_token(&harness, token);
        assert_eq!(
            user.status_and_message("/healthz").await,
            unauthorized(),
            "{token}"
        );
    }
    let before = reviews(&harness);
    let long = TestUser::with_token(&harness, &"x".repeat(20 << 10));
    assert_eq!(long.status_and_message(NODES).await, unauthorized());
    assert_eq!(
        reviews(&harness),
        before,
        "the API server does not review it"
    );
    // Values that are no token are no credentials.
    for header in ["", "Bearer", "Basic dTpw", "garbage"] {
        let user = TestUser::anonymous(&harness).with_header("Authorization", header);
        assert_eq!(user.status("/healthz").await, 200, "{header:?}");
    }
    let refused = crate::harness::client(None)
        .get(harness.url(NODES))
        .bearer_auth("x".repeat(3 << 20))
        .send()
        .await;
    // HTTP's own limit may come first: 431, or the connection closes before everything is sent.
    assert!(refused.is_err() || refused.unwrap().status() == 431);
    assert_eq!(
        harness.get(NODES).await.0,
        200,
        "and nobody else was disturbed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_those_of_metrics_server() {
    let harness = Harness::start(config()).await;
    // As curl, for which JSON is indented.
    let request = |path| {
        let request = crate::harness::client(None).get(harness.url(path));
        request.header("User-Agent", "curl/8.0")
    };
    for (name, request) in [
        ("anon", request(NODES)),
        ("badtoken", request(NODES).bearer_auth("bad")),
        ("anon_healthz", request("/healthz")),
    ] {
        let (_, body) = as_captured(name, request).await;
        assert_eq!(body, captured(&format!("{name}.body")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_list_of_names_allows_any_name() {
    for (text, expected) in [
        (None, 200),
        (Some(""), 200),
        (Some("[]"), 200),
        (Some("null"), 200),
        (Some(r#"["another"]"#), 401),
    ] {
        let harness = Harness::start_on(config(), |cluster| {
            let (namespace, name) = BELIEVED;
            let store = cluster.store();
            let map = store.get(Resource::ConfigMaps, Some(namespace), name);
            let mut map = map.unwrap().to_value(Resource::ConfigMaps);
            let data = map["data"].as_object_mut().unwrap();
            data.remove("requestheader-allowed-names");
            if let Some(text) = text {
                data.insert("requestheader-allowed-names".to_owned(), text.into());
            }
            store.apply(Resource::ConfigMaps, map);
        })
        .await;
        may_see_nodes(&harness, user("jane"));
        let proxy = harness.cluster.pki().front_proxy();
        let proxy = proxy.issue_client("any", &[]).unwrap();
        let user =
            TestUser::with_certificate(&harness, &proxy).with_header("X-Remote-User", "jane");
        assert_eq!(user.status(NODES).await, expected, "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impersonation_is_refused_on_direct_connections() {
    let harness = Harness::start(config()).await;
    may_see_nodes(&harness, user("jane"));
    let token = harness
        .cluster
        .identities()
        .mint_token(UserInfo::new("jane", ["system:masters"]));
    let proxy = harness.cluster.pki().front_proxy().issue_client(PROXY, &[]);
    let proxy = proxy.unwrap();
    let askers = || {
        [
            ("a token", TestUser::with_token(&harness, &token)),
            ("nobody", TestUser::anonymous(&harness)),
            (
                "a front proxy",
                TestUser::with_certificate(&harness, &proxy).with_header("X-Remote-User", "jane"),
            ),
        ]
    };
    for (name, value) in [
        ("Impersonate-User", "eve"),
        ("impersonate-user", "system:serviceaccount:shop:web"),
        ("Impersonate-Group", "system:masters"),
        ("Impersonate-Uid", "4711"),
        ("Impersonate-Extra-Scopes", "view"),
        ("impersonate-extra-acme.com%2Fproject", "x"),
    ] {
        for (who, user) in askers() {
            for path in [NODES, "/apis/kubevitals.io/v1alpha1/nodevitals", "/livez"] {
                let (status, message) = client_with_headers(&user, name, value, path).await;
                assert_eq!(status, 403, "{who}: {name}: {path}");
                assert!(
                    message.contains("impersonation is not supported"),
                    "{message}"
                );
            }
        }
    }
    let user = TestUser::with_token(&harness, &token);
    // Other headers of this kind are ignored.
    let (status, _) = client_with_headers(&user, "Impersonated", "eve", NODES).await;
    assert_eq!(status, 200);
}

async fn client_with_headers(
    user: &TestUser<'_>,
    name: &'static str,
    value: &str,
    path: &str,
) -> (u16, String) {
    user.clone()
        .with_header(name, value)
        .status_and_message(path)
        .await
}
