//! Tests of the log lines about failures.

use std::io::Seek as _;

use super::*;

/// The log lines of `run`.
fn logged(run: impl FnOnce()) -> String {
    let mut file = tempfile::tempfile().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Arc::new(file.try_clone().unwrap()))
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    file.rewind().unwrap();
    io::read_to_string(file).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_one_log_line() {
    let failures = |script: Script, count: usize| async move {
        let server = Server::new(script);
        let mut stream = std::pin::pin!(server.reflector(false).stream());
        let mut all = Vec::new();
        while all.len() < count {
            if let Err(failed) = stream.next().await.unwrap() {
                all.push(failed);
            }
        }
        all
    };
    let denied: Script = |_| TestResponse::refusal(403);
    let failing: Script = |_| TestResponse::refusal(500);
    let missing: Script = |_| TestResponse::refusal(404);
    let html: Script = |_| TestResponse::new("text/html; charset=utf-8", "<html>\nSign in</html>");
    let broken: Script = |_| TestResponse::new(PROTOBUF, "").with_end(End::Broken);
    let refusal = |status| format!("{status} from the API server: no, says the test");
    let cases = [
        (denied, 4, refusal("403 Forbidden")),
        (failing, 1, refusal("500 Internal Server Error")),
        (missing, 4, refusal("404 Not Found")),
        (html, 1, "the answer is text/html".to_owned()),
        (broken, 1, "the response ended early".to_owned()),
    ];
    for (script, watches, expected) in cases {
        let failures = failures(script, 20).await;
        let health: [WatchHealth; 4] = Default::default();
        let outages = Outages::default();
        let resources = ["nodes", "pods", "events", "jobs"];
        let log = logged(|| {
            let mut reporters: Vec<Reporter<'_>> = resources
                .into_iter()
                .zip(&health)
                .zip([
                    Need::Required,
                    Need::Required,
                    Need::Optional,
                    Need::Optional,
                ])
                .map(|((what, health), need)| Reporter::new(health, &outages, what, need))
                .collect();
            for failed in &failures {
                for reporter in &mut reporters {
                    reporter.failed(failed);
                }
            }
            for reporter in &mut reporters {
                reporter.answered();
                reporter.answered();
            }
        });
        let (starts, ends): (Vec<&str>, Vec<&str>) =
            log.lines().partition(|line| line.contains("WARN"));
        assert_eq!((starts.len(), ends.len()), (watches, watches), "{log}");
        for line in starts {
            assert!(
                line.contains(&expected) && line.contains("retry="),
                "{line}"
            );
            for noise in ["Status {", "Api(", "unreported", "Error"] {
                assert!(!line.replace("Server Error", "").contains(noise), "{line}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_is_logged_every_ten_minutes() {
    let failed = || FailedAttempt {
        failure: super::super::failure::Failure::status_response(403, b""),
        retry_in: Duration::from_secs(2),
    };
    let (health, outages) = (WatchHealth::default(), Outages::default());
    let mut reporter = Reporter::new(&health, &outages, "pods", Need::Required);
    let mut log = String::new();
    for _ in 0..150 {
        log += &logged(|| reporter.failed(&failed()));
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(log.lines().count(), 3, "{log}");
    let suppressed: Vec<bool> = log
        .lines()
        .map(|line| line.contains("unreported=59"))
        .collect();
    assert_eq!(suppressed, [false, true, true], "{log}");
    assert!(health.is_denied() && health.failures() == 150);
    // A watch that fails and recovers often is not logged each time.
    log.clear();
    for _ in 0..30 {
        log += &logged(|| {
            reporter.answered();
            reporter.failed(&failed());
        });
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    assert!(log.lines().count() <= 4, "{log}");
}
