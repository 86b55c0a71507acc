//! Tests of messages and actions.

mod drains;
mod map;
mod objects;
mod palette;
mod random;
mod rules;
mod saved;
mod table;
mod usage;
