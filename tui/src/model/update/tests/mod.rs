//! What messages and actions do, as a whole.

mod random;
mod rules;
mod table;
mod usage;
