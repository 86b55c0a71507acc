//! Scrapes of kubelets: when and how they are requested, and how responses become samples.
//!
//! Each node has a task of its own that owns the node's series, so that no node waits for another.

mod admission;
mod buffers;
mod client;
mod connection;
mod credentials;
mod early;
mod failure;
mod first_rates;
mod metrics;
mod node_log;
mod page;
mod pages;
mod record;
mod resource;
mod schedule;
mod settings;
mod shared;
mod starts;
mod stats;
mod target;
mod tls_stream;
mod trust;
mod worker;
mod workers;

pub use admission::Requests;
pub(crate) use client::BodyReader;
pub use client::Kubelets;
pub(crate) use connection::{Connection, Failure};
pub use credentials::{Credentials, Token};
pub use failure::{Failed, ScrapeError};
pub use page::{Intervals, Page, ProbeSink};
pub use pages::PageSnapshot;
pub use record::{
    Attempt, BadLines, DURATION_BOUNDS, Durations, History, Instants, PageHistory, Record, Records,
};
pub use schedule::Phase;
pub use settings::{KubeletFlags, Settings};
pub use starts::Starts;
pub use stats::{Latency, Snapshot, Stats};
pub use target::Addressing;
pub use trust::{Pem, TlsError, Trust};
pub(crate) use trust::{client_config, plain_config};
pub use workers::{NodeFilter, Parts, run};
