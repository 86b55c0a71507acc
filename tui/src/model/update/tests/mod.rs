//! Tests of messages and actions.

mod map;
mod random;
mod rules;
mod table;
mod usage;
