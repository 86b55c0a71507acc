//! Prometheus remote write, as a sender.

mod backfill;
mod collector;
mod cursor;
mod disk;
mod encode;
mod gap;
mod objects;
mod queue;
mod relabel;
mod transcode;
mod writer;
