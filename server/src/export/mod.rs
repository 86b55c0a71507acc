//! What leaves the server for other systems. All of it is off by default, and then costs nothing.

mod hpas;
mod page;
mod remote_write;
mod series;

pub(crate) use page::{Page, PageSource};
