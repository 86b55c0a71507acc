//! A stand-in for a cluster's API server, clusters to put into it, and ways to ask it.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod api;
pub mod ask;
pub mod world;
