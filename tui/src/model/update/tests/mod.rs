//! What messages and actions do, as a whole.

mod figures;
mod random;
mod rules;
mod table;
