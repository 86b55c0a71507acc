//! Logs of containers: lines as text, their levels, and the ring that stores them.

mod level;
mod plain_text;
mod request;
mod ring;

pub use level::Level;
pub use plain_text::plain_text;
pub use request::{LogBatch, LogRequest, LogTarget, StreamState};
pub(in crate::model) use ring::as_number;
pub use ring::{LogLine, MAX_BYTES, MAX_LINE, MAX_LINES, Ring};
