//! Aggregation: group versions that another server answers, reached as kube-apiserver reaches it.
//!
//! The APIService objects in the store say what is aggregated and how its server is verified; changing them takes
//! effect with the next request. Where the server listens is set by [`Aggregation::set_target`], in the place of the
//! Service and its endpoints.

mod backend;
mod discovery;
mod headers;
mod registry;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT;
use http::response::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use parking_lot::Mutex;

use self::backend::Backend;
use super::status::{Body, full, text};
use crate::identity::UserInfo;
use crate::objects::Store;
use crate::pki::{Pki, PkiError};

pub(super) use discovery::Discovery;
pub(super) use registry::{Registration, is_ours};

/// The largest document that is fetched from an aggregated server.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// A server of aggregated groups in this process: it answers any path, `/apis` among them, as it would over a socket.
/// Requests have no body.
pub type LocalServer = Arc<dyn Fn(&Request<()>) -> Response<Body> + Send + Sync>;

/// Where an aggregated server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    At(SocketAddr),
    Local,
}

/// What is aggregated, and the connections to it.
pub(super) struct Aggregation {
    store: Arc<Store>,
    pki: Arc<Pki>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    target: Option<SocketAddr>,
    /// Answers instead.
    local: Option<LocalServer>,
    /// Groups that the cluster does not have, whatever its server answers.
    without: Vec<String>,
    /// The connections to the target, by what the registration says of it.
    backends: HashMap<Registration, Backend>,
}

impl Aggregation {
    pub(super) fn new(store: Arc<Store>, pki: Arc<Pki>) -> Self {
        Self {
            store,
            pki,
            state: Mutex::default(),
        }
    }

    /// Where the aggregated server listens; `None` when there is none.
    pub(super) fn set_target(&self, target: Option<SocketAddr>) {
        let mut state = self.state.lock();
        state.target = target;
        state.backends.clear();
    }

    /// Sets the server in this process, if any.
    pub(super) fn set_local(&self, server: Option<LocalServer>) {
        self.state.lock().local = server;
    }

    /// Whether it is answered in this process.
    pub(super) fn is_local(&self) -> bool {
        self.state.lock().local.is_some()
    }

    fn target(&self) -> Option<Target> {
        let state = self.state.lock();
        match state.local {
            Some(_) => Some(Target::Local),
            None => state.target.map(Target::At),
        }
    }

    /// Which groups the cluster does not have, whatever its server answers and whichever APIServices there are.
    pub(super) fn set_without(&self, groups: &[&str]) {
        self.state.lock().without = groups.iter().map(|group| (*group).to_owned()).collect();
    }

    fn has(&self, group: &str) -> bool {
        !self.state.lock().without.iter().any(|it| it == group)
    }

    /// What is registered of the groups that the cluster has.
    fn registered(&self) -> Vec<Registration> {
        let mut all = Registration::all(&self.store);
        all.retain(|registration| self.has(&registration.group));
        all
    }

    /// Drops the connections to the aggregated server: new ones use the front proxy's present certificate.
    pub(super) fn reconnect(&self) {
        self.state.lock().backends.clear();
    }

    /// Whether another server answers this group version.
    pub(super) fn serves(&self, group: &str, version: &str) -> bool {
        self.has(group)
            && (is_ours(group) || Registration::find(&self.store, group, version).is_some())
    }

    /// The aggregated group versions, preferred ones first.
    pub(super) fn group_versions(&self) -> Vec<(String, String)> {
        self.registered()
            .into_iter()
            .map(|r| (r.group, r.version))
            .collect()
    }

    /// Sends a request on, as `user`, and streams the answer back.
    pub(super) async fn forward(
        &self,
        group: &str,
        version: &str,
        user: &UserInfo,
        request: Request<Body>,
    ) -> Response<Body> {
        let local = self.state.lock().local.clone();
        if let Some(server) = local {
            return server(&request.map(|_body| ()));
        }
        let registration = Registration::find(&self.store, group, version);
        let registration =
            registration.unwrap_or_else(|| Registration::default_for(group, version));
        let Some(target) = self.state.lock().target else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "service unavailable\n");
        };
        match self.backend(registration) {
            Ok(backend) => backend::forward(&backend, target, user, request).await,
            Err(error) => backend::not_reached(&error),
        }
    }

    /// The connections to the server of a registration.
    fn backend(&self, registration: Registration) -> Result<Backend, PkiError> {
        let mut state = self.state.lock();
        if let Some(backend) = state.backends.get(&registration) {
            return Ok(backend.clone());
        }
        let backend = backend::connect(&registration, &self.pki)?;
        state.backends.insert(registration, backend.clone());
        Ok(backend)
    }

    /// Requests a path of the server in a media type, as a component of the API server.
    pub(super) async fn fetch(
        &self,
        user: &UserInfo,
        path: &'static str,
        accept: &'static str,
    ) -> Result<(Parts, Bytes), String> {
        let mut request = Request::new(full(""));
        *request.uri_mut() = Uri::from_static(path);
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        let first = Registration::all(&self.store).into_iter().next();
        let registration =
            first.unwrap_or_else(|| Registration::default_for("metrics.k8s.io", "v1beta1"));
        let Registration { group, version, .. } = registration;
        let (parts, body) = self
            .forward(&group, &version, user, request)
            .await
            .into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        Ok((parts, body.map_err(|e| e.to_string())?.to_bytes()))
    }
}
