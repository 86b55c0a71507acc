//! The flags of `rightsize`.

use clap::{Args, ValueEnum};
use kubevitals_proto::duration::GoDuration;

use super::history::time;
use crate::model::Stat;

/// What is advised, by which rules, and the form of the output.
#[derive(Debug, Clone, Args)]
pub struct RightsizeArgs {
    /// Advise on the workloads of all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// Selector (label query) of pods: =, ==, !=, in, notin, gt, lt
    #[arg(long, short = 'l', value_name = "QUERY")]
    pub selector: Option<String>,
    /// The start of the history: a time such as 2026-11-21T05:00:00Z, or a duration before now such as 30m or 7d
    /// [default: all that is in memory]
    #[arg(long, visible_alias = "span", value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Rows of tables, CSV and TSV: one for each container, or one for each workload with the sums of its containers
    #[arg(long, value_name = "WHAT", default_value = "container")]
    pub by: By,
    /// The percentile of CPU that a request covers: 50, 90, 95, 99 or 100
    #[arg(long, value_name = "PERCENTILE", default_value = "95", value_parser = percentile)]
    pub cpu_percentile: Stat,
    /// The margin above the CPU that was seen, in percent
    #[arg(long, value_name = "PERCENT", default_value = "15", value_parser = percent)]
    pub cpu_margin: u32,
    /// The margin above the most memory that was seen, in percent
    #[arg(long, value_name = "PERCENT", default_value = "15", value_parser = percent)]
    pub memory_margin: u32,
    /// The least history of a container for advice
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub min_history: GoDuration,
    /// The price of a core for an hour, to show money
    #[arg(long, value_name = "PRICE", value_parser = price, allow_hyphen_values = true)]
    pub cpu_price: Option<f64>,
    /// The price of a GiB of memory for an hour, to show money
    #[arg(long, value_name = "PRICE", value_parser = price, allow_hyphen_values = true)]
    pub memory_price: Option<f64>,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<RightsizeFormat>,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
}

/// The object of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum By {
    /// A container.
    #[default]
    Container,
    /// A workload.
    Workload,
}

/// A form of advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RightsizeFormat {
    /// A table.
    #[default]
    Table,
    /// A table with all columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Strategic-merge patches for a kustomization.
    Kustomize,
    /// A shell script of `kubectl set resources`.
    Script,
}

fn percentile(text: &str) -> Result<Stat, String> {
    let number = text.strip_prefix('p').unwrap_or(text).parse().ok();
    number
        .and_then(Stat::of_percentile)
        .ok_or_else(|| "expected 50, 90, 95, 99 or 100".to_owned())
}

fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number
        .filter(|number| *number <= 1000)
        .ok_or_else(|| "expected a whole number of percent from 0 to 1000, such as 15".to_owned())
}

fn duration(text: &str) -> Result<GoDuration, String> {
    let duration: Option<GoDuration> = text.parse().ok();
    duration
        .filter(|duration| duration.0 >= 0)
        .ok_or_else(|| "expected a duration such as 30m".to_owned())
}

fn price(text: &str) -> Result<f64, String> {
    let price: Option<f64> = text.trim().parse().ok();
    price
        .filter(|price| price.is_finite() && *price >= 0.0)
        .ok_or_else(|| "expected a number that is not negative, such as 0.031".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, Stop, parse};

    fn parsed(flags: &str) -> Result<RightsizeArgs, Stop> {
        let line = format!("vitals rightsize {flags}");
        parse(line.split_whitespace().map(Into::into)).map(|cli| match cli.command {
            Some(Command::Rightsize(args)) => args,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let args = parsed("").unwrap();
        assert_eq!(
            (args.cpu_percentile, args.cpu_margin, args.memory_margin),
            (Stat::P95, 15, 15)
        );
        assert_eq!(args.min_history, GoDuration::from_secs(1800));
        assert_eq!((args.cpu_price, args.memory_price), (None, None));
    }

    #[test]
    fn numbers_are_checked_before_any_request() {
        let args = parsed(
            "--cpu-percentile p99 --memory-margin 20% --cpu-margin 0 --cpu-price 0.03 --min-history 0s",
        );
        let args = args.unwrap();
        assert_eq!(
            (args.cpu_percentile, args.memory_margin, args.cpu_margin),
            (Stat::P99, 20, 0)
        );
        assert_eq!(args.cpu_price, Some(0.03));
        for flags in [
            "--cpu-price cheap",
            "--cpu-price -1",
            "--memory-price=NaN",
            "--memory-price inf",
            "--memory-price 0,03",
            "--cpu-percentile 96",
            "--memory-margin -5",
            "--memory-margin 5000",
            "--min-history 30",
            "--since yesterday",
            "--by node",
            "-o xml",
        ] {
            let Err(Stop::Fail(text, 2)) = parsed(flags) else {
                panic!("{flags} is accepted");
            };
            assert!(text.starts_with("error: "), "{text}");
        }
    }
}
