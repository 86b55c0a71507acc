//! The serving certificate, and the listener that uses it.

mod certificate;
mod listener;

pub use certificate::{CertificateError, server_config};
pub use listener::{Limits, serve};
