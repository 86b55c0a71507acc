//! Tests of messages and actions.

mod objects;
mod palette;
mod random;
mod rules;
mod table;
mod usage;
