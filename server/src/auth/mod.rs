//! Authentication and authorization.
//!
//! [`Auth::authenticate`] identifies the user of a request: the user that a front proxy names, the subject of a
//! client certificate, the owner of a bearer token, or anonymous. It then removes the headers that carry an identity.
//! [`Auth::authorize`] requests the API server's decision whether the user may make the request. Both fail closed.

mod access;
mod allowed_paths;
mod attributes;
mod certificate;
mod configmap;
mod metrics;
mod path;
mod proxy;
mod refusal;
mod review;
mod review_cache;
mod service;
mod settings;
mod tokens;
mod trust;
mod user;

pub use allowed_paths::AllowedPaths;
pub use attributes::{Attributes, ResourceTarget, Selectors, Target};
pub use metrics::{AuthMetrics, ReviewMetrics};
pub use path::normalized;
pub use refusal::Refusal;
pub use service::{Auth, AuthError};
pub use settings::{AuthenticationFlags, AuthorizationFlags, Lookup, Settings};
pub use trust::TrustError;
pub use user::User;
