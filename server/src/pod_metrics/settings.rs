//! Pods' own metrics: flags and settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::series::MAX_INTERVALS;
use crate::flag_values::{bytes, duration_in};

/// More frequent scrapes cost more than they tell.
const SHORTEST: Duration = Duration::from_secs(1);

/// A value that is older is of no use to an autoscaler.
const LONGEST: Duration = Duration::from_secs(300);

/// The longest window.
const LONGEST_WINDOW: Duration = Duration::from_secs(1800);

/// A rate needs two samples in its window, also if one scrape fails.
const SCRAPES_IN_WINDOW: u32 = 3;

/// The flags of pods' own metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pods' own metrics")]
pub struct PodMetricsFlags {
    /// Scrape the metrics that pods expose, and serve custom.metrics.k8s.io and external.metrics.k8s.io from them.
    #[arg(long)]
    pub pod_metrics: bool,

    /// The file with rules for scrapes of pods: which pods, how, with which credentials, and what is kept. It is read
    /// again when it changes.
    #[arg(long, value_name = "FILE")]
    pub pod_metrics_config: Option<PathBuf>,

    /// The time between two scrapes of a pod.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration_in(SHORTEST, LONGEST))]
    pub pod_metrics_interval: Duration,

    /// The time over which rates, means and quantiles are computed; at least three intervals, at most 120.
    #[arg(long, value_name = "DURATION", default_value = "1m0s", value_parser = duration_in(SHORTEST, LONGEST_WINDOW))]
    pub pod_metrics_window: Duration,

    /// The memory for values and histories of pods' own metrics; a quarter of it for one namespace. More is refused.
    #[arg(long, value_name = "QUANTITY", default_value = "128Mi", value_parser = bytes)]
    pub pod_metrics_memory_limit: usize,
}

/// How pods are scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The config file.
    pub config: Option<PathBuf>,
    /// The time between two scrapes of a pod, if its rule has no other.
    pub interval: Duration,
    /// The time over which rates, means and quantiles are computed.
    pub window: Duration,
    /// The most bytes of values and histories.
    pub memory_limit: usize,
}

impl Default for Settings {
    /// The defaults of the flags.
    fn default() -> Self {
        Self {
            config: None,
            interval: Duration::from_secs(15),
            window: Duration::from_secs(60),
            memory_limit: 128 << 20,
        }
    }
}

impl PodMetricsFlags {
    /// How pods are scraped, if they are.
    ///
    /// # Errors
    /// A flag has no effect, or the window is too short; in one line.
    pub fn settings(&self) -> Result<Option<Settings>, String> {
        if !self.pod_metrics {
            return match self.pod_metrics_config {
                Some(_) => Err("--pod-metrics-config has no effect without --pod-metrics".into()),
                None => Ok(None),
            };
        }
        if self.pod_metrics_window < self.pod_metrics_interval * SCRAPES_IN_WINDOW {
            return Err(format!(
                "--pod-metrics-window must be at least {SCRAPES_IN_WINDOW} times --pod-metrics-interval"
            ));
        }
        if self.pod_metrics_window > self.pod_metrics_interval * MAX_INTERVALS {
            return Err(format!(
                "--pod-metrics-window must be at most {MAX_INTERVALS} times --pod-metrics-interval: no more samples are kept"
            ));
        }
        Ok(Some(Settings {
            config: self.pod_metrics_config.clone(),
            interval: self.pod_metrics_interval,
            window: self.pod_metrics_window,
            memory_limit: self.pod_metrics_memory_limit,
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: PodMetricsFlags,
    }

    #[test]
    fn a_window_has_as_many_samples_as_a_rate_needs_and_as_are_kept() {
        for (interval, window, expected) in [
            ("15s", "45s", None),
            ("15s", "44s", Some("at least 3 times")),
            ("15s", "30m", None),
            ("1s", "2m", None),
            ("1s", "2m1s", Some("at most 120 times")),
        ] {
            let line = [
                "vitals-server",
                "--pod-metrics",
                "--pod-metrics-interval",
                interval,
                "--pod-metrics-window",
                window,
            ];
            let settings = Line::try_parse_from(line).unwrap().flags.settings();
            let error = settings.err().unwrap_or_default();
            let found = expected.map_or(error.is_empty(), |expected| error.contains(expected));
            assert!(found, "{interval} {window}: {error}");
        }
    }
}
