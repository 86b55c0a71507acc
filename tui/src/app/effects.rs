//! What leaves the dashboard: to the clipboard, to a file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::App;
use crate::export::{export, file_name, osc52, save};
use crate::model::columns::Wanted;
use crate::model::{Column, ExportAs, Row, State, Table, View};

impl App {
    /// Puts text on the clipboard of the terminal, wherever that runs.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        match osc52(text) {
            Some(sequence) => self.screen.write(sequence.as_bytes()),
            None => {
                self.state
                    .say("not copied: the text is too long for the clipboard", true);
                Ok(())
            }
        }
    }

    /// Leaves the mouse to the terminal, or uses it again, and says what it does now.
    pub(super) fn switch_mouse(&mut self) -> io::Result<()> {
        let used = self.screen.switch_mouse()?;
        let key = self.options.keys.key("mouse");
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        self.state.say(
            if used {
                format!("the mouse is used here; {key} leaves it to the terminal, to select text")
            } else {
                format!("the mouse selects text; {key} uses it here again")
            },
            false,
        );
        Ok(())
    }

    /// Writes the view to a file in the folder the program was started in.
    pub(super) fn export(&mut self, form: ExportAs) {
        let state = &self.state;
        let name = file_name(state.screen().view, state.shown_time(), form);
        match save(Path::new("."), &name, &exported(state, form)) {
            Ok(path) => self.state.say(format!("wrote {}", path.display()), false),
            Err(error) => self
                .state
                .say(format!("cannot write {name}: {error}"), true),
        }
    }
}

/// The view in one of the forms: the rows it shows, in their order, and the columns it would have in a wide terminal.
pub(super) fn exported(state: &State, form: ExportAs) -> String {
    let world = state.world();
    match state.screen().view {
        View::Overview | View::Pods | View::Pod => written(state, &world.pods, form),
        View::Nodes => written(state, &world.nodes, form),
        View::Containers => written(state, &world.containers, form),
        View::Workloads => written(state, &world.workloads, form),
        View::Namespaces => written(state, &world.namespaces, form),
        View::Hpas => written(state, &world.hpas, form),
        View::Incidents => written(state, &world.incidents, form),
    }
}

fn written<R: Row>(state: &State, table: &Table<R>, form: ExportAs) -> String {
    let screen = state.screen();
    let wanted = Wanted {
        chosen: state.settings.columns.get(&screen.view).map(Vec::as_slice),
        ..Wanted::default()
    };
    let column = |field| R::columns().iter().find(|column| column.field == field);
    let columns: Vec<Column> = wanted
        .fields(R::columns())
        .into_iter()
        .filter_map(|field| column(field).copied())
        .collect();
    let rows = screen
        .list
        .order
        .iter()
        .filter_map(|at| table.rows().get(usize::try_from(*at).ok()?));
    export(form, &columns, rows.map(Arc::as_ref), state.told_time())
}
