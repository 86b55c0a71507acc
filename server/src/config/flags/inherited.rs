//! The peer's flags that have no meaning here: accepted, and named once at start.

mod kind;
mod table;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use kind::Kind;
use table::GROUPS;

/// One such flag.
struct Flag {
    name: &'static str,
    kind: Kind,
    /// As it is typed; empty for none.
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
            // The rest is made of every switch alike.
            return arg.action(ArgAction::SetTrue).default_value(self.default);
        }
        let arg = arg
            .value_name(kind.value_name())
            .value_parser(move |text: &str| kind.check(text).map(|()| text.to_owned()))
            // Lists and maps grow with each; of the others the last one counts. Here it is all one.
            .action(ArgAction::Append);
        if self.default.is_empty() {
            arg
        } else {
            arg.default_value(self.default)
        }
    }
}

/// The peer's flags that have no meaning here: accepted, and named once at start.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    /// Those that were given, each once.
    pub given: Vec<&'static str>,
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
        let typed =
            |name: &str| matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine);
        Ok(Self {
            given: Self::flags()
                .map(|(_, flag)| flag.name)
                .filter(|name| typed(name))
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
