//! Parses flags as kubectl does, over clap's definitions.
//!
//! clap defines the commands, prints their help and stores the values. But flags must work as in kubectl: `-An
//! kube-system`, `--no-headers=false`, a value that starts with a dash, and the text of every error. So this module
//! first parses the arguments by kubectl's rules, and either fails with kubectl's text or passes plain `--flag=value`s
//! to clap.

use clap::{Arg, Command};
use kubevitals_proto::words::parse_bool;

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Walked {
    /// The names of the program and the commands, aliases resolved: `vitals top pod`.
    pub path: Vec<String>,
    /// Every flag as `--name=value`, in the order of the command line.
    pub flags: Vec<String>,
    /// The arguments that are not flags.
    pub arguments: Vec<String>,
    /// Flags of the program itself that stand before the first command.
    pub early: Vec<String>,
    /// The number of words up to the innermost command.
    pub leading: usize,
    /// The requested help.
    pub help: Option<Help>,
}

/// The kind of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// `-h`: the common flags.
    Short,
    /// `--help`: all flags.
    Long,
}

impl Walked {
    /// The commands as a user types them.
    pub fn command_path(&self) -> String {
        self.path.join(" ")
    }

    /// The innermost command, if it is not directly under the program: `pod` of `vitals top pod`.
    pub fn resource(&self) -> Option<&str> {
        self.path.get(2).map(String::as_str)
    }

    /// The error for a dashboard's flag before a command of kubectl.
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

/// A command line that kubectl refuses, with its text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("error: {reason}\nSee '{path} --help' for usage.", path = path.join(" "))]
pub struct FlagError {
    /// The program and the commands, up to the one with the flag.
    pub path: Vec<String>,
    reason: String,
}

/// Parses `arguments` (without the program's name) from the command `root`.
///
/// # Errors
/// The first flag that kubectl refuses.
pub fn walk(root: &Command, arguments: &[String]) -> Result<Walked, FlagError> {
    let mut walk = Walk::new(root, arguments);
    match walk.run() {
        Ok(()) => Ok(walk.walked),
        Err(reason) => Err(FlagError {
            path: walk.walked.path,
            reason,
        }),
    }
}

/// The beginning of a command line that a user is typing.
#[derive(Debug)]
pub struct Begun<'a> {
    /// The parsed words; without those that kubectl would refuse.
    pub walked: Walked,
    /// The innermost command.
    pub command: &'a Command,
    /// The flag whose value is the next word.
    pub flag: Option<&'a Arg>,
    /// Whether only arguments can follow, because of `--`.
    pub only_arguments: bool,
}

/// Parses the words before the cursor. Words that kubectl refuses are skipped.
pub fn walk_begun<'a>(root: &'a Command, words: &'a [String]) -> Begun<'a> {
    let mut walk = Walk::new(root, words);
    while let Some(word) = walk.rest.next() {
        // The user sees the error when the command runs.
        let _ = walk.word(word);
    }
    Begun {
        walked: walk.walked,
        command: walk.command,
        flag: walk.flag,
        only_arguments: walk.only_arguments,
    }
}

struct Walk<'a> {
    root: &'a Command,
    command: &'a Command,
    count: usize,
    rest: std::slice::Iter<'a, String>,
    walked: Walked,
    /// The flag that lacks its value.
    flag: Option<&'a Arg>,
    only_arguments: bool,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Command, words: &'a [String]) -> Self {
        Self {
            root,
            command: root,
            count: words.len(),
            rest: words.iter(),
            walked: Walked {
                path: vec![root.get_name().to_owned()],
                flags: Vec::new(),
                arguments: Vec::new(),
                early: Vec::new(),
                leading: 0,
                help: None,
            },
            flag: None,
            only_arguments: false,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(word) = self.rest.next() {
            self.word(word)?;
        }
        Ok(())
    }

    fn word(&mut self, word: &'a str) -> Result<(), String> {
        match word.strip_prefix('-') {
            None | Some("") => self.argument(word),
            Some("-") => {
                self.only_arguments = true;
                self.walked.arguments.extend(self.rest.by_ref().cloned());
            }
            Some(short) => match short.strip_prefix('-') {
                Some(long) => self.long(word, long)?,
                None => self.shorts(short)?,
            },
        }
        Ok(())
    }

    /// The first word that names a command enters it; all others are arguments.
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
        // kubectl accepts `--sort_by` for `--sort-by`.
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
                None => {
                    self.flag = Some(arg);
                    return Err(format!("flag needs an argument: --{name}"));
                }
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
                        self.flag = Some(arg);
                        return Err(format!("flag needs an argument: '{short}' in -{shorts}"));
                    }
                },
            };
            self.set(arg, value)?;
            shorts = left;
        }
        Ok(())
    }

    fn defined(&self, matches: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        flags(self.root, self.command).find(|arg| matches(arg))
    }

    fn set(&mut self, arg: &Arg, value: &str) -> Result<(), String> {
        let long = arg.get_long().unwrap_or_default();
        let flag = match (is_bool(arg), parse_bool(value)) {
            (false, _) => format!("--{long}={value}"),
            (true, Some(value)) => format!("--{long}={value}"),
            (true, None) => {
                let short = arg.get_short().map(|short| format!("-{short}, "));
                let short = short.unwrap_or_default();
                return Err(format!(
                    "invalid argument {value:?} for \"{short}--{long}\" flag: strconv.ParseBool: parsing {value:?}: invalid syntax"
                ));
            }
        };
        // Dashboard flags belong to the program, and to some commands.
        if self.walked.path.len() == 1 && !arg.is_global_set() {
            self.walked.early.push(flag.clone());
        }
        self.walked.flags.push(flag);
        Ok(())
    }
}

/// The flags of a command, and the global flags of the program.
pub(super) fn flags<'a>(root: &'a Command, command: &'a Command) -> impl Iterator<Item = &'a Arg> {
    let own = command.get_arguments();
    let is_root = std::ptr::eq(root, command);
    let global = root
        .get_arguments()
        .filter(move |arg| arg.is_global_set() && !is_root);
    own.chain(global)
}

/// Whether a flag can stand without a value.
pub(super) fn is_bool(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.min_values() == 0)
}

#[cfg(test)]
mod tests {
    use super::walk;
    use crate::cli::command;

    /// The commands, the flags and the arguments, with bars between them.
    fn walked(line: &str) -> Result<String, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let walked = walk(&command("vitals"), &words).map_err(|error| error.to_string())?;
        let parts = [
            walked.command_path(),
            walked.flags.join(" "),
            walked.arguments.join(" "),
        ];
        Ok(parts
            .join(" | ")
            .replace("|  |", "| |")
            .trim_end()
            .to_owned())
    }

    #[test]
    fn flags_work_anywhere_and_in_every_form() {
        for row in "
            top pods                        => vitals top pod | |
            top po web                      => vitals top pod | | web
            top no                          => vitals top node | |
            -n kube-system top pod web      => vitals top pod | --namespace=kube-system | web
            top -n=a pod -A                 => vitals top pod | --namespace=a --all-namespaces=true |
            top pod -Ana                    => vitals top pod | --all-namespaces=true --namespace=a |
            top pod -A=f                    => vitals top pod | --all-namespaces=false |
            top pod --sum=T web             => vitals top pod | --sum=true | web
            top pod --sort-by -A            => vitals top pod | --sort-by=-A |
            top pod --sort_by=cpu           => vitals top pod | --sort-by=cpu |
            top pod -l a=b                  => vitals top pod | --selector=a=b |
            top pod -la=b -l=c              => vitals top pod | --selector=a=b --selector=c |
            top pod -- --sum                => vitals top pod | | --sum
            top pod - x                     => vitals top pod | | - x
            top pod pod                     => vitals top pod | | pod
            top what pod                    => vitals top | | what pod
        "
        .trim()
        .lines()
        {
            let (line, expected) = row.split_once(" => ").unwrap();
            assert_eq!(walked(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn errors_are_those_of_kubectl() {
        for row in "
            top pods --bogus=1        => top pod: unknown flag: --bogus
            top --no-headers pods     => top: unknown flag: --no-headers
            top pods -x               => top pod: unknown shorthand flag: 'x' in -x
            top pods -Axy             => top pod: unknown shorthand flag: 'x' in -xy
            top pods -l               => top pod: flag needs an argument: 'l' in -l
            top no --sort-by          => top node: flag needs an argument: --sort-by
            top no ---x               => top node: bad flag syntax: ---x
            top no --=x               => top node: bad flag syntax: --=x
            top no --no-headers=maybe => top node: invalid argument \"maybe\" for \"--no-headers\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax
            top po -A=maybe           => top pod: invalid argument \"maybe\" for \"-A, --all-namespaces\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax
        "
        .trim()
        .lines()
        {
            let (line, expected) = row.split_once(" => ").unwrap();
            let (path, reason) = expected.split_once(": ").unwrap();
            let expected = format!("error: {reason}\nSee 'vitals {path} --help' for usage.");
            assert_eq!(walked(line), Err(expected), "{line}");
        }
    }

    #[test]
    fn help_is_found_among_other_flags() {
        let words: Vec<String> = ["top", "pod", "-A", "-h"].map(str::to_owned).to_vec();
        let walked = walk(&command("vitals"), &words).unwrap();
        assert_eq!(walked.help, Some(super::Help::Short));
    }
}
