//! The flags of `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kubevitals_proto::duration::GoDuration;

use super::output::OutputFormat;
use crate::config::{SourceChoice, threshold};
use crate::model::Thresholds;
use crate::model::check::Rule;

/// `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Check all namespaces and the nodes; this is the default without --namespace
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: CheckOutput,
    /// From this percentage of its capacity on, the usage of a node is a warning [default: thresholds.warn of the
    /// configuration, 70]
    #[arg(long, short = 'w', value_name = "PERCENT", value_parser = percent)]
    pub warning: Option<f64>,
    /// From this percentage on, the usage of a node is critical, and that of a container's limit is a warning [default:
    /// thresholds.bad of the configuration, 90]
    #[arg(long, short = 'c', value_name = "PERCENT", value_parser = percent)]
    pub critical: Option<f64>,
    /// How long a pod may be starting or terminating
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = seconds)]
    pub grace: u32,
    /// How long to wait for the cluster
    #[arg(long, short = 't', value_name = "DURATION", default_value = "30s", value_parser = seconds)]
    pub timeout: u32,
    /// Check only these rules, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub only: Vec<Rule>,
    /// Check all rules but these, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule, conflicts_with = "only")]
    pub skip: Vec<Rule>,
    /// The configuration file [default: ~/.config/kubevitals/config.toml]
    #[arg(long, value_name = "PATH", env = "VITALS_CONFIG")]
    pub config: Option<PathBuf>,
    /// The source of the data
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE")]
    pub source: Option<SourceChoice>,
}

/// The form of the output of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// A table.
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One line, as a Nagios plugin prints it.
    Nagios,
}

impl CheckOutput {
    /// The form that other commands have too; `None` for the line of a Nagios plugin.
    #[must_use]
    pub const fn format(self) -> Option<OutputFormat> {
        Some(match self {
            Self::Table => OutputFormat::Table,
            Self::Json => OutputFormat::Json,
            Self::Yaml => OutputFormat::Yaml,
            Self::Csv => OutputFormat::Csv,
            Self::Tsv => OutputFormat::Tsv,
            Self::Nagios => return None,
        })
    }
}

impl CheckArgs {
    /// The rules to apply.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let rules = Rule::ALL.into_iter();
        let chosen = |rule: &Rule| self.only.is_empty() || self.only.contains(rule);
        let rules = rules.filter(|rule| chosen(rule) && !self.skip.contains(rule));
        rules.collect()
    }

    /// The thresholds: the flags over those of the configuration.
    ///
    /// # Errors
    /// The lower threshold is above the upper one; the text has one line.
    pub fn thresholds(&self, configured: Thresholds) -> Result<Thresholds, String> {
        let thresholds = Thresholds {
            warn: self.warning.unwrap_or(configured.warn),
            bad: self.critical.unwrap_or(configured.bad),
        };
        if thresholds.warn > thresholds.bad {
            let percent = |part: f64| part * 100.0;
            return Err(format!(
                "--warning is at most --critical, not {}% and {}%",
                percent(thresholds.warn),
                percent(thresholds.bad)
            ));
        }
        Ok(thresholds)
    }
}

/// A percentage as a fraction.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let number = number
        .parse()
        .map_err(|_| "write a percentage: 80 or 80%".to_owned())?;
    threshold(&number)
}

/// A duration in whole seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let duration: GoDuration = text
        .parse()
        .map_err(|_| "write a duration: 90s, 5m or 1h".to_owned())?;
    let seconds = duration.as_secs_f64();
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("the duration is between 0s and 24h".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number is between 0 and 86,400"
    )]
    Ok(seconds as u32)
}

fn rule(name: &str) -> Result<Rule, String> {
    Rule::named(name).ok_or_else(|| {
        let names = Rule::ALL.map(Rule::name);
        format!("the rules are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, Stop, parse};

    fn parsed(line: &str) -> Result<CheckArgs, Stop> {
        let words = line.split_whitespace().map(Into::into);
        match parse(words)?.command {
            Some(Command::Check(args)) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_choose_the_rules_and_the_thresholds() {
        let usual = parsed("vitals check").unwrap();
        assert_eq!(usual.rules(), Rule::ALL);
        let configured = Thresholds {
            warn: 0.5,
            bad: 0.6,
        };
        assert_eq!(usual.thresholds(configured), Ok(configured));
        assert_eq!(usual.grace, 300);
        let args = parsed("vitals check -w 80% -c 95 --grace 90s --only hpa,incident").unwrap();
        let expected = Thresholds {
            warn: 0.8,
            bad: 0.95,
        };
        assert_eq!(args.thresholds(configured), Ok(expected));
        assert_eq!(args.grace, 90);
        assert_eq!(args.rules(), [Rule::Incident, Rule::Hpa]);
        let args = parsed("vitals check --skip incident,node-disk").unwrap();
        assert_eq!(args.rules().len(), Rule::ALL.len() - 2);
        let args = parsed("vitals check --warning 95").unwrap();
        let error = args.thresholds(Thresholds::default()).unwrap_err();
        assert_eq!(error, "--warning is at most --critical, not 95% and 90%");
    }

    /// With clap's code 2 a mistyped flag in a crontab would look like a critical cluster.
    #[test]
    fn a_mistake_on_the_command_line_exits_with_3() {
        for line in [
            "vitals check --bogus",
            "vitals --bogus check",
            "vitals check -x",
            "vitals check -o xml",
            "vitals check -w",
            "vitals check -w high",
            "vitals check -c 0",
            "vitals check -c 2000",
            "vitals check --grace 5",
            "vitals check --grace -5m",
            "vitals check --grace 25h",
            "vitals check --only pods",
            "vitals check --only hpa --skip incident",
            "vitals check pods",
            "vitals --view nodes check",
            "kubectl-vitals check --bogus",
        ] {
            match parsed(line) {
                Err(Stop::Fail(text, 3)) => assert!(text.starts_with("error: "), "{line}: {text}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(matches!(parsed("vitals check --help"), Err(Stop::Say(_))));
    }
}
