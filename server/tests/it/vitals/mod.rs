//! kubevitals.io, end to end.

mod docs;
mod kubectl;
mod lists;
mod watch;
