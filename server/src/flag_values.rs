//! Parsers of flag values, as in Go's flag packages. The flags of a part are a group in its `settings.rs`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::words::parse_bool;

/// Makes a flag behave as the peer's: a switch accepts `--flag`, `--flag=true` and `--flag=false`, in all spellings of
/// Go, and a path may be empty. A group only declares `#[arg(long)] pub name: bool`.
pub(crate) fn go_like(arg: Arg) -> Arg {
    if is_switch(&arg) {
        let on = arg
            .get_default_values()
            .first()
            .is_some_and(|value| value == "true");
        arg.action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value(if on { "true" } else { "false" })
            .hide_default_value(!on)
            .value_name("BOOL")
            .value_parser(switch)
    } else if is::<PathBuf>(&arg) {
        arg.value_parser(OsStringValueParser::new().map(PathBuf::from))
    } else {
        arg
    }
}

/// Removes optional flags with an empty value: charts and scripts write `--kubeconfig=` to leave a flag at its default.
pub(crate) fn without_empty(command: &Command, matches: &mut ArgMatches) {
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let optional =
            arg.get_default_values().is_empty() && matches!(arg.get_action(), ArgAction::Set);
        let empty = (is::<PathBuf>(arg)
            && matches
                .get_one::<PathBuf>(id)
                .is_some_and(|path| path.as_os_str().is_empty()))
            || (is::<String>(arg) && matches.get_one::<String>(id).is_some_and(String::is_empty));
        if optional && empty {
            // The id comes from the definition, so it exists.
            let _cleared = matches.try_clear_id(id);
        }
    }
}

fn is_switch(arg: &Arg) -> bool {
    match arg.get_action() {
        ArgAction::SetTrue => true,
        ArgAction::Set => is::<bool>(arg),
        _ => false,
    }
}

fn is<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == std::any::TypeId::of::<T>()
}

/// Go's `strconv.ParseBool`.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    parse_bool(text).ok_or_else(|| "write true or false".to_owned())
}

/// Go's `strconv.ParseInt` with base 0: the prefixes 0x, 0o, 0 and 0b, and underscores between digits.
pub(crate) fn integer(text: &str) -> Result<i64, String> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) if text.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let octal = lower.len() > 1 && lower.starts_with('0');
    let (radix, digits) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, lower.strip_prefix(prefix)?)))
        .unwrap_or((if octal { 8 } else { 10 }, &*lower));
    let misplaced = digits.ends_with('_')
        || digits.contains("__")
        || (radix == 10 && digits.starts_with('_'))
        || digits.starts_with(['-', '+']);
    (!misplaced)
        .then(|| i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), radix).ok())
        .flatten()
        .ok_or_else(|| "write a whole number".to_owned())
}

/// A whole number that is not negative.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    usize::try_from(integer(text)?).map_err(|_| "it cannot be negative".to_owned())
}

/// A port from 1 to 65535.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    integer(text)
        .ok()
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port > 0)
        .ok_or_else(|| "write a port from 1 to 65535".to_owned())
}

/// klog's verbosity: at most 31 bits.
pub(crate) fn level(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|level| i32::try_from(*level).is_ok())
        .ok_or_else(|| "write a number from 0 to 2147483647".to_owned())
}

/// A duration in Go's format; it may be negative.
pub(crate) fn any_duration(text: &str) -> Result<GoDuration, String> {
    text.parse()
        .map_err(|_| "write a duration like 15s or 1m30s".to_owned())
}

/// A duration that is not negative.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    u64::try_from(any_duration(text)?.0)
        .map(Duration::from_nanos)
        .map_err(|_| "a duration cannot be negative here".to_owned())
}

/// A duration between these two.
pub(crate) fn duration_in(
    least: Duration,
    most: Duration,
) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| match duration(text)? {
        short if short < least => Err(format!("it must be at least {}", GoDuration::from(least))),
        long if long > most => Err(format!("it must be at most {}", GoDuration::from(most))),
        value => Ok(value),
    }
}

/// A duration between these two, or 0.
pub(crate) fn zero_or_in(
    least: Duration,
    most: Duration,
) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    let inner = duration_in(least, most);
    move |text| match duration(text)? {
        Duration::ZERO => Ok(Duration::ZERO),
        _ => inner(text).map_err(|error| format!("{error}, or 0 for none")),
    }
}

/// A duration other than 0.
pub(crate) fn nonzero_duration(text: &str) -> Result<Duration, String> {
    let value = duration(text)?;
    (!value.is_zero())
        .then_some(value)
        .ok_or_else(|| "it must be more than 0".to_owned())
}

/// A number of bytes: a whole Kubernetes quantity that is not negative.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let quantity: Quantity = text
        .parse()
        .map_err(|_| "write an amount of memory like 512Mi".to_owned())?;
    usize::try_from(quantity.value()).map_err(|_| "it cannot be negative".to_owned())
}

/// A label selector, as text.
pub(crate) fn label_selector(text: &str) -> Result<String, String> {
    text.parse::<LabelSelector>()
        .map(|_| text.to_owned())
        .map_err(|error| format!("it is not a label selector: {error}"))
}

/// An IP address; none if the text is empty.
pub(crate) fn address(text: &str) -> Result<Option<IpAddr>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| "write an IP address".to_owned()),
    }
}

/// Whether a text is an RFC 1123 label, apart from its length: lower-case letters, digits and inner hyphens.
pub(crate) fn is_dns_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// The rows of a test's table, one a line: `FLAG… | EXPECTED`.
#[cfg(test)]
pub(crate) fn rows(table: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    table.trim().lines().map(|row| {
        let (flags, expected) = row.split_once(" | ").unwrap();
        (flags.split_whitespace().collect(), expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_gos() {
        for text in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(switch(text), Ok(true), "{text}");
        }
        for text in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(switch(text), Ok(false), "{text}");
        }
        for text in ["", "yes", "tRUE", "2", " true"] {
            assert!(switch(text).is_err(), "{text}");
        }
    }

    #[test]
    fn integers_are_gos() {
        for (text, expected) in [
            ("0", 0),
            ("-1", -1),
            ("+7", 7),
            ("0x1F", 31),
            ("0b101", 5),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("0x_ff", 255),
            ("-0x10", -16),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "-",
            "1.5",
            "_1",
            "1_",
            "1__0",
            "08",
            "0x",
            "--1",
            "0x-1",
            "9223372036854775808",
            "ten",
        ] {
            assert!(integer(text).is_err(), "{text}");
        }
    }
}
