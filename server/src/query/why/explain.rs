//! Messages and hints for everything that a kubelet's response can lack. Every match here is exhaustive, so that each
//! new reason needs a message.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::why::Explanation;

use crate::query::readiness::Unready;
use crate::store::{Absent, Lack, NoRate};

const WAIT: &str = "wait for the next scrape";

/// Describes what the last reading of `subject` (`container web`, `node n`) lacks.
pub(in crate::query) fn absent(subject: &str, absent: &Absent) -> Explanation {
    let (what, hint) = match absent {
        Absent::Incomplete { lack, .. } => lacks(*lack),
        Absent::NoRate { why, .. } => no_rate(*why),
        Absent::Stale => (
            "has a last sample that is too old",
            "look into the kubelet's log: it responds, but repeats an old sample",
        ),
        Absent::NotReported => (
            "is not in the kubelet's last response",
            "if it has only just started, wait for the next scrape; else look into the kubelet's and the container \
             runtime's log: the kubelet does not measure it",
        ),
    };
    Explanation {
        what: format!("{subject} {what}"),
        hint,
    }
}

fn lacks(lack: Lack) -> (&'static str, &'static str) {
    match lack {
        Lack::NoCpu => (
            "has no CPU line in the kubelet's response",
            "look into the kubelet's and the container runtime's log: the runtime does not report the CPU time of this \
             container",
        ),
        Lack::ZeroCpu => (
            "has used no CPU time at all, according to the kubelet",
            "a container that runs has used some: look with kubectl describe whether it has just started, is restarting \
             or has ended; if it does run, restart it, or look into the container runtime's log",
        ),
        Lack::NoMemory => (
            "has no memory line in the kubelet's response",
            "look into the kubelet's and the container runtime's log: the runtime does not report the working set of this \
             container",
        ),
        Lack::ZeroMemory => (
            "has a working set of zero bytes, according to the kubelet",
            "a container that runs needs some: look with kubectl describe whether it is restarting or has ended; if it \
             does run, look into the container runtime's log and at the node's cgroups",
        ),
        Lack::BadLine => (
            "has a line in the kubelet's response whose value or time is impossible",
            "wait for the next scrape: kubelets report such lines while a pod starts; if this lasts, check the kubelet's \
             log and the node's clock",
        ),
        Lack::Duplicate => (
            "is reported more than once by the kubelet, and nothing shows which values are its own",
            "look on the node for cgroups left over from an earlier pod of this name, remove them, and restart the kubelet",
        ),
    }
}

fn no_rate(why: NoRate) -> (&'static str, &'static str) {
    match why {
        NoRate::FirstPoint => ("has one reading so far, and a rate needs two", WAIT),
        NoRate::Restarted => (
            "has restarted since the reading before, and a rate needs two of one run of the container",
            "wait for the next scrape; if it restarts again and again, look with kubectl describe why",
        ),
        NoRate::WentBackwards => (
            "has used less CPU time than the kubelet reported before, which is impossible",
            "wait for the next scrape; if this lasts, look into the kubelet's log, and whether two programs respond for \
             this node",
        ),
        NoRate::Impossible => (
            "would use more than its node has: a reading was broken",
            "wait for the next scrape; if this lasts, look into the kubelet's and the container runtime's log",
        ),
        NoRate::ClockStepped => (
            "was measured by a clock that was set since the reading before",
            "wait for the next scrape; if this recurs, check the node's time synchronization",
        ),
    }
}

/// The reason and the hint for a server that is not ready.
pub(super) fn unready(unready: Unready) -> (&'static str, &'static str) {
    let reason = match unready {
        Unready::Nodes => "nodes_not_listed",
        Unready::Pods => "pods_not_listed",
        Unready::NodeMetrics => "no_node_metrics",
        Unready::PodMetrics => "no_pod_metrics",
    };
    (
        reason,
        "wait a few seconds: the server has only just started; if this lasts, look into its log for \"cannot be watched\" and \"cannot list\"",
    )
}

/// A duration for people: in seconds, or in milliseconds below one second.
pub(super) fn span(time: Duration) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    if seconds > 0 {
        return GoDuration::from_secs(seconds).to_string();
    }
    GoDuration::from_millis(i64::from(time.subsec_millis())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_name_and_a_hint() {
        let lacks = [
            Lack::NoCpu,
            Lack::ZeroCpu,
            Lack::NoMemory,
            Lack::ZeroMemory,
            Lack::BadLine,
            Lack::Duplicate,
        ];
        let reasons = [
            NoRate::FirstPoint,
            NoRate::Restarted,
            NoRate::WentBackwards,
            NoRate::Impossible,
            NoRate::ClockStepped,
        ];
        let container = None::<std::sync::Arc<str>>;
        let mut all = vec![Absent::Stale, Absent::NotReported];
        all.extend(lacks.map(|lack| Absent::Incomplete {
            container: container.clone(),
            lack,
        }));
        all.extend(reasons.map(|why| Absent::NoRate {
            container: container.clone(),
            why,
        }));
        let mut names: Vec<&str> = all.iter().map(Absent::reason).collect();
        for why in &all {
            let Explanation { what, hint } = absent("container web", why);
            assert!(
                what.starts_with("container web ") && hint.len() > 20,
                "{what}: {hint}"
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn short_durations_are_in_milliseconds() {
        assert_eq!(span(Duration::from_micros(12_345)), "12ms");
        assert_eq!(span(Duration::from_millis(75_900)), "1m15s");
    }
}
