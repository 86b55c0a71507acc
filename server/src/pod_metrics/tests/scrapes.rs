//! Requests over sockets.

use std::io::Write as _;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::pod_metrics::client;
use crate::pod_metrics::lanes::Lanes;
use crate::scrape::ScrapeError;

/// Answers each request on each connection with these bytes, and returns the address and what was requested.
async fn respond(response: Vec<u8>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (response, heard) = (response.clone(), Arc::clone(&heard));
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(length) = stream.read(&mut buffer).await
                    && length > 0
                {
                    let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    heard.lock().push(request);
                    if response.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    if stream.write_all(&response).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, requests)
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let end = if headers.is_empty() {
        "\r\n"
    } else {
        "\r\n\r\n"
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{headers}{end}");
    [head.as_bytes(), body].concat()
}

fn target(address: SocketAddr, rule: &str) -> Target {
    let text = format!(
        "allowed_addresses: [127.0.0.0/8]\nlimits: {{body_size: 64Ki}}\n\
         rules: [{{name: a, interval: 15s, timeout: 1s, port: {}, {rule}}}]",
        address.port()
    );
    let pod = pod(&reader(), "shop/web", "127.0.0.1", json!({}));
    Target::of(&pod, &config(&text).unwrap()).unwrap()
}

async fn get(response: Vec<u8>, rule: &str) -> (Result<String, ScrapeError>, Vec<String>) {
    let (address, requests) = respond(response).await;
    let (lanes, namespace) = (Lanes::default(), Arc::from("shop"));
    let target = target(address, rule);
    let response = client::get(&target, &mut None, (&lanes.large, &namespace)).await;
    let body = response.map(|it| String::from_utf8(it.body).unwrap());
    let requests = requests.lock().clone();
    (body, requests)
}

#[tokio::test]
async fn a_page_is_requested_as_prometheus_does_and_may_be_compressed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"a 1\n").unwrap();
    let (body, requests) = get(ok("Content-Encoding: gzip", &gzip.finish().unwrap()), "").await;
    assert_eq!(body.unwrap(), "a 1\n");
    let request = requests[0].to_ascii_lowercase();
    assert!(
        request.starts_with("get /metrics http/1.1\r\n"),
        "{request}"
    );
    for header in [
        "host: 127.0.0.1:",
        "accept-encoding: gzip",
        "openmetrics-text",
        "x-prometheus-scrape-timeout-seconds: 1\r\n",
    ] {
        assert!(request.contains(header), "{request}");
    }
    assert!(
        !request.contains("authorization"),
        "a pod that no rule gives credentials to gets none"
    );
}

#[tokio::test]
async fn credentials_go_to_the_pods_of_their_rule() {
    let rule = "http_config: {authorization: {credentials_file: token}}";
    let (_, requests) = get(ok("", b"a 1\n"), rule).await;
    assert!(
        requests[0]
            .to_ascii_lowercase()
            .contains("authorization: bearer secret")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect =
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
    let (body, requests) = get(redirect.to_vec(), "").await;
    let error = body.unwrap_err();
    assert_eq!(requests.len(), 1);
    assert!(
        client::clause(&error).contains("redirects are not followed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_whatever_its_form() {
    let huge = vec![b'a'; 200 << 10];
    let announced = get(ok("", &huge), "").await.0;
    assert_eq!(announced.unwrap_err(), ScrapeError::TooLarge(64 << 10));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&huge).unwrap();
    let bomb = ok("Content-Encoding: gzip", &gzip.finish().unwrap());
    assert!(bomb.len() < 2000);
    assert_eq!(
        get(bomb, "").await.0.unwrap_err(),
        ScrapeError::TooLarge(64 << 10)
    );
    let chunk = format!("{:x}\r\n{}\r\n", huge.len(), "a".repeat(huge.len()));
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    assert_eq!(
        get(endless.into_bytes(), "").await.0.unwrap_err(),
        ScrapeError::TooLarge(64 << 10)
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_hangs_is_a_timeout() {
    assert_eq!(
        get(Vec::new(), "").await.0.unwrap_err(),
        ScrapeError::Timeout(1000)
    );
}

#[tokio::test]
async fn what_is_no_page_is_an_error_that_says_what_it_is() {
    for (status, expected) in [("404 Not Found", "404"), ("500 Oops", "500")] {
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let error = get(response.into_bytes(), "").await.0.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let format = kubevitals_proto::exposition::Format::Text;
    let html = ingest::read(
        b"<!DOCTYPE html>\n<html>hello</html>\n",
        format,
        Default::default(),
        |_| true,
    );
    assert_eq!(
        html.err().unwrap(),
        "the response is an HTML page, not metrics"
    );
    let page = ingest::read(
        b"a{x=\"\xff\"} 1\nb 2\n",
        format,
        Default::default(),
        |_| true,
    )
    .unwrap();
    assert_eq!(
        (page.reported.len(), page.problems.len()),
        (1, 1),
        "invalid UTF-8 costs its line"
    );
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (address, requests) = respond(ok("", b"a 1\n")).await;
    let (lanes, namespace) = (Lanes::default(), Arc::from("shop"));
    let (target, mut idle) = (target(address, ""), None);
    for _ in 0..3 {
        client::get(&target, &mut idle, (&lanes.large, &namespace))
            .await
            .unwrap();
        assert!(idle.is_some());
    }
    assert_eq!(requests.lock().len(), 3);
}

/// A server with a certificate for `web.shop.svc`, and the file of its authority.
async fn respond_with_tls() -> (SocketAddr, tempfile::NamedTempFile) {
    let _provider = crate::tls::provider();
    let names = vec!["web.shop.svc".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let _length = stream.read(&mut [0; 4096]).await.ok()?;
                stream.write_all(&ok("", b"a 1\n")).await.ok()?;
                stream.flush().await.ok()
            });
        }
    });
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(cert.pem().as_bytes()).unwrap();
    (address, ca)
}

#[tokio::test]
async fn a_certificate_must_have_the_name_of_the_rule_and_be_of_its_authority() {
    let (address, ca) = respond_with_tls().await;
    let (_, other) = respond_with_tls().await;
    let of = |file: &tempfile::NamedTempFile| format!("ca_file: {}", file.path().display());
    for (tls, accepted) in [
        (format!("{}, server_name: web.shop.svc", of(&ca)), true),
        (format!("{}, server_name: web.bank.svc", of(&ca)), false),
        // The address, which is not in the certificate.
        (of(&ca), false),
        (format!("{}, server_name: web.shop.svc", of(&other)), false),
        ("insecure_skip_verify: true".to_owned(), true),
    ] {
        let target = target(
            address,
            &format!("scheme: https, http_config: {{tls_config: {{{tls}}}}}"),
        );
        let (lanes, namespace) = (Lanes::default(), Arc::from("shop"));
        let response = client::get(&target, &mut None, (&lanes.large, &namespace)).await;
        match response {
            Ok(response) => assert!(accepted && response.body == b"a 1\n", "{tls}"),
            Err(error) => assert!(
                !accepted && matches!(error, ScrapeError::Certificate(_)),
                "{tls}: {error}"
            ),
        }
    }
}

/// Polls until the condition holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polling = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), polling).await;
    assert!(ended.is_ok(), "never: {what}");
}

#[tokio::test]
async fn a_pod_is_scraped_from_its_start_until_it_is_gone() {
    let (address, _) = respond(ok("", b"# TYPE queue gauge\nqueue 7\n")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, "allowed_addresses: [127.0.0.0/8]\nkeep: [queue]\n").unwrap();
    let cluster = Arc::new(Cluster::default());
    let (_changed, hpas_changed) = tokio::sync::watch::channel(());
    let parts = crate::pod_metrics::Parts {
        cluster: Arc::clone(&cluster),
        clock: Arc::new(crate::clock::SystemClock::default()),
        hpas_changed,
    };
    let settings = Settings {
        config: Some(file),
        ..Settings::default()
    };
    let scraper = crate::pod_metrics::Scraper::new(settings, parts).unwrap();
    let store = Arc::clone(scraper.store());
    let running = tokio::spawn(scraper.run());
    let annotations =
        json!({"prometheus.io/scrape": "true", "prometheus.io/port": address.port().to_string()});
    let web = pod(
        &reader(),
        "shop/web",
        "127.0.0.1",
        json!({"annotations": annotations}),
    );
    let evil =
        json!({"annotations": {"prometheus.io/scrape": "true", "prometheus.io/path": "//evil"}});
    let evil = pod(&reader(), "shop/evil", "127.0.0.1", evil);
    for pod in [&web, &evil] {
        cluster.change_pods(|pods| pods.insert(pod.key.clone(), Arc::clone(pod)));
        crate::cluster::Observer::pod(&*store, None, Some(pod));
    }
    let read = |name| store.read(&key(name), "queue", &LabelSelector::default());
    until("a value", || read("shop/web").is_ok()).await;
    assert_eq!(read("shop/web").unwrap().value, 7.0);
    let refused = read("shop/evil").unwrap_err();
    assert!(
        refused.to_string().contains("begins with one slash"),
        "{refused}"
    );
    until("counted", || {
        let targets = *store.metrics.targets.lock();
        (targets.scraped, targets.refused) == (1, 1)
    })
    .await;
    cluster.change_pods(|pods| pods.remove(&web.key));
    crate::cluster::Observer::pod(&*store, Some(&web), None);
    until("forgotten", || read("shop/web") == Err(Absence::NoTarget)).await;
    assert_eq!(store.usage(), Default::default());
    running.abort();
}

/// Prints what the values of 1,000 pods take, of whose 500 series 3 are kept.
#[test]
fn a_thousand_pods_take_little_memory() {
    let world = World::new(Settings::default());
    world.asks("shop", &["hits_per_second", "queue", "latency_p95"]);
    let others: String = (0..483)
        .map(|number| format!("other_{number}{{a=\"b\"}} {number}\n"))
        .collect();
    let buckets: String = (0..14)
        .map(|number| format!("latency_bucket{{le=\"{number}\"}} {number}\n"))
        .collect();
    let page = format!(
        "{others}# TYPE hits_total counter\nhits_total 1\n# TYPE queue gauge\nqueue 1\n\
         # TYPE latency histogram\n{buckets}latency_bucket{{le=\"+Inf\"}} 14\nlatency_sum 9\nlatency_count 14\n"
    );
    for number in 0..1000 {
        world.add(&format!("shop/{number}"), json!({}));
    }
    for _ in 0..5 {
        for number in 0..1000 {
            world.scrape(&format!("shop/{number}"), &page);
        }
        world.clock.pass(15 * SECOND);
    }
    let usage = world.store.usage();
    println!("{} series, {} bytes", usage.series, usage.bytes);
    assert_eq!(usage.series, 3000);
    assert!(usage.bytes < 4_000_000, "{usage:?}");
}
