//! Draws the state into a buffer. Pure: what is drawn follows from what is given.

pub mod chart;
pub mod text;
pub mod theme;
