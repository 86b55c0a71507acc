//! The flags of the dashboard, each with its environment variable.

use std::path::PathBuf;

use clap::{Args, Command, ValueEnum};

use crate::config::{
    self, Colors, ConfigError, Settings, SourceChoice, ThemeChoice, TimeZoneChoice,
};
use crate::model::View;

/// How the dashboard looks, and where its data come from. What is not given is as the configuration file says.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct DashboardArgs {
    /// The configuration file [default: ~/.config/kubevitals/config.toml]
    #[arg(long, value_name = "PATH", env = "VITALS_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Where data come from
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE", hide_env = true)]
    pub source: Option<SourceChoice>,
    /// The view at first: overview, nodes, pods, containers, workloads, namespaces, hpas, incidents
    #[arg(long, value_name = "VIEW", env = "VITALS_VIEW", hide_env = true, value_parser = view)]
    pub view: Option<View>,
    /// The background that the colours are made for
    #[arg(
        long,
        value_name = "GROUND",
        env = "VITALS_THEME",
        hide_env = true,
        hide_short_help = true
    )]
    pub theme: Option<ThemeChoice>,
    /// How many colours are used; auto: as many as the terminal has, none with NO_COLOR
    #[arg(
        long,
        value_name = "COLORS",
        env = "VITALS_COLORS",
        hide_env = true,
        hide_short_help = true
    )]
    pub colors: Option<Colors>,
    /// Draw with ASCII only; without, as the locale says
    #[arg(long, env = "VITALS_ASCII", hide_env = true)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, env = "VITALS_NO_MOUSE", hide_env = true, hide_short_help = true)]
    pub no_mouse: bool,
    /// The zone of times of day
    #[arg(long, value_name = "ZONE", env = "VITALS_TIME_ZONE", hide_env = true)]
    pub time_zone: Option<TimeZoneChoice>,
    /// Draw at most so many frames a second, 1 to 60: few for slow links
    #[arg(long, value_name = "COUNT", env = "VITALS_FPS", hide_env = true,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: Option<u16>,
}

impl DashboardArgs {
    /// The settings: those of the configuration file, below what the flags and their environment variables say.
    ///
    /// # Errors
    /// What is wrong with the configuration file.
    pub fn settings(&self, env: impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
        let file = config::load(self.config.as_deref(), env)?;
        Ok(Settings {
            theme: self.theme.unwrap_or(file.theme),
            colors: self.colors.unwrap_or(file.colors),
            ascii: self.ascii.then_some(true).or(file.ascii),
            fps: self.fps.unwrap_or(file.fps),
            source: self.source.unwrap_or(file.source),
            view: self.view.unwrap_or(file.view),
            time_zone: self.time_zone.unwrap_or(file.time_zone),
            mouse: file.mouse && !self.no_mouse,
            ..file
        })
    }
}

/// The help of each flag with the default that the settings have.
pub(super) fn with_defaults(command: Command) -> Command {
    let usual = Settings::default();
    let default = |id: &str| {
        Some(match id {
            "source" => name(usual.source),
            "view" => usual.view.title().to_lowercase(),
            "theme" => name(usual.theme),
            "colors" => name(usual.colors),
            "time_zone" => name(usual.time_zone),
            "fps" => usual.fps.to_string(),
            _ => return None,
        })
    };
    command
        .mut_subcommands(with_defaults)
        .mut_args(|arg| match default(arg.get_id().as_str()) {
            Some(default) => {
                let help = arg.get_help().cloned().unwrap_or_default();
                arg.help(format!("{help} [default: {default}]"))
            }
            None => arg,
        })
}

fn name(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn view(name: &str) -> Result<View, String> {
    View::named(name).ok_or_else(|| "there is no such view".to_owned())
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
