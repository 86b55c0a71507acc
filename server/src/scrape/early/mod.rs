//! Early scrapes: a node is scraped between two of its turns because a container has just started.
//!
//! metrics-server has the first rate of a container when a scrape comes 10 s or more after the start. An early scrape at
//! that moment brings the same rate up to a resolution sooner, and one before it brings provisional usage.

mod request;
mod turns;

pub(super) use request::EarlyRequest;
pub(super) use turns::EarlyTurns;
