use std::path::Path;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap as AxumHeaders;
use axum::response::Redirect;
use axum::routing::get;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};

use super::http_config::Loaded;
use super::*;

fn loaded(folder: &Path, yaml: &str) -> Result<Loaded, String> {
    let path = folder.join("http.yaml");
    std::fs::write(&path, yaml).unwrap();
    Loaded::read(&path).map_err(|error| error.to_string())
}

#[test]
fn a_file_gives_the_headers_of_prometheus_http_config() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), " secret \n").unwrap();
    for (yaml, expected) in [
        ("", None),
        ("authorization: {credentials: abc}", Some("Bearer abc")),
        (
            "authorization: {type: Token, credentials_file: token}",
            Some("Token secret"),
        ),
        ("basic_auth: {username: u, password: p}", Some("Basic dTpw")),
        (
            "basic_auth: {username: u, password_file: token}",
            Some("Basic dTpzZWNyZXQ="),
        ),
    ] {
        let loaded = loaded(folder.path(), yaml).unwrap();
        let value = loaded.headers.get(AUTHORIZATION);
        assert_eq!(value.map(|it| it.to_str().unwrap()), expected, "{yaml}");
        assert!(value.is_none_or(HeaderValue::is_sensitive));
    }
    let yaml = "http_headers: {X-Scope-OrgID: {values: [a], files: [token]}}";
    let loaded = loaded(folder.path(), yaml).unwrap();
    let values: Vec<_> = loaded.headers.get_all("x-scope-orgid").iter().collect();
    assert_eq!(values, ["a", "secret"]);
}

#[test]
fn an_unusable_file_is_reported_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pem"), "no PEM").unwrap();
    for (yaml, expected) in [
        ("authorization: {}", "write authorization.credentials or"),
        (
            "authorization: {credentials: a, credentials_file: b}",
            "only one of them",
        ),
        (
            "{authorization: {credentials: a}, basic_auth: {username: u, password: p}}",
            "contradict each other",
        ),
        (
            "basic_auth: {username: u, password_file: nowhere}",
            "nowhere",
        ),
        ("http_headers: {'a b': {values: [c]}}", "no header name"),
        ("http_headers: {a: {values: [\"c\\nd\"]}}", "cannot contain"),
        ("http_headers: {Authorization: {values: [c]}}", "basic_auth"),
        ("tls_config: {cert_file: pem}", "go together"),
        (
            "tls_config: {insecure_skip_verify: true}",
            "insecure_skip_verify",
        ),
        ("proxy_url: http://x", "proxy_url"),
        ("a: [", "no http_config"),
    ] {
        let error = loaded(folder.path(), yaml).unwrap_err();
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{yaml}: {error}"
        );
    }
    let path = folder.path().join("http.yaml");
    std::fs::write(&path, "tls_config: {ca_file: pem}").unwrap();
    let client = Client::new(Some(path), Duration::from_secs(1));
    let error = client.map(drop).unwrap_err().to_string();
    assert!(error.contains("has no certificate"), "{error}");
}

#[test]
fn only_urls_of_http_are_accepted() {
    for good in ["http://127.0.0.1:9090/api", "https://host/a?b=c"] {
        url(good).unwrap();
    }
    for bad in [
        "",
        "host:9090",
        "ftp://host",
        "http://",
        "file:///etc/passwd",
        "https://user:secret@host",
        "https://user@host",
    ] {
        assert!(url(bad).is_err(), "{bad}");
    }
}

#[test]
fn secrets_in_a_url_are_not_shown() {
    let url = url("https://host:1/a/b?token=secret#secret").unwrap();
    assert_eq!(shown_url(&url), "https://host:1/a/b");
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let delay = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        retry_after(&headers, now).map(|delay| delay.as_secs())
    };
    assert_eq!(delay("30"), Some(30));
    assert_eq!(delay("999999"), Some(600));
    assert_eq!(delay("Mon, 12 Jan 1970 13:47:10 GMT"), Some(30));
    assert_eq!(delay("Mon, 12 Jan 1970 13:00:00 GMT"), Some(0));
    assert_eq!(delay("soon"), None);
    assert_eq!(delay("-1"), None);
}

#[tokio::test]
async fn redirects_are_not_followed_and_bodies_are_limited() {
    let router = Router::new()
        .route("/redirect", get(|| async { Redirect::temporary("/large") }))
        .route("/large", get(|| async { Body::from(vec![b'x'; 100_000]) }))
        .route(
            "/agent",
            get(|headers: AxumHeaders| async move {
                format!("{:?}", headers.get("user-agent").unwrap())
            }),
        )
        .route("/hang", get(std::future::pending::<()>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = Client::new(None, Duration::from_millis(500)).unwrap();
    let request = async |path: &str| {
        let url = url(&format!("http://{address}{path}")).unwrap();
        client.send(Method::GET, &url, HeaderMap::new(), "").await
    };
    assert_eq!(request("/redirect").await.unwrap().status(), 307);
    let large = request("/large").await.unwrap();
    let error = read_limited(large, 99_999).await.unwrap_err();
    assert_eq!(error.to_string(), "the response is larger than 99999 bytes");
    let whole = read_limited(request("/large").await.unwrap(), 100_000).await;
    assert_eq!(whole.unwrap().len(), 100_000);
    let agent = read_limited(request("/agent").await.unwrap(), 100).await;
    assert!(agent.unwrap().starts_with(b"\"vitals-server/"));
    let error = request("/hang").await.unwrap_err().to_string();
    assert_eq!(error, "no complete response within 500ms");
    let nowhere = url("http://127.0.0.1:1/").unwrap();
    let refused = client
        .send(Method::GET, &nowhere, HeaderMap::new(), "")
        .await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("onnection refused"), "{error}");
}
