//! Tests of messages and actions.

mod objects;
mod random;
mod rules;
mod table;
mod usage;
