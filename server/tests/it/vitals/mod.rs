//! End-to-end tests of kubevitals.io.

mod docs;
mod identity;
mod kubectl;
mod lists;
mod options;
mod watch;
