//! The flags of `demo`.

use std::path::PathBuf;

use clap::Args;

use super::DashboardArgs;

/// The simulated cluster and its display.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// The number of nodes
    #[arg(long, default_value_t = 3, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub nodes: u32,
    /// The number of pods on each node
    #[arg(long, default_value_t = 10, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub pods_per_node: u32,
    /// The seed of the simulation: the same seed gives the same cluster and events
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// The speed of the cluster's clock, as a multiple of real time
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub speed: f64,
    /// Replay scrapes recorded in this folder instead of simulating
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Let pods expose metrics of their own, with autoscalers that use them; of three nodes or more, one has GPUs
    #[arg(long, conflicts_with = "replay")]
    pub pod_metrics: bool,
    /// Print nodes and pods once, as soon as all have metrics, and exit
    #[arg(long)]
    pub once: bool,
    /// Where to write the kubeconfig (otherwise a temporary file)
    #[arg(long, value_name = "PATH")]
    pub kubeconfig_out: Option<PathBuf>,
    /// The options of the dashboard.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 10_000.0 => Ok(speed),
        _ => Err("must be a number above 0, at most 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, Stop, parse};

    fn parsed(line: &str) -> Result<super::DemoArgs, Stop> {
        match parse(line.split_whitespace().map(Into::into))?.command {
            Some(Command::Demo(args)) => Ok(args),
            _ => panic!("not the demo"),
        }
    }

    #[test]
    fn the_default_is_small_and_in_real_time() {
        let args = parsed("vitals demo").unwrap();
        assert_eq!(
            (args.nodes, args.pods_per_node, args.seed, args.speed),
            (3, 10, 1, 1.0)
        );
        assert!(!args.once && args.replay.is_none() && args.kubeconfig_out.is_none());
    }

    #[test]
    fn takes_its_flags() {
        let line =
            "vitals demo --nodes 7 --pods-per-node=5 --seed 9 --speed 2.5 --once --replay dir";
        let args = parsed(line).unwrap();
        assert_eq!(
            (args.nodes, args.pods_per_node, args.seed, args.speed),
            (7, 5, 9, 2.5)
        );
        assert!(args.once && args.replay.is_some());
    }

    #[test]
    fn invalid_values_are_refused() {
        for line in [
            "--nodes 0",
            "--nodes x",
            "--speed 0",
            "--speed -1",
            "--speed nan",
        ] {
            let refused = parsed(&format!("vitals demo {line}"));
            assert!(matches!(refused, Err(Stop::Fail(_, 2))), "{line}");
        }
    }
}
