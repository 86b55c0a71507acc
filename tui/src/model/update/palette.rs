//! The palette: finds, completes and runs commands.

use super::commands::{Existing, catalog, run};
use crate::model::action::{Action, Edit};
use crate::model::command::{Catalog, Command, CommandError};
use crate::model::effect::Effect;
use crate::model::name::Name;
use crate::model::picker::{Choice, Picker};
use crate::model::state::{Overlay, State};

/// The number of commands that the history has.
const HISTORY: usize = 50;

/// Opens the palette.
pub(super) fn open(state: &mut State) {
    let picker = Picker::new(Choice::Commands, Vec::new(), Vec::new());
    state.overlay = Some(Overlay::Picker(picker));
    list(state);
}

/// Applies an action while the palette is open.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let Some(Overlay::Picker(picker)) = &mut state.overlay else {
        return Err(action);
    };
    match action {
        Action::Move(-1) if is_at_history(picker) => recall(state, 1),
        Action::Move(1) if picker.recalled.is_some() => recall(state, -1),
        Action::Move(rows) | Action::Scroll(rows) => picker.move_by(rows),
        Action::Page(pages) => picker.move_by(pages.saturating_mul(10)),
        Action::Edit(edit) => edit_line(state, &edit),
        Action::Toggle => edit_line(state, &Edit::Insert(" ".to_owned())),
        Action::Complete => {
            if let Some(text) = selected(picker) {
                edit_line(state, &Edit::DeleteToStart);
                edit_line(state, &Edit::Insert(format!("{text} ")));
            }
        }
        Action::Choose(at) if picker.cursor() != at || !picker.is_moved() => picker.go_to(at),
        Action::Enter | Action::Choose(_) => return enter(state),
        action @ (Action::Quit
        | Action::Suspend
        | Action::Redraw
        | Action::Say(_)
        | Action::Resize(..)) => return Err(action),
        _ => {}
    }
    Ok(Vec::new())
}

/// The command of the entry at the cursor.
fn selected(picker: &Picker) -> Option<String> {
    let name = picker.current()?;
    Some(format!("{}{name}", picker.prefix))
}

fn edit_line(state: &mut State, edit: &Edit) {
    if let Some(Overlay::Picker(picker)) = &mut state.overlay {
        picker.edit(edit);
        list(state);
    }
}

/// Lists the entries for the line.
fn list(state: &mut State) {
    let all = Existing::of(state);
    let Some(Overlay::Picker(mut picker)) = state.overlay.take() else {
        return;
    };
    let line = picker.line.text().to_owned();
    let catalog = catalog(state, &all);
    let entries = catalog.entries(&line);
    picker.list(entries.items, entries.search);
    picker.prefix = entries.prefix;
    if picker.current().is_none() {
        picker.wrong = catalog.parse(&line).err().map(|error| error.to_string());
    }
    state.overlay = Some(Overlay::Picker(picker));
}

/// Whether `up` recalls a command: in an empty line, or where one has been recalled.
fn is_at_history(picker: &Picker) -> bool {
    picker.recalled.is_some() || (picker.line.text().is_empty() && picker.cursor() == 0)
}

/// Recalls the command this many before the recalled one.
fn recall(state: &mut State, by: isize) {
    let count = state.commands_run.len();
    let Some(Overlay::Picker(picker)) = &mut state.overlay else {
        return;
    };
    // 0 is the empty line.
    let at = picker.recalled.map_or(0, |at| at + 1);
    let at = at.saturating_add_signed(by).min(count);
    let text = count
        .checked_sub(at)
        .and_then(|at| state.commands_run.get(at));
    let text = text.cloned().unwrap_or_default();
    picker.edit(&Edit::End);
    picker.edit(&Edit::DeleteToStart);
    picker.edit(&Edit::Insert(text));
    list(state);
    if let Some(Overlay::Picker(picker)) = &mut state.overlay {
        picker.recalled = at.checked_sub(1);
    }
}

/// Runs the command of the line, or else that of the selected entry.
fn enter(state: &mut State) -> Result<Vec<Effect>, Action> {
    let Some(Overlay::Picker(mut picker)) = state.overlay.take() else {
        return Ok(Vec::new());
    };
    let all = Existing::of(state);
    match chosen(&picker, &catalog(state, &all)) {
        Ok((text, command)) => {
            remember(&mut state.commands_run, text);
            if let Command::Arguments(name) = command {
                open(state);
                edit_line(state, &Edit::Insert(format!("{name} ")));
                return Ok(Vec::new());
            }
            run(state, command)
        }
        Err(error) => {
            picker.wrong = Some(error.to_string());
            state.overlay = Some(Overlay::Picker(picker));
            Ok(Vec::new())
        }
    }
}

/// The command that Enter runs: that of the entry to which the user has moved, that of the line, or that of the best
/// match.
fn chosen(picker: &Picker, catalog: &Catalog<'_>) -> Result<(String, Command), CommandError> {
    let with_text = |text: String| catalog.parse(&text).map(|command| (text, command));
    let typed = picker.line.text().trim().to_owned();
    match selected(picker) {
        Some(selected) if picker.is_moved() => with_text(selected),
        Some(selected) => with_text(typed).or_else(|error| match error {
            CommandError::Unknown(..) | CommandError::NoSuch { .. } => with_text(selected),
            error => Err(error),
        }),
        None => with_text(typed),
    }
}

/// Adds a command to the history. One that is run again moves to its end.
fn remember(history: &mut Vec<String>, text: String) {
    history.retain(|before| *before != text);
    history.push(text);
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
}

/// Draws with the theme at the cursor, or with the chosen one after the list was closed.
pub(super) fn preview(state: &mut State) -> Option<Effect> {
    let at_cursor = match &state.overlay {
        Some(Overlay::Picker(picker)) if picker.choice == Choice::Commands => {
            let name = picker.current().filter(|_| picker.prefix == "theme ");
            name.cloned()
        }
        _ => None,
    };
    if state.preview == at_cursor {
        return None;
    }
    state.preview = at_cursor;
    let theme = state.preview.as_ref().unwrap_or(&state.settings.theme);
    Some(Effect::Theme(Name::clone(theme)))
}
