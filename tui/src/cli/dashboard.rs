//! The flags of the dashboard, each with its environment variable.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Colors, SourceChoice, ThemeChoice};
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
    /// The ground that the colours are made for
    #[arg(
        long,
        value_name = "GROUND",
        env = "VITALS_THEME",
        hide_env = true,
        hide_short_help = true
    )]
    pub theme: Option<ThemeChoice>,
    /// How many colours are used; NO_COLOR is heeded
    #[arg(
        long,
        value_name = "COLORS",
        env = "VITALS_COLORS",
        hide_env = true,
        hide_short_help = true
    )]
    pub colors: Option<Colors>,
    /// Draw with ASCII only
    #[arg(long, env = "VITALS_ASCII", hide_env = true)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, env = "VITALS_NO_MOUSE", hide_env = true, hide_short_help = true)]
    pub no_mouse: bool,
    /// Draw at most so many frames a second: few for slow links [default: 10]
    #[arg(long, value_name = "COUNT", env = "VITALS_FPS", hide_env = true,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: Option<u16>,
}

fn view(name: &str) -> Result<View, String> {
    View::named(name).ok_or_else(|| "there is no such view".to_owned())
}
