//! The flag of a shard, and its settings.

use clap::Args;

use super::claim::MAX_COUNT;

/// The variable with the name of the pod, which every container runtime sets.
const HOSTNAME: &str = "HOSTNAME";

/// The file with the name of the machine or pod.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// The flag of a shard.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scale-out")]
pub struct ShardFlags {
    /// Scrape only the nodes of shard I of N, the first of which is 0, and answer for all nodes with the others' data:
    /// "I/N"; "auto/N" with the ordinal at the end of the pod's name, as in a StatefulSet; "auto" also with the
    /// StatefulSet's number of replicas, which may change while the server runs. Needs --manage-apiservice-ca.
    #[arg(long, value_name = "I/N", value_parser = parse)]
    pub shard: Option<ShardSpec>,
}

/// A value of `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardSpec {
    /// This index and number.
    Fixed(u32, u32),
    /// The pod's ordinal of this number.
    Ordinal(u32),
    /// The pod's ordinal of its StatefulSet's replicas.
    StatefulSet,
}

/// The place of this process among the shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The index of this shard.
    pub index: u32,
    /// The number of shards.
    pub count: Count,
}

/// The number of shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// This number.
    Fixed(u32),
    /// The number of replicas of the StatefulSet with this name, in the Service's namespace.
    StatefulSet(String),
}

impl ShardFlags {
    /// The place of this process, if it is a shard. Reads the name of the pod if the flag needs it.
    ///
    /// # Errors
    /// The name does not end with an ordinal.
    pub fn settings(&self) -> Result<Option<Settings>, String> {
        let of_machine = || std::fs::read_to_string(HOSTNAME_FILE).unwrap_or_default();
        let hostname = || std::env::var(HOSTNAME).unwrap_or_else(|_| of_machine());
        self.shard
            .map(|spec| Settings::of(spec, hostname))
            .transpose()
    }
}

impl Settings {
    fn of(spec: ShardSpec, hostname: impl FnOnce() -> String) -> Result<Self, String> {
        let (index, count) = match spec {
            ShardSpec::Fixed(index, count) => (index, Count::Fixed(count)),
            ShardSpec::Ordinal(count) => (ordinal(&hostname())?.1, Count::Fixed(count)),
            ShardSpec::StatefulSet => {
                let (name, index) = ordinal(&hostname())?;
                (index, Count::StatefulSet(name))
            }
        };
        Ok(Self { index, count })
    }
}

/// The name of the StatefulSet and the ordinal in the name of its pod.
fn ordinal(hostname: &str) -> Result<(String, u32), String> {
    let name = hostname.trim();
    let split = name.rsplit_once('-');
    let found = split.and_then(|(set, ordinal)| Some((set.to_owned(), ordinal.parse().ok()?)));
    found.ok_or_else(|| {
        format!(
            "--shard=auto: the host name {name:?} does not end with an ordinal such as -0: run the server in a \
             StatefulSet, or give --shard=I/N"
        )
    })
}

fn parse(text: &str) -> Result<ShardSpec, String> {
    let number = |text: &str| text.parse::<u32>().ok();
    let of = |count: &str| number(count).filter(|count| (1..=MAX_COUNT).contains(count));
    let spec = match text.split_once('/') {
        None if text == "auto" => Some(ShardSpec::StatefulSet),
        None => None,
        Some(("auto", count)) => of(count).map(ShardSpec::Ordinal),
        Some((index, count)) => number(index)
            .zip(of(count))
            .and_then(|(index, count)| (index < count).then_some(ShardSpec::Fixed(index, count))),
    };
    spec.ok_or_else(|| {
        format!(
            "write I/N with I from 0 to N-1 and N up to {MAX_COUNT}, for example 0/4; or auto/N or auto in a StatefulSet"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_an_index_and_a_number_or_follows_from_the_pods_name() {
        let settings = |text: &str, host: &str| Settings::of(parse(text)?, || host.to_owned());
        let fixed = |index, count| Settings {
            index,
            count: Count::Fixed(count),
        };
        assert_eq!(settings("0/1", ""), Ok(fixed(0, 1)));
        assert_eq!(settings("3/4", ""), Ok(fixed(3, 4)));
        assert_eq!(settings("auto/4", "vitals-server-2\n"), Ok(fixed(2, 4)));
        // A pod that is to be removed still hands over.
        assert_eq!(settings("auto/4", "vitals-server-7"), Ok(fixed(7, 4)));
        let of_set = Settings {
            index: 2,
            count: Count::StatefulSet("vitals-server".to_owned()),
        };
        assert_eq!(settings("auto", "vitals-server-2"), Ok(of_set));
        for (text, host) in [
            ("auto", "vitals-server-7d9f-x2x"),
            ("auto/3", "localhost"),
            ("auto", ""),
            ("4/4", ""),
            ("0/0", ""),
            ("-1/4", ""),
            ("1/1000", ""),
            ("1", ""),
            ("1/2/3", ""),
            ("auto/0", "a-0"),
        ] {
            let error = settings(text, host).unwrap_err();
            assert!(!error.contains('\n'), "{text}: {error}");
        }
    }
}
