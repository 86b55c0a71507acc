//! What goes wrong with requests for some resources, while the API server itself answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::unfold;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::wire::status::{Reason, Status};
use serde_json::json;
use tokio::sync::watch;

use super::auth::forbidden;
use super::request::ResourcePath;
use super::status::{Body, Refusal, unavailable};
use crate::identity::{Attributes, UserInfo};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// It is refused with this status, in kube-apiserver's words; a watch that is open ends.
    Refused(u16),
    /// 503 with `Retry-After`, in seconds; a watch that is open ends.
    Later(i32),
    /// Every resourceVersion that a watch goes on from is too old: 410. Other requests are answered.
    Expired,
    /// It is never answered; a watch that is open is silent until the fault is over.
    Hangs,
    /// Its connection is reset.
    Reset,
    /// It is answered so much later.
    Slow(Duration),
}

/// Which resources a fault is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The API group; empty for core.
    pub group: String,
    /// The resource, as paths have it; none for all of the group.
    pub resource: Option<String>,
}

impl Affected {
    /// One resource of a group.
    pub fn resource(group: &str, resource: &str) -> Self {
        Self {
            group: group.to_owned(),
            resource: Some(resource.to_owned()),
        }
    }

    /// All of a group.
    pub fn group(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            resource: None,
        }
    }

    fn is_met_by(&self, at: &ResourcePath) -> bool {
        let of = |resource: &String| *resource == at.resource;
        self.group == at.group && self.resource.as_ref().is_none_or(of)
    }
}

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Unanswered {
    Refused(Refusal),
    Dropped,
}

impl<R: Into<Refusal>> From<R> for Unanswered {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

type Set = Arc<Vec<(Affected, RequestFault)>>;

/// What goes wrong at present.
#[derive(Default)]
pub(super) struct Faults {
    set: watch::Sender<Set>,
    struck: AtomicU64,
}

impl Faults {
    pub(super) fn set(&self, affected: Affected, fault: Option<RequestFault>) {
        self.set.send_modify(|set| {
            let mut all = Vec::clone(set);
            all.retain(|(other, _)| *other != affected);
            all.extend(fault.map(|fault| (affected, fault)));
            *set = Arc::new(all);
        });
    }

    pub(super) fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }

    /// Applies its fault, if any, to a request. `resumes`: it is a watch that continues from a version. A request that
    /// hangs never returns.
    pub(super) async fn apply(
        &self,
        at: &ResourcePath,
        resumes: bool,
        user: &UserInfo,
        attributes: &Attributes,
    ) -> Result<(), Unanswered> {
        let Some(fault) = of(&self.set.borrow(), at) else {
            return Ok(());
        };
        if fault == RequestFault::Expired && !resumes {
            return Ok(());
        }
        self.struck.fetch_add(1, Ordering::Relaxed);
        Err(match fault {
            RequestFault::Refused(401) => Status::unauthorized().into(),
            RequestFault::Refused(403) => forbidden(user, attributes).into(),
            RequestFault::Refused(404) => Status::resource_not_found().into(),
            RequestFault::Refused(410) => expired().into(),
            RequestFault::Refused(503) => unavailable(0).into(),
            RequestFault::Refused(code) => {
                let message = format!("the server answered with {code}");
                Status::failure(code, Reason::Unknown, message).into()
            }
            RequestFault::Later(seconds) => unavailable(seconds).into(),
            RequestFault::Expired => expired().into(),
            RequestFault::Reset => Unanswered::Dropped,
            RequestFault::Hangs => match std::future::pending::<Infallible>().await {},
            RequestFault::Slow(by) => {
                tokio::time::sleep(by).await;
                return Ok(());
            }
        })
    }

    /// The response of a watch to which faults apply that begin while it is open.
    pub(super) fn apply_to_watch(
        &self,
        response: Response<Body>,
        at: ResourcePath,
    ) -> Response<Body> {
        let set = self.set.subscribe();
        let tolerated = of(&set.borrow(), &at);
        response.map(|body| {
            let watch = FaultyWatch {
                body: Some(body),
                at,
                set,
                tolerated,
            };
            let frames = unfold(watch, |mut watch| async move {
                let frame = watch.next().await?;
                Some((frame, watch))
            });
            StreamBody::new(frames).boxed_unsync()
        })
    }
}

fn of(set: &Set, at: &ResourcePath) -> Option<RequestFault> {
    let found = set.iter().find(|(affected, _)| affected.is_met_by(at));
    found.map(|(_, fault)| *fault)
}

fn expired() -> Status {
    Status::expired("too old resource version: 1 (2)")
}

/// An open watch.
struct FaultyWatch {
    /// None once it has ended.
    body: Option<Body>,
    at: ResourcePath,
    set: watch::Receiver<Set>,
    /// The fault that was set when it was opened.
    tolerated: Option<RequestFault>,
}

impl FaultyWatch {
    async fn next(&mut self) -> Option<std::io::Result<Frame<Bytes>>> {
        loop {
            let body = self.body.as_mut()?;
            let fault = of(&self.set.borrow_and_update(), &self.at);
            match fault.filter(|_| fault != self.tolerated) {
                None | Some(RequestFault::Slow(_)) => tokio::select! {
                    frame = body.frame() => return frame,
                    Ok(()) = self.set.changed() => {}
                },
                Some(RequestFault::Hangs) => {
                    // The sender lives as long as the server does.
                    self.set.changed().await.ok()?;
                }
                Some(RequestFault::Reset) => {
                    self.body = None;
                    return Some(Err(std::io::ErrorKind::ConnectionReset.into()));
                }
                Some(RequestFault::Expired) => {
                    self.body = None;
                    let event = json!({"type": "ERROR", "object": expired()});
                    return Some(Ok(Frame::data(format!("{event}\n").into())));
                }
                Some(RequestFault::Refused(_) | RequestFault::Later(_)) => return None,
            }
        }
    }
}
