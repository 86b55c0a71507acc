//! Flags of the peer that have no effect: the server accepts them and logs them once at start.

mod kind;
mod table;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use kind::Kind;
use table::GROUPS;

/// A flag without effect.
struct Flag {
    name: &'static str,
    kind: Kind,
    /// The default as text; empty for none.
    default: &'static str,
    help: &'static str,
}

impl Flag {
    fn arg(&self, group: &'static str) -> Arg {
        let kind = self.kind;
        let arg = Arg::new(self.name)
            .long(self.name)
            .help(self.help)
            .help_heading(group)
            .hide(self.help.is_empty());
        if kind == Kind::Switch {
            // `go_like` adds the rest.
            return arg.action(ArgAction::SetTrue).default_value(self.default);
        }
        let arg = arg
            .value_name(kind.value_name())
            .value_parser(move |text: &str| kind.check(text).map(|()| text.to_owned()))
            // At the peer lists and maps grow and of other flags the last one counts; without effect both are the same.
            .action(ArgAction::Append);
        if self.default.is_empty() {
            arg
        } else {
            arg.default_value(self.default)
        }
    }
}

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
