//! The program as a whole: against a stand-in for a cluster's API, beside the real kubectl.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod alike;
mod api;
mod ask;
mod charts;
mod check;
mod clusters;
mod comfort;
mod completion;
mod configure;
mod connect;
mod dashboard;
mod demo;
mod documents;
#[path = "../../../proto/tests/shared/examples.rs"]
mod examples;
mod facts;
mod faults;
mod golden;
mod hints;
mod history;
mod kubectl;
mod laid_over;
mod long_history;
mod map;
mod objects;
mod overview;
mod own_metrics;
#[path = "../../../proto/tests/owned.rs"]
mod owned;
mod packages;
mod picture;
mod pictures;
mod plain;
mod rightsize;
mod rows;
mod running;
mod schemas;
mod shop;
mod simulated;
mod sources;
mod terminal;
mod text_pages;
mod values;
mod very_many;
mod views;
mod vocabulary;
mod walk;
mod why;
mod words;
mod world;
