//! The HTTP client for services that the administrator names by a flag: a remote-write receiver, a query API, a webhook.
//!
//! It follows no redirects, because a redirect could send credentials and data to another host. Its requests have a
//! timeout, and its responses a limit. Credentials come from a file in the form of Prometheus' `http_config`
//! ([`HttpConfig`]), and are read again when they change.

mod client;
mod http_config;
mod retry;
#[cfg(test)]
mod tests;

pub use client::{Client, OutboundError, read_limited, shown_url};
pub use http_config::{ConfigError, Credentials, HttpConfig, read_file};
pub use retry::{retry_after, url};
