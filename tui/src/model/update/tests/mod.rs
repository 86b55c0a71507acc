//! Tests of messages and actions.

mod palette;
mod random;
mod rules;
mod table;
mod usage;
