//! The flags of the dashboard, each with an environment variable.

use std::path::PathBuf;

use clap::{Args, Command};

use crate::config::{
    self, Colors, ConfigError, Settings, SourceChoice, ThemeChoice, TimeZoneChoice,
};
use crate::model::View;
use crate::view::palette::Palette;

/// The options of the dashboard. The configuration file has the values of absent flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct DashboardArgs {
    /// The configuration file [default: ~/.config/kubevitals/config.toml]
    #[arg(long, value_name = "PATH", env = "VITALS_CONFIG")]
    pub config: Option<PathBuf>,
    /// The source of the data
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE")]
    pub source: Option<SourceChoice>,
    /// The first view
    #[arg(long, value_name = "VIEW", env = "VITALS_VIEW", value_parser = config::view)]
    pub view: Option<View>,
    /// The theme; auto: dark or light, as the terminal is
    #[arg(
        long,
        value_name = "THEME",
        env = "VITALS_THEME",
        hide_short_help = true
    )]
    pub theme: Option<ThemeChoice>,
    /// The number of colours; auto: as many as the terminal supports, none with NO_COLOR
    #[arg(
        long,
        value_name = "COLORS",
        env = "VITALS_COLORS",
        hide_short_help = true
    )]
    pub colors: Option<Colors>,
    /// Draw with ASCII only; by default the locale decides
    #[arg(long, env = "VITALS_ASCII")]
    pub ascii: bool,
    /// Print changes as lines instead of drawing: for screen readers, pipes and simple terminals
    #[arg(long, env = "VITALS_PLAIN")]
    pub plain: bool,
    /// Leave the mouse to the terminal
    #[arg(long, env = "VITALS_NO_MOUSE", hide_short_help = true)]
    pub no_mouse: bool,
    /// Allow changes of the cluster: restart, scale, delete pods, cordon and drain nodes
    #[arg(long, env = "VITALS_ALLOW_ACTIONS")]
    pub allow_actions: bool,
    /// The time zone of times of day
    #[arg(long, value_name = "ZONE", env = "VITALS_TIME_ZONE")]
    pub time_zone: Option<TimeZoneChoice>,
    /// Draw at most this many frames a second, 1 to 60; use few for slow links
    #[arg(long, value_name = "COUNT", env = "VITALS_FPS",
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: Option<u16>,
}

impl DashboardArgs {
    /// The settings: flags and environment variables over the configuration file.
    ///
    /// # Errors
    /// The configuration file is invalid.
    pub fn settings(&self, env: impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
        let mut file = config::load(self.config.as_deref(), env)?;
        if let Some(theme) = self.theme {
            // Own colours belong to the theme of the file.
            file.theme_file = None;
            file.palette = Palette::NONE;
            file.theme = theme;
        }
        Ok(Settings {
            colors: self.colors.unwrap_or(file.colors),
            ascii: self.ascii.then_some(true).or(file.ascii),
            fps: self.fps.unwrap_or(file.fps),
            source: self.source.unwrap_or(file.source),
            view: self.view.unwrap_or(file.view),
            time_zone: self.time_zone.unwrap_or(file.time_zone),
            mouse: file.mouse && !self.no_mouse,
            allow_actions: file.allow_actions || self.allow_actions,
            ..file
        })
    }
}

/// Adds the default of each setting to the help of its flag, and hides the environment variables, which the documents
/// list.
pub(super) fn with_defaults(command: Command) -> Command {
    let usual = Settings::default();
    let default = |id: &str| {
        Some(match id {
            "source" => config::value_name(usual.source),
            "view" => config::view_name(usual.view),
            "theme" => config::value_name(usual.theme),
            "colors" => config::value_name(usual.colors),
            "time_zone" => config::value_name(usual.time_zone),
            "fps" => usual.fps.to_string(),
            _ => return None,
        })
    };
    command
        .mut_subcommands(with_defaults)
        .mut_args(|arg| match default(arg.get_id().as_str()) {
            Some(default) => {
                let help = arg.get_help().cloned().unwrap_or_default();
                let values = match arg.get_id().as_str() {
                    "view" => format!(": {}", config::view_names()),
                    _ => String::new(),
                };
                arg.help(format!("{help}{values} [default: {default}]"))
            }
            None => arg,
        })
        .mut_args(|arg| arg.hide_env(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_precedence_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "fps = 5\ntheme = \"light\"\n").unwrap();
        let args = DashboardArgs {
            config: Some(path),
            fps: Some(2),
            ..DashboardArgs::default()
        };
        let settings = args.settings(|_| None).unwrap();
        assert_eq!((settings.fps, settings.theme), (2, ThemeChoice::Light));
    }
}
