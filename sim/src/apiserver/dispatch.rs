//! One request: authentication, authorization, and the handler that answers.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use http::header::DATE;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::json;

use super::auth::{authenticate, authorize};
use super::faults::Unanswered;
use super::request::{Parts, Query, ResourcePath, Target};
use super::resources;
use super::shared::Shared;
use super::status::{Body, Refusal, answer as respond, full, json_answer, refused, text};
use super::{discovery, events, logs, openapi, operate, reviews};
use crate::connections::{ClientCertificate, Dropped};
use crate::identity::UserInfo;
use crate::objects::Resource;

impl Shared {
    /// Answers one request, with the `Date` of the cluster's clock.
    ///
    /// # Errors
    /// The connection must be dropped instead.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        certificate: &ClientCertificate,
    ) -> Result<Response<Body>, Dropped> {
        let mut response = self.answer_undated(request, certificate).await?;
        let now = u64::try_from(self.store.now().as_secs()).unwrap_or_default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        if let Ok(date) = httpdate::fmt_http_date(now).parse() {
            response.headers_mut().insert(DATE, date);
        }
        Ok(response)
    }

    async fn answer_undated(
        &self,
        request: Request<Incoming>,
        certificate: &ClientCertificate,
    ) -> Result<Response<Body>, Dropped> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        self.requests.fetch_add(1, Ordering::Relaxed);
        let instead = *self.instead.read();
        if let Some(it) = instead {
            let code = StatusCode::from_u16(it.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(respond(code, it.content_type, full(it.body)));
        }
        let response = match self.dispatch(request, certificate).await {
            Ok(response) => response,
            Err(Unanswered::Refused(refusal)) => refused(&refusal),
            Err(Unanswered::Dropped) => return Err(Dropped),
        };
        tracing::debug!(%method, path, code = response.status().as_u16(), "answered");
        Ok(response)
    }

    async fn dispatch(
        &self,
        request: Request<Incoming>,
        certificate: &ClientCertificate,
    ) -> Result<Response<Body>, Unanswered> {
        let user = authenticate(&self.identities, certificate.as_deref(), request.headers())?;
        let path = request.uri().path();
        let query = Query::parse(request.uri().query());
        let target = Target::of(path);
        let attributes = target.attributes(request.method(), path, &query);
        match target {
            Target::Resource(at) => {
                let watch = query.flag("watch");
                let from = query.get("resourceVersion").filter(|_| watch);
                let resumes = from.is_some_and(|from| from != "0");
                self.faults.apply(&at, resumes, &user, &attributes).await?;
                let response = if self.aggregation.serves(&at.group, &at.version) {
                    // An aggregated server authorizes by itself; the request is recorded all the same.
                    self.identities.record(&user, &attributes);
                    if self.aggregation.is_local() {
                        authorize(&self.identities, &user, &attributes)?;
                    }
                    self.forward(&at.group, &at.version, &user, request).await?
                } else {
                    authorize(&self.identities, &user, &attributes)?;
                    self.resource(&at, &user, &query, request).await?
                };
                Ok(match watch {
                    true => self.faults.apply_to_watch(response, at),
                    false => response,
                })
            }
            Target::Path(segments) => {
                authorize(&self.identities, &user, &attributes)?;
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                Ok(self.path(&segments, &user, request).await?)
            }
        }
    }

    async fn resource(
        &self,
        at: &ResourcePath,
        user: &UserInfo,
        query: &Query,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        if reviews::serves(at) {
            let review = reviews::read(at, &parts.headers, body).await?;
            return reviews::answer(&self.identities, user, &parts.method, at, &review);
        }
        if events::serves(at) {
            return events::answer(&self.store, at, (&parts.method, &parts.headers), body).await;
        }
        let resource = Resource::find(&at.group, &at.version, &at.resource)
            .ok_or_else(Status::resource_not_found)?;
        if resource == Resource::Pods
            && at.subresource == "log"
            && parts.method == http::Method::GET
        {
            return match self.log.read().clone() {
                Some(bytes) => Ok(logs::repeat(bytes)),
                None => logs::answer(&self.store, at, query),
            };
        }
        let is_operation = operate::serves(resource, at, &parts.method);
        let parts = Parts {
            method: &parts.method,
            headers: &parts.headers,
            query,
        };
        if is_operation {
            return operate::answer(self, resource, at, parts, body).await;
        }
        resources::answer(self, resource, at, parts, body).await
    }

    async fn path(
        &self,
        segments: &[&str],
        user: &UserInfo,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Refusal> {
        match segments {
            ["apis", group, version] if self.aggregation.serves(group, version) => {
                self.forward(group, version, user, request).await
            }
            ["api" | "apis", ..] => discovery::respond(self, segments, request.headers()).await,
            ["openapi", "v3"] => Ok(openapi::index(self).await),
            ["openapi", "v3", document @ ..] => {
                let document = document.join("/");
                openapi::document(self, &document, user, streamed(request)).await
            }
            ["version"] => Ok(json_answer(
                StatusCode::OK,
                &json!({
                    "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
                    "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": "v1.36.0",
                    "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
                    "buildDate": "2026-04-22T00:00:00Z", "goVersion": "go1.26.0", "compiler": "gc",
                    "platform": "linux/amd64",
                }),
            )),
            ["healthz" | "livez" | "readyz"] | ["healthz" | "livez" | "readyz", "ping"] => {
                Ok(text(StatusCode::OK, "ok"))
            }
            _ => Err(Status::resource_not_found().into()),
        }
    }

    async fn forward(
        &self,
        group: &str,
        version: &str,
        user: &UserInfo,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Refusal> {
        Ok(self
            .aggregation
            .forward(group, version, user, streamed(request))
            .await)
    }
}

/// The request with its body as it comes in.
fn streamed(request: Request<Incoming>) -> Request<Body> {
    request.map(|body| body.map_err(std::io::Error::other).boxed_unsync())
}
