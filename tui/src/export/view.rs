//! Exports the open view.

use std::io::{self, Write};

use super::{TableRecords, export};
use crate::model::columns::ColumnChoice;
use crate::model::{Column, ExportAs, State};

/// Writes the open view in a form: its rows in their order, with the columns of a wide terminal.
///
/// # Errors
/// The writer fails.
pub fn export_view(state: &State, form: ExportAs, out: &mut dyn Write) -> io::Result<()> {
    let screen = state.screen();
    let table = state.world().table(screen.view);
    let choice = ColumnChoice {
        selected: state.settings.columns.get(&screen.view).map(Vec::as_slice),
        ..ColumnChoice::default()
    };
    let all = table.columns();
    let column = |field| all.iter().find(|column| column.field == field);
    let columns: Vec<Column> = choice
        .fields(&all)
        .into_iter()
        .filter_map(|field| column(field).copied())
        .collect();
    let records = TableRecords::new(&columns, table, &screen.list.order, state.status_time());
    export(form, &records, out)
}
