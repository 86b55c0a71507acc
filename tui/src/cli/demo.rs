//! The flags of `demo`.

use std::path::PathBuf;

use clap::Args;

use super::DashboardArgs;

/// What kind of cluster to simulate, and how to show it.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// How many nodes the cluster has
    #[arg(long, default_value_t = 3, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub nodes: u32,
    /// How many pods run on each node
    #[arg(long, default_value_t = 10, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub pods_per_node: u32,
    /// The same seed gives the same cluster with the same life
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// How many times faster than real time the cluster lives
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub speed: f64,
    /// Replay scrapes recorded in this folder instead of simulating
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Print nodes and pods once, as soon as there are metrics of all, and end
    #[arg(long)]
    pub once: bool,
    /// Where to write the kubeconfig (otherwise a temporary file)
    #[arg(long, value_name = "PATH")]
    pub kubeconfig_out: Option<PathBuf>,
    /// How the dashboard is to be.
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
    fn starts_small_and_in_real_time() {
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
    fn refuses_what_makes_no_cluster() {
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
