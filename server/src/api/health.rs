//! /livez, /readyz, /healthz and their single checks, and /version.
//!
//! The checks have the peer's names and stand in its order, so that probes and dashboards written against it go on
//! working: those of them that look at something which is not here (`poststarthook/…`) always hold.

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

use super::reply::{self, Form};
use super::request;
use crate::auth::Auth;
use crate::query::Query;

/// What the checks look at.
#[derive(Debug, Clone)]
pub(super) struct Health {
    pub(super) query: Arc<Query>,
    pub(super) auth: Arc<Auth>,
    /// True as soon as the server has been asked to end.
    pub(super) stopped: watch::Receiver<bool>,
}

/// One check: its name, and what is wrong if it does not hold.
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
        let late = "no kubelet was asked for one and a half resolutions";
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
/// Of readiness, where the peer's informer of the authentication configuration is one of those that it waits for.
const SYNCED_AND_BELIEVING: Check = Check {
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
        let ending = *health.stopped.borrow();
        (!ending)
            .then_some(())
            .ok_or("the process is ending".to_owned())
    },
};

const fn always(name: &'static str) -> Check {
    Check {
        name,
        holds: |_| Ok(()),
    }
}

/// The three endpoints and their checks.
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
            SYNCED_AND_BELIEVING,
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
        let all_of = health.clone();
        routes = routes.route(
            &format!("/{endpoint}"),
            get(async move |request: Request| all(endpoint, checks, &all_of, &request)),
        );
        for check in checks {
            let health = health.clone();
            routes = routes.route(
                &format!("/{endpoint}/{}", check.name),
                get(async move || one(check, &health)),
            );
        }
    }
    routes
}

/// All checks but those excluded. The words are k8s.io/apiserver's; so is that nothing is said of why a check
/// failed, for anyone may ask. The single check and the log tell.
fn all(endpoint: &str, checks: &[Check], health: &Health, request: &Request) -> Response {
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
                Err(why) => {
                    failed = true;
                    tracing::debug!(check = name, why, "/{endpoint} fails");
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

fn one(check: &Check, health: &Health) -> Response {
    match (check.holds)(health) {
        Ok(()) => {
            let mut response = reply::text(StatusCode::OK, "ok".to_owned());
            // The peer's own way.
            response.headers_mut().remove(X_CONTENT_TYPE_OPTIONS);
            response
        }
        Err(why) => reply::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("internal server error: {why}\n"),
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
