//! What is shown, and what each message and each action does to it. Pure: no I/O, no clock, no terminal.
//!
//! A [`Message`] is what a source tells, an [`Action`] what a person asks for, an [`Effect`] what the loop has to do
//! because of either. Rows ([`row`]) are what sources tell of, reduced to what is shown; they tell their [`Field`]s to
//! filters, sorting and export, and their [`Cell`]s to the views.

mod acknowledge;
mod action;
mod amount;
mod any_table;
mod apart;
mod attention;
mod batch;
mod cell;
mod column;
pub mod columns;
mod effect;
mod field;
pub mod filter;
pub mod format;
mod geometry;
mod interest;
mod line;
mod list;
mod liveness;

mod message;
mod messages;
mod name;
mod order;
mod page;
mod pane;
mod panes;
mod part;
mod picker;
pub mod placement;
pub mod row;
mod scope;
mod screen;
mod seen;
mod state;
mod table;
mod time;
mod tone;
mod trend;
mod update;
mod view;
mod view_info;
mod world;
mod zone;

pub use acknowledge::Acknowledgements;
pub use action::{Action, Edit, ExportAs, Mode};
pub use amount::{Amounts, Cpu, Memory, Percent};
pub use any_table::{AnyTable, ListQuery};
pub use attention::{Attention, Lost, attention, lost};
pub use batch::{Batch, Chosen, Extent, Past, PodReading, Reading, Readings};
pub use cell::{Cell, Resource};
pub use column::{Align, Column, Sort, Width};
pub use effect::{Ask, Effect};
pub use field::{Field, Unit};
pub use geometry::{OverviewRows, Rows};
pub use interest::Interest;
pub use line::Line;
pub use list::List;
pub use liveness::{Failing, Liveness};
pub use message::{Condition, Detail, Event, Link, Message, Subject, TableRows};
pub use messages::{Entry, Messages};
pub use name::{Key, Name, Names, no_name};
pub use page::Page;
pub use pane::Pane;
pub use panes::Panes;
pub use part::{Fault, FaultKind, Outcome, Part, PartState, Progress, SourceKind};
pub use picker::{Choice, Picker};
pub use row::{Context, Row};
pub use scope::{Limits, Open, Scope};
pub use screen::Screen;
pub use state::{Notice, Overlay, Session, Settings, Size, State};
pub use table::{Change, Table, Version};
pub use time::Time;
pub use tone::{Thresholds, Tone};
pub use trend::{Trend, Trends};
pub use update::{act, apply, refresh};
pub use view::View;
pub use view_info::ViewInfo;
pub use world::{PlainRow, World, cluster_key};
pub use zone::Zone;
