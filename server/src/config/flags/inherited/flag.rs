//! A flag without effect, and the types of values. The server refuses an invalid value even of such a flag, because it
//! is a mistake.

use clap::{Arg, ArgAction};
use kubevitals_proto::quantity::Quantity;

use crate::flag_values::{address, any_duration, count, duration, integer, level};

/// A flag without effect.
pub(super) struct Flag {
    pub(super) name: &'static str,
    kind: Kind,
    /// The default as text; empty for none.
    default: &'static str,
    help: &'static str,
}

/// The type of a flag's value: its name in the help, and the check with the peer's restrictions. None for a switch.
type Kind = Option<(&'static str, fn(&str) -> Result<(), String>)>;

pub(super) const SWITCH: Kind = None;
pub(super) const TEXT: Kind = Some(("TEXT", |_| Ok(())));
pub(super) const LIST: Kind = Some(("LIST", |_| Ok(())));
pub(super) const ADDRESS: Kind = Some(("IP", |text| address(text).map(drop)));
pub(super) const INTEGER: Kind = Some(("NUMBER", |text| integer(text).map(drop)));
/// An integer that is not negative.
pub(super) const COUNT: Kind = Some(("NUMBER", |text| count(text).map(drop)));
pub(super) const NUMBER: Kind = Some(("NUMBER", |text| number(text).map(drop)));
/// A share of requests, from 0 to 0.02.
pub(super) const CHANCE: Kind = Some(("NUMBER", |text| match number(text)? {
    chance if (0.0..=0.02).contains(&chance) => Ok(()),
    _ => Err("write a share from 0 to 0.02".to_owned()),
}));
pub(super) const ANY_DURATION: Kind = Some(("DURATION", |text| any_duration(text).map(drop)));
/// A duration that is not negative.
pub(super) const DURATION: Kind = Some(("DURATION", |text| duration(text).map(drop)));
/// A Kubernetes quantity.
pub(super) const BYTES: Kind = Some(("BYTES", |text| {
    let quantity = text.parse::<Quantity>().map(drop);
    quantity.map_err(|_| "write a quantity like 512 or 4Mi".to_owned())
}));
/// Numbers of elliptic curves, as in Go.
pub(super) const CURVES: Kind = Some(("LIST", |text| {
    let curves = text
        .split(',')
        .try_for_each(|it| it.parse::<i32>().map(drop));
    curves.map_err(|_| "write numbers, with commas between several".to_owned())
}));
/// `pattern=N,…` of klog.
pub(super) const PATTERNS: Kind = Some(("FILE=LEVEL,…", |text| {
    let is_pattern = |one: &str| {
        one.split_once('=')
            .is_some_and(|(file, verbosity)| !file.is_empty() && level(verbosity).is_ok())
    };
    let mut patterns = text.split(',').filter(|one| !one.is_empty());
    patterns
        .all(is_pattern)
        .then_some(())
        .ok_or_else(|| "write file=level, with commas between several".to_owned())
}));

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "write a number".to_owned())
}

pub(super) const fn flag(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Flag {
    Flag {
        name,
        kind,
        default,
        help,
    }
}

impl Flag {
    pub(super) fn arg(&self, group: &'static str) -> Arg {
        let arg = Arg::new(self.name)
            .long(self.name)
            .help(self.help)
            .help_heading(group)
            .hide(self.help.is_empty());
        let arg = match self.kind {
            // `go_like` adds the rest.
            None => arg.action(ArgAction::SetTrue),
            Some((value_name, check)) => arg
                .value_name(value_name)
                .value_parser(move |text: &str| check(text).map(|()| text.to_owned()))
                // At the peer lists and maps grow and of other flags the last one counts; without effect both are the
                // same.
                .action(ArgAction::Append),
        };
        arg.default_values((!self.default.is_empty()).then_some(self.default))
    }
}
