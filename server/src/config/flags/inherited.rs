//! Flags of the peer that have no effect: the server accepts them and logs them once at start.

mod flag;
mod table;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use flag::Flag;
use table::GROUPS;

/// Flags of the peer that have no effect.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    /// The names of those on the command line, each once.
    pub names: Vec<&'static str>,
}

impl Inherited {
    fn flags() -> impl Iterator<Item = (&'static str, &'static Flag)> {
        GROUPS
            .iter()
            .flat_map(|(group, flags)| flags.iter().map(|flag| (*group, flag)))
    }
}

impl FromArgMatches for Inherited {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let set =
            |name: &str| matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine);
        Ok(Self {
            names: Self::flags()
                .map(|(_, flag)| flag.name)
                .filter(|name| set(name))
                .collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Inherited {
    fn augment_args(command: Command) -> Command {
        command.args(Self::flags().map(|(group, flag)| flag.arg(group)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
