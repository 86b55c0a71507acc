//! kubevitals.io, end to end.

mod docs;
mod identity;
mod kubectl;
mod lists;
mod options;
mod watch;
