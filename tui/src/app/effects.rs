//! The effects that leave the dashboard: to the clipboard, to a file.

use std::io;
use std::path::Path;

use super::App;
use crate::config::{Notify, persist};
use crate::export::{export_view, file_name, osc52, save};
use crate::model::{ExportAs, Setting};
use crate::text::one_line;

impl App {
    /// Notifies the user of an incident in the cluster of a context, as the configuration says.
    pub(super) fn notify(&mut self, context: &str, text: &str) -> io::Result<()> {
        match self.options.config.notify {
            Notify::Off => Ok(()),
            Notify::Bell => self.screen.write(b"\x07"),
            Notify::Osc9 => {
                let text = one_line(&format!("vitals {context}: {text}"));
                self.screen.write(format!("\x1b]9;{text}\x07").as_bytes())
            }
        }
    }

    /// Draws with the theme of a name.
    pub(super) fn draw_with(&mut self, name: &str) {
        if let Some(settings) = self.options.config.with_theme(name) {
            self.options.theme = settings.theme(|name| std::env::var(name).ok());
        }
    }

    /// Persists a setting in the configuration file, and shows a message.
    pub(super) fn persist(&mut self, setting: &Setting) {
        let what = match setting {
            Setting::Bookmark(name, Some(_)) => format!("bookmark {name:?} stored"),
            Setting::Bookmark(name, None) => format!("bookmark {name:?} removed"),
            Setting::Filter(name, Some(_)) => format!("filter {name:?} stored"),
            Setting::Filter(name, None) => format!("filter {name:?} removed"),
            Setting::Columns(view, Some(_)) => format!("columns of {} stored", view.title()),
            Setting::Columns(view, None) => format!("columns of {} reset", view.title()),
            Setting::Theme(name) => format!("theme {name} stored"),
        };
        let persisted = match &self.options.config_file {
            // The colours of the configuration would replace those of the chosen theme.
            _ if matches!(setting, Setting::Theme(_)) && self.options.config.has_own_colors() => {
                Err("the configuration has own colours".to_owned())
            }
            None => Err("no home directory: name a file with --config".to_owned()),
            Some(path) => persist(path, setting)
                .map(|()| path.display())
                .map_err(|error| error.to_string().replace('\n', "; ")),
        };
        match persisted {
            Ok(path) => self.state.say(format!("{what} in {path}"), false),
            Err(why) => {
                let text = format!("{what} until the dashboard ends: {why}");
                self.state.say(text, true);
            }
        }
    }

    /// Copies text to the clipboard of the terminal, also over ssh.
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

    /// Switches the mouse between the dashboard and the terminal, and shows a message.
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

    /// Writes the view to a file in the current folder.
    pub(super) fn export(&mut self, form: ExportAs) {
        let state = &self.state;
        let name = file_name(state.screen().view, state.shown_time(), form);
        match save(Path::new("."), &name, |out| export_view(state, form, out)) {
            Ok(path) => self.state.say(format!("wrote {}", path.display()), false),
            Err(error) => self
                .state
                .say(format!("cannot write {name}: {error}"), true),
        }
    }
}
