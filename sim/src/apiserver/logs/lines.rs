//! The lines that a container writes: a function of its identity and the time, so that every reader sees the same.

use kubevitals_proto::time::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// The mean time between two lines, in nanoseconds.
const STEP: i64 = 2 * SECOND;

/// How many lines a kubelet retains of one container.
const RETAINED: i64 = 5_000;

/// How a container ended, as far as its last lines show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It completed, or was stopped.
    Completed,
    /// It exited by itself.
    Crashed(i64),
    /// It was killed at its memory limit.
    OutOfMemory,
    /// It was killed because a probe failed.
    Killed,
}

/// The format of the lines of a container.
#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Logfmt,
    Klog,
    Plain,
}

/// One incarnation of a container.
#[derive(Clone, Debug)]
pub(super) struct Incarnation {
    /// What its lines depend on.
    pub(super) seed: u64,
    /// Its name.
    pub(super) container: String,
    pub(super) started: Timestamp,
    /// When and how it ended; none if it runs.
    pub(super) ended: Option<(Timestamp, End)>,
}

/// A line without its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

impl Incarnation {
    /// The lines written after `after` and up to `until`, in order.
    pub(super) fn lines(&self, after: Option<Timestamp>, until: Timestamp) -> Vec<Line> {
        let end = self.ended.map_or(until, |(at, _)| at.min(until));
        let last = end.since(self.started).max(0) / STEP;
        let first = after.map_or(0, |after| after.since(self.started).max(0) / STEP - 1);
        let first = first.max(last - RETAINED).max(0);
        let usual = (first..=last).map(|at| self.line(at));
        let last_words = match self.ended {
            Some((at, end)) if at <= until => self.last_words(at, end),
            _ => Vec::new(),
        };
        let all = usual.filter(|line| line.at < end).chain(last_words);
        all.filter(|line| after.is_none_or(|after| line.at > after))
            .collect()
    }

    /// The line of this number.
    fn line(&self, number: i64) -> Line {
        let dice = mix(self.seed ^ mix(number.cast_unsigned()));
        let jitter = i64::try_from(dice % 1_900_000_000).unwrap_or(0);
        let at = self.started.plus_nanos(number * STEP + jitter);
        let millis = 3 + dice / 7 % 240;
        let (level, message) = match (number, dice / 11 % 40) {
            (0, _) => ("info", "starting, listening on :8080".to_owned()),
            (_, 0) => (
                "error",
                "upstream payments: connection reset by peer, retry 1 of 3".to_owned(),
            ),
            (_, 1 | 2) => (
                "warn",
                format!("slow query: {} ms for SELECT * FROM orders", millis * 9),
            ),
            (_, 3..=6) => ("debug", format!("cache: hit ratio 0.{}", 80 + dice % 20)),
            _ => {
                let path = [
                    "/cart",
                    "/checkout",
                    "/items/42",
                    "/healthz",
                    "/api/v1/orders",
                ];
                let path = path
                    .get(usize::try_from(dice % 5).unwrap_or(0))
                    .copied()
                    .unwrap_or("/");
                ("info", format!("GET {path} 200 {millis}ms"))
            }
        };
        let text = self.form().write(at, level, &message, dice);
        Line { at, text }
    }

    fn form(&self) -> Form {
        match self.container.bytes().map(u64::from).sum::<u64>() % 4 {
            0 => Form::Json,
            1 => Form::Logfmt,
            2 => Form::Klog,
            _ => Form::Plain,
        }
    }

    /// The lines just before the end.
    fn last_words(&self, at: Timestamp, end: End) -> Vec<Line> {
        let words: Vec<(&str, String)> = match end {
            End::Completed => vec![("info", "done".to_owned())],
            End::Crashed(code) => vec![
                ("error", "cannot connect to postgres: dial tcp 10.96.14.3:5432: connect: connection refused".to_owned()),
                ("error", "giving up after 3 attempts".to_owned()),
                ("fatal", format!("main: exit status {code}")),
            ],
            End::OutOfMemory => vec![
                ("warn", "heap 71 % of the limit after collection".to_owned()),
                ("warn", "heap 88 % of the limit after collection".to_owned()),
                ("warn", "heap 97 % of the limit after collection: caching less".to_owned()),
            ],
            End::Killed => vec![
                ("warn", "worker pool is full: 64 of 64 busy".to_owned()),
                ("error", "health: no worker answered within 1s".to_owned()),
                ("info", "signal: terminated, 12 requests in flight".to_owned()),
            ],
        };
        let count = i64::try_from(words.len()).unwrap_or(0);
        let lines = (0..count).zip(words).map(|(nth, (level, message))| {
            let at = at.plus_nanos((nth - count) * SECOND / 10);
            Line {
                at,
                text: self.form().write(at, level, &message, mix(self.seed)),
            }
        });
        lines.collect()
    }
}

impl Form {
    fn write(self, at: Timestamp, level: &str, message: &str, dice: u64) -> String {
        let trace = dice % 0xffff_ffff;
        match self {
            Self::Json => format!(
                r#"{{"ts":"{at}","level":"{level}","msg":"{}","trace":"{trace:08x}"}}"#,
                message.replace('"', "'")
            ),
            Self::Logfmt => format!("ts={at} level={level} msg=\"{message}\" trace={trace:08x}"),
            Self::Klog => {
                let letter = match level {
                    "error" => 'E',
                    "fatal" => 'F',
                    "warn" => 'W',
                    _ => 'I',
                };
                let text = at.to_string();
                let (date, time) = text.split_once('T').unwrap_or(("", ""));
                let date: String = date.chars().skip(5).filter(char::is_ascii_digit).collect();
                let time = time.trim_end_matches('Z');
                format!(
                    "{letter}{date} {time}.000000       1 server.go:{}] {message}",
                    40 + dice % 300
                )
            }
            Self::Plain => format!("{at} {:5} {message}", level.to_uppercase()),
        }
    }
}

/// Spreads a number over all bits (splitmix64).
pub(super) const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incarnation(ended: Option<(i64, End)>) -> Incarnation {
        Incarnation {
            seed: 7,
            container: "app".to_owned(),
            started: Timestamp::from_secs(1_000),
            ended: ended.map(|(second, end)| (Timestamp::from_secs(second), end)),
        }
    }

    #[test]
    fn a_reader_that_continues_sees_each_line_once() {
        let one = incarnation(None);
        let until = Timestamp::from_secs(1_100);
        let all = one.lines(None, until);
        assert!(all.len() > 40 && all.is_sorted_by_key(|line| line.at));
        for cut in 0..all.len() {
            let after = Some(all[cut].at);
            assert_eq!(one.lines(after, until), all[cut + 1..], "{cut}");
        }
    }

    #[test]
    fn a_container_that_ended_has_last_words() {
        let one = incarnation(Some((1_060, End::Crashed(7))));
        let all = one.lines(None, Timestamp::from_secs(2_000));
        assert!(all.last().unwrap().text.contains("exit status 7"));
        assert!(
            all.is_sorted_by_key(|line| line.at)
                && all.last().unwrap().at < Timestamp::from_secs(1_060)
        );
    }
}
