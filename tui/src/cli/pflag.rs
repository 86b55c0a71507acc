//! Reads flags as kubectl's command line does, over clap's definitions.
//!
//! clap defines the commands, prints their help and holds the values. What kubectl's users type
//! and read must be the same here, though: `-An kube-system`, `--no-headers=false`, a value that
//! begins with a dash, and the words of every error. So the arguments are first walked by
//! kubectl's rules, which either fail in kubectl's words or give clap plain `--flag=value`s.

use clap::{Arg, Command};
use kubevitals_proto::words::parse_bool;

/// A command line of a kubectl-like command, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Walked {
    /// The program's and the commands' own names, aliases resolved: `vitals top pod`.
    pub path: Vec<String>,
    /// Every flag as `--name=value`, in the order given.
    pub flags: Vec<String>,
    /// What is not a flag.
    pub arguments: Vec<String>,
    /// Flags of the program alone that were given before the first command, as in `flags`.
    pub early: Vec<String>,
    /// How many words lead to the innermost command, its own included.
    pub leading: usize,
    /// Whether help was among what was asked for, and how much of it.
    pub help: Option<Help>,
}

/// How much help is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// `-h`: what most need.
    Short,
    /// `--help`: everything.
    Long,
}

impl Walked {
    /// The commands as a user would type them.
    pub fn command_path(&self) -> String {
        self.path.join(" ")
    }

    /// The innermost command, if it is not directly under the program: `pod` of `vitals top pod`.
    pub fn resource(&self) -> Option<&str> {
        self.path.get(2).map(String::as_str)
    }

    /// The refusal of a flag of the dashboard that was given before a command that is kubectl's.
    pub fn refuse_early(&self) -> Option<FlagError> {
        let flag = self.early.first()?;
        let name = flag.split('=').next().unwrap_or_default();
        Some(FlagError {
            path: self.path.clone(),
            reason: format!("unknown flag: {name}"),
        })
    }

    /// The arguments for clap, which cannot fail on them.
    pub fn for_clap(&self) -> impl Iterator<Item = &str> {
        let words = self.path.iter().chain(&self.flags).map(String::as_str);
        words
            .chain(["--"])
            .chain(self.arguments.iter().map(String::as_str))
    }
}

/// A command line that kubectl would refuse, in its words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("error: {reason}\nSee '{path} --help' for usage.", path = path.join(" "))]
pub struct FlagError {
    /// The program and the commands, up to the one whose flag it was.
    pub path: Vec<String>,
    reason: String,
}

/// Walks `arguments` (without the program's name) from `root` on.
///
/// # Errors
/// The first flag that kubectl would refuse.
pub fn walk(root: &Command, arguments: &[String]) -> Result<Walked, FlagError> {
    let mut walk = Walk {
        root,
        command: root,
        count: arguments.len(),
        rest: arguments.iter(),
        walked: Walked {
            path: vec![root.get_name().to_owned()],
            flags: Vec::new(),
            arguments: Vec::new(),
            early: Vec::new(),
            leading: 0,
            help: None,
        },
    };
    match walk.run() {
        Ok(()) => Ok(walk.walked),
        Err(reason) => Err(FlagError {
            path: walk.walked.path,
            reason,
        }),
    }
}

struct Walk<'a> {
    root: &'a Command,
    command: &'a Command,
    count: usize,
    rest: std::slice::Iter<'a, String>,
    walked: Walked,
}

impl<'a> Walk<'a> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(word) = self.rest.next() {
            match word.strip_prefix('-') {
                None | Some("") => self.argument(word),
                Some("-") => {
                    self.walked.arguments.extend(self.rest.by_ref().cloned());
                }
                Some(short) => match short.strip_prefix('-') {
                    Some(long) => self.long(word, long)?,
                    None => self.shorts(short)?,
                },
            }
        }
        Ok(())
    }

    /// The first word that names a command leads into it; every other one is kept.
    fn argument(&mut self, word: &str) {
        match self.command.find_subcommand(word) {
            Some(command) if self.walked.arguments.is_empty() => {
                self.command = command;
                self.walked.path.push(command.get_name().to_owned());
                self.walked.leading = self.count - self.rest.len();
            }
            _ => self.walked.arguments.push(word.to_owned()),
        }
    }

    fn long(&mut self, word: &str, flag: &str) -> Result<(), String> {
        if flag.starts_with(['-', '=']) {
            return Err(format!("bad flag syntax: {word}"));
        }
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        // kubectl takes `--sort_by` for `--sort-by`.
        let plain = name.replace('_', "-");
        let Some(arg) = self.defined(|arg| arg.get_long() == Some(&plain)) else {
            if plain == "help" {
                self.walked.help = Some(Help::Long);
                return Ok(());
            }
            return Err(format!("unknown flag: --{name}"));
        };
        let value = match value {
            Some(value) => value.to_owned(),
            None if is_bool(arg) => "true".to_owned(),
            None => match self.rest.next() {
                Some(value) => value.clone(),
                None => return Err(format!("flag needs an argument: --{name}")),
            },
        };
        self.set(arg, &value)
    }

    fn shorts(&mut self, mut shorts: &'a str) -> Result<(), String> {
        while let Some(short) = shorts.chars().next() {
            let after = shorts.get(short.len_utf8()..).unwrap_or_default();
            let Some(arg) = self.defined(|arg| arg.get_short() == Some(short)) else {
                if short == 'h' {
                    self.walked.help = Some(Help::Short);
                    return Ok(());
                }
                return Err(format!("unknown shorthand flag: '{short}' in -{shorts}"));
            };
            let (value, left) = match after.strip_prefix('=') {
                Some(value) if !value.is_empty() => (value, ""),
                _ if is_bool(arg) => ("true", after),
                _ if !after.is_empty() => (after, ""),
                _ => match self.rest.next() {
                    Some(value) => (value.as_str(), ""),
                    None => {
                        return Err(format!("flag needs an argument: '{short}' in -{shorts}"));
                    }
                },
            };
            self.set(arg, value)?;
            shorts = left;
        }
        Ok(())
    }

    /// The flag of the command or, as those may be given anywhere, of the program.
    fn defined(&self, matches: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        let own = self.command.get_arguments();
        let global = self.root.get_arguments().filter(|arg| arg.is_global_set());
        own.chain(global).find(|arg| matches(arg))
    }

    fn set(&mut self, arg: &Arg, value: &str) -> Result<(), String> {
        let long = arg.get_long().unwrap_or_default();
        let flag = if is_bool(arg) {
            let Some(value) = parse_bool(value) else {
                let short = arg
                    .get_short()
                    .map(|short| format!("-{short}, "))
                    .unwrap_or_default();
                return Err(format!(
                    "invalid argument {value:?} for \"{short}--{long}\" flag: strconv.ParseBool: parsing {value:?}: invalid syntax"
                ));
            };
            format!("--{long}={value}")
        } else {
            format!("--{long}={value}")
        };
        // The flags of the dashboard are the program's own, and those of some commands.
        if self.walked.path.len() == 1 && !arg.is_global_set() {
            self.walked.early.push(flag.clone());
        }
        self.walked.flags.push(flag);
        Ok(())
    }
}

/// A flag that may stand without a value.
fn is_bool(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.min_values() == 0)
}

#[cfg(test)]
mod tests {
    use super::walk;
    use crate::cli::command;

    fn walked(line: &str) -> Result<(String, String, String), String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        walk(&command("vitals"), &words)
            .map(|walked| {
                (
                    walked.command_path(),
                    walked.flags.join(" "),
                    walked.arguments.join(" "),
                )
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn flags_stand_anywhere_and_in_every_form() {
        for (line, path, flags, arguments) in [
            ("top pods", "vitals top pod", "", ""),
            ("top po web", "vitals top pod", "", "web"),
            ("top no", "vitals top node", "", ""),
            (
                "-n kube-system top pod web",
                "vitals top pod",
                "--namespace=kube-system",
                "web",
            ),
            (
                "top -n=a pod -A",
                "vitals top pod",
                "--namespace=a --all-namespaces=true",
                "",
            ),
            (
                "top pod -Ana",
                "vitals top pod",
                "--all-namespaces=true --namespace=a",
                "",
            ),
            (
                "top pod -A=f",
                "vitals top pod",
                "--all-namespaces=false",
                "",
            ),
            ("top pod --sum=T web", "vitals top pod", "--sum=true", "web"),
            ("top pod --sort-by -A", "vitals top pod", "--sort-by=-A", ""),
            (
                "top pod --sort_by=cpu",
                "vitals top pod",
                "--sort-by=cpu",
                "",
            ),
            ("top pod -l a=b", "vitals top pod", "--selector=a=b", ""),
            (
                "top pod -la=b -l=c",
                "vitals top pod",
                "--selector=a=b --selector=c",
                "",
            ),
            ("top pod -- --sum", "vitals top pod", "", "--sum"),
            ("top pod - x", "vitals top pod", "", "- x"),
            ("top pod pod", "vitals top pod", "", "pod"),
            ("top what pod", "vitals top", "", "what pod"),
        ] {
            let expected = (path.to_owned(), flags.to_owned(), arguments.to_owned());
            assert_eq!(walked(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn refusals_are_kubectls() {
        for (line, reason, path) in [
            (
                "top pods --bogus=1",
                "unknown flag: --bogus",
                "vitals top pod",
            ),
            (
                "top --no-headers pods",
                "unknown flag: --no-headers",
                "vitals top",
            ),
            (
                "top pods -x",
                "unknown shorthand flag: 'x' in -x",
                "vitals top pod",
            ),
            (
                "top pods -Axy",
                "unknown shorthand flag: 'x' in -xy",
                "vitals top pod",
            ),
            (
                "top pods -l",
                "flag needs an argument: 'l' in -l",
                "vitals top pod",
            ),
            (
                "top no --sort-by",
                "flag needs an argument: --sort-by",
                "vitals top node",
            ),
            ("top no ---x", "bad flag syntax: ---x", "vitals top node"),
            ("top no --=x", "bad flag syntax: --=x", "vitals top node"),
            (
                "top no --no-headers=maybe",
                "invalid argument \"maybe\" for \"--no-headers\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
                "vitals top node",
            ),
            (
                "top po -A=maybe",
                "invalid argument \"maybe\" for \"-A, --all-namespaces\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
                "vitals top pod",
            ),
        ] {
            let expected = format!("error: {reason}\nSee '{path} --help' for usage.");
            assert_eq!(walked(line), Err(expected), "{line}");
        }
    }

    #[test]
    fn help_is_seen_among_other_flags() {
        let words: Vec<String> = ["top", "pod", "-A", "-h"].map(str::to_owned).to_vec();
        let walked = walk(&command("vitals"), &words).unwrap();
        assert_eq!(walked.help, Some(super::Help::Short));
    }
}
