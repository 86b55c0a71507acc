//! What can stand at the cursor of a command line: commands, flags, or the value of a flag or an argument. All of it
//! follows from the definition of the commands; [`ValueKind::of`] is the only table.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, Command, CommandFactory, FromArgMatches, ValueHint};

use super::Connection;
use super::pflag::{self, Begun};
use crate::model::View;

/// The kinds of what has a name, where a command takes any.
const KINDS: [&str; 5] = ["pod", "node", "workload", "namespace", "cluster"];

/// A word that can stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// One line about it; may be empty.
    pub about: String,
}

impl Candidate {
    /// A word with one line about it.
    pub fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            about: about.into(),
        }
    }
}

/// The kind of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// A namespace of the cluster.
    Namespace,
    /// A pod of the namespace.
    Pod,
    /// A node of the cluster.
    Node,
    /// A context of the kubeconfig.
    Context,
    /// A cluster of the kubeconfig.
    Cluster,
    /// A user of the kubeconfig.
    User,
    /// One of these words.
    Words(Vec<Candidate>),
    /// A file or folder.
    Path,
}

/// The value at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    /// Its kind.
    pub kind: ValueKind,
    /// What stands before the value in the same word: `--namespace=`.
    pub prefix: String,
    /// The part of the value before the cursor.
    pub typed: String,
}

/// What can stand at the cursor.
#[derive(Debug, Default)]
pub struct Completing {
    /// Commands or flags.
    pub candidates: Vec<Candidate>,
    /// The value, if one can stand there.
    pub value: Option<Value>,
    /// The cluster and the user of the command line.
    pub connection: Connection,
}

/// What can stand at the place of the last word. The words are those after the name of the program; the last one is
/// what stands before the cursor, or nothing.
pub fn completing(root: &Command, words: &[String]) -> Completing {
    let Some((word, before)) = words.split_last() else {
        return Completing::default();
    };
    let begun = pflag::walk_begun(root, before);
    let connection = connection(&begun.walked.flags);
    let cursor = Cursor { root, begun, word };
    let value = cursor.value();
    let candidates = match (cursor.begun.flag, cursor.is_flag()) {
        (Some(_), _) => Vec::new(),
        (None, true) if value.is_some() => Vec::new(),
        (None, true) => cursor.flags(),
        (None, false) => cursor.commands(),
    };
    Completing {
        candidates,
        value,
        connection,
    }
}

struct Cursor<'a> {
    root: &'a Command,
    begun: Begun<'a>,
    word: &'a str,
}

impl Cursor<'_> {
    fn is_flag(&self) -> bool {
        self.word.starts_with('-') && !self.begun.only_arguments
    }

    /// The commands, if none of the arguments of this one has been given; their other names only if no name fits.
    fn commands(&self) -> Vec<Candidate> {
        if !self.begun.walked.arguments.is_empty() {
            return Vec::new();
        }
        let shown = self.begun.command.get_subcommands();
        let shown: Vec<&Command> = shown.filter(|command| !command.is_hide_set()).collect();
        let names = shown.iter().map(|command| (*command, command.get_name()));
        let own = self.beginning(names);
        if !own.is_empty() {
            return own;
        }
        let aliases = shown.iter().flat_map(|command| {
            let aliases = command.get_visible_aliases();
            aliases.map(move |alias| (*command, alias))
        });
        self.beginning(aliases)
    }

    /// The commands whose names have the beginning of the word.
    fn beginning<'b>(&self, names: impl Iterator<Item = (&'b Command, &'b str)>) -> Vec<Candidate> {
        let names = names.filter(|(_, name)| name.starts_with(self.word));
        names
            .map(|(command, name)| Candidate::new(name, first_line(command.get_about())))
            .collect()
    }

    /// The flags with the beginning of the word.
    fn flags(&self) -> Vec<Candidate> {
        let flags = pflag::flags(self.root, self.begun.command);
        let shown = flags.filter(|arg| !arg.is_hide_set());
        let all = shown.filter_map(|arg| {
            let about = first_line(arg.get_help());
            Some(Candidate::new(format!("--{}", arg.get_long()?), about))
        });
        let help = Candidate::new("--help", "Print help");
        all.chain([help])
            .filter(|candidate| candidate.word.starts_with(self.word))
            .collect()
    }

    /// The value of a flag or an argument.
    fn value(&self) -> Option<Value> {
        let (arg, prefix, typed) = self.value_place()?;
        // The last of several values in one word.
        let (prefix, typed) = match arg.get_value_delimiter() {
            Some(delimiter) => match typed.rsplit_once(delimiter) {
                Some((before, typed)) => (format!("{prefix}{before}{delimiter}"), typed),
                None => (prefix, typed),
            },
            None => (prefix, typed),
        };
        Some(Value {
            kind: ValueKind::of(arg, &self.begun)?,
            prefix,
            typed: typed.to_owned(),
        })
    }

    /// The flag or argument of which the word is the value; what stands before the value in the word, and the value.
    fn value_place(&self) -> Option<(&Arg, String, &str)> {
        if let Some(arg) = self.begun.flag {
            return Some((arg, String::new(), self.word));
        }
        if !self.is_flag() {
            let mut arguments: Vec<_> = self.begun.command.get_positionals().collect();
            let last = arguments.pop()?;
            let place = self.begun.walked.arguments.len();
            let arg = match arguments.get(place) {
                Some(arg) => arg,
                None if place == arguments.len() || takes_several(last) => last,
                None => return None,
            };
            return Some((arg, String::new(), self.word));
        }
        let find = |matches: &dyn Fn(&Arg) -> bool| {
            pflag::flags(self.root, self.begun.command).find(|arg| matches(arg))
        };
        if let Some(long) = self.word.strip_prefix("--") {
            let (name, typed) = long.split_once('=')?;
            let arg = find(&|arg| arg.get_long() == Some(name))?;
            return Some((arg, format!("--{name}="), typed));
        }
        let mut rest = self.word.strip_prefix('-')?.chars();
        let short = rest.next()?;
        let arg = find(&|arg| arg.get_short() == Some(short))?;
        let typed = rest.as_str();
        let (sign, typed) = match typed.strip_prefix('=') {
            Some(typed) => ("=", typed),
            None => ("", typed),
        };
        (!pflag::is_bool(arg)).then(|| (arg, format!("-{short}{sign}"), typed))
    }
}

impl ValueKind {
    /// The kind of the value of a flag or argument.
    fn of(arg: &Arg, begun: &Begun<'_>) -> Option<Self> {
        let possible = arg.get_possible_values();
        if !possible.is_empty() {
            let shown = possible.iter().filter(|value| !value.is_hide_set());
            let words =
                shown.map(|value| Candidate::new(value.get_name(), first_line(value.get_help())));
            return Some(Self::Words(words.collect()));
        }
        let within = |name: &str| begun.walked.path.iter().any(|command| command == name);
        let id = arg.get_id().as_str();
        match id.strip_suffix('s').unwrap_or(id) {
            "namespace" => return Some(Self::Namespace),
            "context" => return Some(Self::Context),
            "cluster" => return Some(Self::Cluster),
            "user" => return Some(Self::User),
            "node" => return Some(Self::Node),
            "pod" => return Some(Self::Pod),
            "name" => return Self::named(begun),
            "kind" if within("why") => return Some(Self::words(&["pod", "node", "metric", "hpa"])),
            "kind" => return Some(Self::words(&KINDS)),
            "sort_by" if within("top") => return Some(Self::words(&["cpu", "memory"])),
            "view" => {
                let views = View::SWITCHABLE.map(View::title).map(str::to_lowercase);
                return Some(Self::words(&views));
            }
            _ => {}
        }
        let names = arg.get_value_names().unwrap_or_default();
        let is_path = names
            .iter()
            .any(|name| matches!(name.as_str(), "PATH" | "FILE" | "DIR" | "FOLDER"));
        (is_path || arg.get_value_hint() != ValueHint::Unknown).then_some(Self::Path)
    }

    /// The kind of a name, by the command or the argument before it: `top pod`, `why node`.
    fn named(begun: &Begun<'_>) -> Option<Self> {
        let path = begun.walked.path.iter().skip(1);
        let words = path.chain(begun.walked.arguments.first());
        words.rev().find_map(|word| match word.as_str() {
            // `why metric POD METRIC`
            "pod" | "pods" | "po" | "metric" => Some(Self::Pod),
            "node" | "nodes" | "no" => Some(Self::Node),
            "namespace" | "namespaces" | "ns" => Some(Self::Namespace),
            _ => None,
        })
    }

    fn words(words: &[impl AsRef<str>]) -> Self {
        let words = words.iter().map(|word| Candidate::new(word.as_ref(), ""));
        Self::Words(words.collect())
    }
}

fn takes_several(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.max_values() > 1)
        || matches!(arg.get_action(), clap::ArgAction::Append)
}

/// The words to complete, if that is what the program is run for: `vitals __complete WORD …`, as programs made with
/// cobra have it, or under the name that kubectl runs for the completions of a plugin. The last word may be empty.
pub fn completion_words(arguments: impl IntoIterator<Item = OsString>) -> Option<Vec<String>> {
    let words = arguments.into_iter();
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    let program = words.next()?;
    let name = Path::new(&program).file_stem()?.to_str()?;
    let is_asked = name.starts_with("kubectl_complete-") || words.next()? == "__complete";
    is_asked.then(|| words.collect())
}

/// The first line of a help text.
fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The cluster and the user that these flags choose.
fn connection(flags: &[String]) -> Connection {
    #[derive(clap::Parser)]
    #[command(args_override_self = true)]
    struct Line {
        #[command(flatten)]
        connection: Connection,
    }
    let command = super::switches_with_values(Line::command());
    let own = |flag: &&String| {
        let name = flag.trim_start_matches("--").split('=').next();
        command.get_arguments().any(|arg| arg.get_long() == name)
    };
    let own: Vec<&String> = flags.iter().filter(own).collect();
    let words = std::iter::once("vitals").chain(own.into_iter().map(String::as_str));
    let words: Vec<&str> = words.collect();
    let matches = command.try_get_matches_from(words);
    let line = matches.and_then(|matches| Line::from_arg_matches(&matches));
    line.map(|line| line.connection).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn completed(line: &str) -> Completing {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        completing(&command("vitals"), &words)
    }

    fn words(line: &str) -> Vec<String> {
        let candidates = completed(line).candidates.into_iter();
        candidates.map(|candidate| candidate.word).collect()
    }

    #[test]
    fn commands_and_flags_follow_from_the_definition() {
        let all = words("");
        for name in ["top", "why", "config", "completion", "man"] {
            assert!(all.iter().any(|word| word == name), "{name} in {all:?}");
        }
        for (line, expected) in [
            ("to", "top"),
            ("top ", "node pod container"),
            ("top nodes", "nodes"),
            ("top pod --sh", "--show-swap"),
            ("top pod --all", "--all-namespaces"),
            ("-n shop why --name", "--namespace"),
            ("top pod web", ""),
            ("top pod web ", ""),
            ("config ", "init show"),
            ("--bogus top p", "pod"),
            ("top pod -- --s", ""),
            ("--context top t", "top"),
        ] {
            assert_eq!(words(line).join(" "), expected, "{line}");
        }
    }

    #[test]
    fn values_are_those_of_the_flag_or_argument_at_the_cursor() {
        use ValueKind::{Cluster, Context, Namespace, Node, Path, Pod, User};
        for (line, kind, prefix, typed) in [
            ("-n ", Namespace, "", ""),
            ("top pods -n sh", Namespace, "", "sh"),
            ("top pods -nsh", Namespace, "-n", "sh"),
            ("top pods -n=sh", Namespace, "-n=", "sh"),
            ("top pods --namespace=sh", Namespace, "--namespace=", "sh"),
            ("--context ", Context, "", ""),
            ("--context top", Context, "", "top"),
            ("--cluster ", Cluster, "", ""),
            ("--user=", User, "--user=", ""),
            ("--kubeconfig ~/", Path, "", "~/"),
            ("man --out=", Path, "--out=", ""),
            ("top pod we", Pod, "", "we"),
            ("top po -A ", Pod, "", ""),
            ("top no ", Node, "", ""),
            ("top pod -- ", Pod, "", ""),
            ("why pod w", Pod, "", "w"),
            ("why nodes ", Node, "", ""),
            ("-n why why po ", Pod, "", ""),
        ] {
            let expected = Value {
                kind,
                prefix: prefix.to_owned(),
                typed: typed.to_owned(),
            };
            assert_eq!(completed(line).value, Some(expected), "{line}");
        }
        for line in ["top pod web ", "top pod --token ", "why what ", "top "] {
            assert_eq!(completed(line).value, None, "{line}");
        }
    }

    #[test]
    fn fixed_values_are_listed() {
        let values = |line: &str| match completed(line).value.unwrap().kind {
            ValueKind::Words(words) => {
                let words = words.into_iter().map(|candidate| candidate.word);
                words.collect::<Vec<_>>().join(" ")
            }
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(values("top pod --sort-by "), "cpu memory");
        assert_eq!(values("--source "), "auto vitals metrics none");
        assert_eq!(values("why "), "pod node metric hpa");
        assert_eq!(values("top pod --sum="), "true false");
        assert!(values("--view=").starts_with("overview nodes pods"));
        assert!(values("completion ").contains("zsh"));
    }

    #[test]
    fn the_cluster_is_the_one_of_the_command_line() {
        let connection = completed("--context c top pod --bogus -n shop --view pods ").connection;
        assert_eq!(connection.context.as_deref(), Some("c"));
        assert_eq!(connection.namespace(), Some("shop"));
        let connection = completed("-n a top pod --insecure-skip-tls-verify=true -n").connection;
        assert!(connection.insecure_skip_tls_verify);
        assert_eq!(connection.namespace(), Some("a"));
    }

    #[test]
    fn the_program_completes_when_it_is_asked_to() {
        let asked = |line: &str| {
            let words = completion_words(line.split(' ').map(OsString::from));
            words.map(|words| words.join("|"))
        };
        assert_eq!(asked("vitals __complete top p").as_deref(), Some("top|p"));
        assert_eq!(asked("vitals __complete ").as_deref(), Some(""));
        let plugin = "/usr/bin/kubectl_complete-vitals top p";
        assert_eq!(asked(plugin).as_deref(), Some("top|p"));
        assert_eq!(asked("vitals top"), None);
        assert_eq!(asked("vitals"), None);
    }
}
