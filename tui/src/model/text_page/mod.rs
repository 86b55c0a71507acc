//! Text pages: logs, descriptions, YAML and events fill the screen with text that scrolls, wraps and is searched.

mod layout;
mod logs;
mod page;
mod position;
mod search;

pub use logs::LogPage;
pub use page::{Content, DocumentPage, TextPage};
pub use position::{Row as TextRow, TextPosition};
pub use search::found_in;
