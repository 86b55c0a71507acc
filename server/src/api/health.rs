//! /livez, /readyz, /healthz and their single checks, and /version.
//!
//! The checks have the names and the order of metrics-server, so that its probes and dashboards work unchanged.
//! Checks of parts that this server does not have (`poststarthook/…`) always pass.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::X_CONTENT_TYPE_OPTIONS;
use kubevitals_proto::wire::root::VersionInfo;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::reply::{self, Form};
use super::request;
use crate::auth::Auth;
use crate::query::Query;

/// The sources of the checks.
#[derive(Debug, Clone)]
pub(super) struct Health {
    pub(super) query: Arc<Query>,
    pub(super) auth: Arc<Auth>,
    /// With a managed CA: true once the server has a certificate of it.
    pub(super) verifiable: Option<watch::Receiver<bool>>,
    /// Cancelled when the server receives SIGTERM.
    pub(super) shutdown: CancellationToken,
}

/// One check: its name, and a function that returns what is wrong.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    holds: fn(&Health) -> Result<(), String>,
}

const PING: Check = always("ping");
const LOG: Check = always("log");
const IN_FLIGHT: Check = always("poststarthook/max-in-flight-filter");
const OBJECT_COUNT: Check = always("poststarthook/storage-object-count-tracker-hook");
const TIMELY: Check = Check {
    name: "metric-collection-timely",
    holds: |health| {
        let late = "no kubelet was scraped for one and a half resolutions";
        health.query.timely().then_some(()).ok_or(late.to_owned())
    },
};
const STORED: Check = Check {
    name: "metric-storage-ready",
    holds: |health| {
        health
            .query
            .readiness()
            .storage
            .map_err(|error| error.to_string())
    },
};
const INFORMED: Check = Check {
    name: "metric-informer-sync",
    ..SYNCED
};
const SYNCED: Check = Check {
    name: "metadata-informer-sync",
    holds: |health| {
        health
            .query
            .readiness()
            .synced
            .map_err(|error| error.to_string())
    },
};
/// For readiness. In metrics-server, the informer of the authentication configuration belongs to this check.
const SYNCED_WITH_TRUST: Check = Check {
    name: SYNCED.name,
    holds: |health| {
        (SYNCED.holds)(health)?;
        let pending =
            "the configmap kube-system/extension-apiserver-authentication has not been read yet";
        health.auth.ready().then_some(()).ok_or(pending.to_owned())
    },
};
const SHUTDOWN: Check = Check {
    name: "shutdown",
    holds: |health| {
        (!health.shutdown.is_cancelled())
            .then_some(())
            .ok_or("the process is stopping".to_owned())
    },
};
/// For readiness, with a managed CA. Without this check, a rolling update could stop the last replica that the
/// kube-apiserver can verify.
static VERIFIABLE: Check = Check {
    name: "managed-certificate",
    holds: |health| {
        let issued = health.verifiable.as_ref();
        let pending = "the server has no certificate of the managed CA (--manage-apiservice-ca) yet; \
                       kubevitals_managed_ca_rounds_total and the log have the reason";
        let issued = issued.is_none_or(|issued| *issued.borrow());
        issued.then_some(()).ok_or(pending.to_owned())
    },
};

const fn always(name: &'static str) -> Check {
    Check {
        name,
        holds: |_| Ok(()),
    }
}

/// The three endpoints and their checks, without [`VERIFIABLE`], which only servers with a managed CA have.
pub(super) const ENDPOINTS: [(&str, &[Check]); 3] = [
    ("healthz", &[PING, LOG, IN_FLIGHT, OBJECT_COUNT, SYNCED]),
    (
        "livez",
        &[PING, LOG, IN_FLIGHT, OBJECT_COUNT, TIMELY, SYNCED],
    ),
    (
        "readyz",
        &[
            PING,
            LOG,
            IN_FLIGHT,
            OBJECT_COUNT,
            STORED,
            INFORMED,
            SYNCED_WITH_TRUST,
            SHUTDOWN,
        ],
    ),
];

/// The routes.
pub(super) fn routes(health: &Health) -> Router<Arc<Query>> {
    let mut routes = Router::new()
        .route("/version", get(version))
        .route("/version/", get(version));
    for (endpoint, checks) in ENDPOINTS {
        let managed = (endpoint == "readyz" && health.verifiable.is_some()).then_some(&VERIFIABLE);
        let checks: Vec<&'static Check> = checks.iter().chain(managed).collect();
        let (all_of, every) = (health.clone(), checks.clone());
        routes = routes.route(
            &format!("/{endpoint}"),
            get(async move |request: Request| run_all(endpoint, &every, &all_of, &request)),
        );
        for check in checks {
            let health = health.clone();
            routes = routes.route(
                &format!("/{endpoint}/{}", check.name),
                get(async move || run_one(check, &health)),
            );
        }
    }
    routes
}

/// Runs all checks that are not excluded. The texts are those of k8s.io/apiserver. As there, the response withholds
/// the reason of a failure, because the endpoint needs no authentication; the single check and the log have it.
fn run_all(endpoint: &str, checks: &[&Check], health: &Health, request: &Request) -> Response {
    let mut excluded: BTreeSet<_> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .filter(|(key, _)| key == "exclude")
            .map(|(_, value)| value)
            .collect();
    let mut report = String::new();
    let mut failed = false;
    for Check { name, holds } in checks {
        // Writing to a String cannot fail.
        let _written = if excluded.remove(*name) {
            writeln!(report, "[+]{name} excluded: ok")
        } else {
            match holds(health) {
                Ok(()) => writeln!(report, "[+]{name} ok"),
                Err(reason) => {
                    failed = true;
                    tracing::debug!(check = name, reason, "/{endpoint} fails");
                    writeln!(report, "[-]{name} failed: reason withheld")
                }
            }
        };
    }
    if !excluded.is_empty() {
        let unknown: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
        let _written = writeln!(
            report,
            "warn: some health checks cannot be excluded: no matches for {}",
            unknown.join(",")
        );
    }
    if failed {
        let _written = writeln!(report, "{endpoint} check failed");
        return reply::text(StatusCode::INTERNAL_SERVER_ERROR, report);
    }
    if request::parameter(request.uri(), "verbose").is_none() {
        return reply::text(StatusCode::OK, "ok".to_owned());
    }
    let _written = writeln!(report, "{endpoint} check passed");
    reply::text(StatusCode::OK, report)
}

fn run_one(check: &Check, health: &Health) -> Response {
    match (check.holds)(health) {
        Ok(()) => {
            let mut response = reply::text(StatusCode::OK, "ok".to_owned());
            // As in metrics-server.
            response.headers_mut().remove(X_CONTENT_TYPE_OPTIONS);
            response
        }
        Err(reason) => reply::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("internal server error: {reason}\n"),
        ),
    }
}

async fn version() -> Response {
    Form::INDENTED.json(
        StatusCode::OK,
        &VersionInfo {
            major: env!("CARGO_PKG_VERSION_MAJOR").to_owned(),
            minor: env!("CARGO_PKG_VERSION_MINOR").to_owned(),
            git_version: concat!("v", env!("CARGO_PKG_VERSION")).to_owned(),
            compiler: "rustc".to_owned(),
            platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
            ..VersionInfo::default()
        },
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;
    use crate::auth;
    use crate::clock::{Clock, SystemClock};
    use crate::cluster::Watches;
    use crate::query::QueryParts;
    use crate::scrape::Stats;
    use crate::tasks::Tasks;

    /// A server that has just started.
    pub(in super::super) fn health(verifiable: Option<watch::Receiver<bool>>) -> Health {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let settings = auth::Settings {
            lookup: auth::Lookup::Skipped,
            ..auth::Settings::default()
        };
        let nowhere = kube::Config::new(http::Uri::from_static("http://127.0.0.1:1"));
        let _provider = crate::tls::provider();
        let client = kube::Client::try_from(nowhere).unwrap();
        Health {
            query: Arc::new(Query::new(QueryParts {
                cluster: Arc::default(),
                store: Arc::default(),
                health: crate::health::Health::unfed(),
                availability: None,
                shards: None,
                watches: Watches::default(),
                stats: Arc::new(
                    Stats::new(Duration::from_secs(10), Duration::from_secs(15)).unwrap(),
                ),
                clock: Arc::clone(&clock),
                resolution: Duration::from_secs(15),
                engine: None,
                pod_metrics: None,
            })),
            auth: Auth::start(settings, &client, &clock, &mut Tasks::default()).unwrap(),
            verifiable,
            shutdown: CancellationToken::new(),
        }
    }

    async fn fetch(health: &Health, path: &str) -> (StatusCode, String) {
        let router = routes(health).with_state(Arc::clone(&health.query));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await;
        (status, String::from_utf8(body.unwrap().into()).unwrap())
    }

    #[tokio::test]
    async fn only_readiness_waits_for_the_managed_certificate() {
        let (issued, verifiable) = watch::channel(false);
        let health = health(Some(verifiable));
        let (_, report) = fetch(&health, "/readyz").await;
        assert!(report.contains("[-]managed-certificate failed: reason withheld\n"));
        let (status, reason) = fetch(&health, "/readyz/managed-certificate").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(reason.contains("--manage-apiservice-ca"), "{reason}");
        for endpoint in ["/livez?verbose", "/healthz?verbose"] {
            let (_, report) = fetch(&health, endpoint).await;
            assert!(!report.contains("managed-certificate"), "{report}");
        }
        issued.send_replace(true);
        // The sender is gone, so the value stays as it is.
        drop(issued);
        let (_, report) = fetch(&health, "/readyz").await;
        assert!(report.contains("[+]managed-certificate ok\n"), "{report}");
    }

    #[tokio::test]
    async fn without_a_managed_ca_there_is_no_such_check() {
        let health = health(None);
        let (_, report) = fetch(&health, "/readyz?verbose").await;
        assert!(!report.contains("managed-certificate"), "{report}");
        let (status, _) = fetch(&health, "/readyz/managed-certificate").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
