//! Text pages: logs, descriptions, YAML and events fill the screen with text that scrolls, wraps and is searched.

mod layout;
mod logs;
mod page;
mod place;
mod search;

pub use logs::LogPage;
pub use page::{Content, DocumentPage, TextPage};
pub use place::{Place, Row as TextRow};
pub use search::found_in;
