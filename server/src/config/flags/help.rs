//! The text of `--help`: the flags by group, each with its help beside it.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The width of the text: half a wide terminal.
const COLUMNS: usize = 100;

/// The spaces between a flag and its help.
const GAP: usize = 2;

/// Renders all flags that are not hidden under the headings of their groups, in the order of definition.
pub(super) fn render(command: &Command) -> String {
    let mut groups: Vec<(&str, Vec<&Arg>)> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let heading = arg.get_help_heading().unwrap_or("Others");
        match groups.iter_mut().find(|(group, _)| *group == heading) {
            Some((_, args)) => args.push(arg),
            None => groups.push((heading, vec![arg])),
        }
    }
    let about = command.get_about().map(ToString::to_string);
    let mut help = format!(
        "{}.\n\nUsage: {} [--FLAG[=VALUE]]…\n",
        about.unwrap_or_default(),
        command.get_name()
    );
    for (heading, args) in groups {
        let flags: Vec<String> = args.iter().map(|arg| flag(arg)).collect();
        let column = flags.iter().map(String::len).max().unwrap_or_default() + GAP;
        // Writing to a String cannot fail.
        let _written = writeln!(help, "\n{heading}:");
        for (flag, arg) in flags.iter().zip(args) {
            let mut text = wrap(&text(arg), COLUMNS.saturating_sub(column)).into_iter();
            let _written = writeln!(help, "{flag:column$}{}", text.next().unwrap_or_default());
            for more in text {
                let _written = writeln!(help, "{:column$}{more}", "");
            }
        }
    }
    help
}

fn flag(arg: &Arg) -> String {
    let short = match arg.get_short() {
        Some(short) => format!("-{short}, "),
        None => "    ".to_owned(),
    };
    let long = arg.get_long().unwrap_or_default();
    let value = match arg.get_value_names() {
        // A switch is usually set without a value.
        Some([name, ..]) if arg.get_action().takes_values() && !arg.is_require_equals_set() => {
            format!(" {name}")
        }
        _ => String::new(),
    };
    format!("  {short}--{long}{value}")
}

fn text(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if defaults.is_empty() || arg.is_hide_default_value_set() {
        help
    } else {
        format!("{help} (default {})", defaults.join(","))
    }
}

/// Wraps text to lines of at most `width` characters, after spaces and commas; a longer word stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_inclusive([' ', ',']) {
        match lines.last_mut() {
            Some(line) if (line.chars().chain(word.trim_end().chars())).count() <= width => {
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
