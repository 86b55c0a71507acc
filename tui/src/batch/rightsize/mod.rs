//! `rightsize`: advice on requests and limits.
//!
//! [`evidence`] collects what the containers of each workload use, [`rules`] advises, [`cost`] computes what that saves,
//! and [`change`] makes manifests and commands of it.

pub mod change;
pub mod cost;
pub mod evidence;
pub mod rules;
