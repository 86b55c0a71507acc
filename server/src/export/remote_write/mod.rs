//! Prometheus remote write, as a sender.

mod cursor;
mod disk;
mod encode;
mod queue;
mod relabel;
mod transcode;
mod writer;
