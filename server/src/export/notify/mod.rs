//! Sends incidents to other systems: a file, Kubernetes Events, webhooks, and Alertmanager.
//!
//! [`tracker`] decides what to announce. Its notices go through one bounded queue to the targets, each of which has a
//! task: a target that does not answer delays nobody else, and loses the oldest notices when it is too far behind.
//! Alertmanager receives the state of all announced incidents instead, as often as it needs it.
//!
//! Every notice is delivered at least once: when all targets have it, the announcement is stored with the incidents, so
//! that the next process does not repeat it. Its ID is the same in every process, so that a receiver can ignore a
//! repetition.

#![allow(dead_code, reason = "the targets follow")]

mod metrics;
mod notice;
mod notifier;
mod shared;
mod target;
#[cfg(test)]
mod tests;
mod tracker;
