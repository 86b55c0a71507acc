//! Tests of messages and actions.

mod random;
mod rules;
mod table;
mod usage;
