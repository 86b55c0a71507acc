//! Who asks, and may they.
//!
//! [`Auth::authenticate`] finds who asks: a front proxy on behalf of a user, a client certificate, a bearer token, or
//! nobody; the headers that could say so are taken away afterwards. [`Auth::authorize`] asks the API server whether
//! they may. Both fail closed.

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
pub use attributes::{Attributes, Selectors, Target};
pub use metrics::{AuthMetrics, Authenticated, Authorized, ReviewMetrics};
pub use path::normalized;
pub use refusal::Refusal;
pub use service::{Auth, AuthError};
pub use settings::{AuthenticationFlags, AuthorizationFlags, Lookup, ProxySettings, Settings};
pub use trust::TrustError;
pub use user::User;
