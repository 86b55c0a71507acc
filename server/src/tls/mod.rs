//! The serving certificate, and the listener that uses it.

mod activity;
mod certificate;
mod connection;
mod listener;

pub use certificate::{CertificateError, server_config};
pub use listener::{Limits, serve};
