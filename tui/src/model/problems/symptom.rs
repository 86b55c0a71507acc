//! Symptoms: what a pod or an incident shows, in words. Pods of one workload with the same symptom are one problem.

use std::borrow::Cow;

use kubevitals_proto::vitals::{Cause, IncidentKind, ProbeKind};

use crate::model::attention::Attention;
use crate::model::row::{IncidentRow, PodRow};

/// What a pod or an incident shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Symptom {
    /// A container ends and is started again, for this cause.
    Crash(String),
    /// A probe fails.
    Probe(&'static str),
    /// An image cannot be pulled.
    Image,
    /// The pod was evicted for a limit of its own.
    Evicted,
    /// The pod or one of its containers failed for good, for this cause.
    Failed(String),
    /// The pod is not ready.
    NotReady,
    /// No node has been found for the pod.
    Unscheduled,
    /// A container does not start, for this reason.
    Blocked(String),
    /// The pod has used nearly all of its memory limit.
    NearLimit,
    /// The pod is starting.
    Starting,
    /// The pod is terminating.
    Terminating,
    /// A problem of a later version of the server.
    Other,
}

/// The form of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// One pod has the symptom.
    One,
    /// Several pods have it.
    Several,
    /// One pod or several had it.
    Over,
}

impl Symptom {
    /// What an incident shows.
    pub(super) fn of_incident(row: &IncidentRow) -> Self {
        let cause = || row.cause().into_owned();
        match row.incident.reason {
            IncidentKind::Restart => Self::Crash(cause()),
            IncidentKind::ProbeFailing => Self::Probe(match row.incident.cause {
                Cause::LivenessProbe => "liveness ",
                Cause::StartupProbe => "startup ",
                Cause::ReadinessProbe => "readiness ",
                _ => "",
            }),
            IncidentKind::PodNotReady | IncidentKind::NodeNotReady => Self::NotReady,
            IncidentKind::Eviction => Self::Evicted,
            IncidentKind::ImagePull => Self::Image,
            IncidentKind::PodFailed => Self::Failed(cause()),
            IncidentKind::Other => Self::Other,
        }
    }

    /// What a pod shows that needs this attention.
    pub(super) fn of_pod(pod: &PodRow, needs: Attention) -> Self {
        match needs {
            Attention::Recent => Self::Crash(pod.restarts.cause().into_owned()),
            Attention::Failing => Self::Probe(match pod.probes.worst {
                Some(ProbeKind::Liveness) => "liveness ",
                Some(ProbeKind::Readiness) => "readiness ",
                Some(ProbeKind::Startup) => "startup ",
                _ => "",
            }),
            Attention::NearLimit => Self::NearLimit,
            Attention::Unsettled => Self::of_unsettled(pod),
            Attention::Broken => Self::of_broken(pod),
        }
    }

    fn of_unsettled(pod: &PodRow) -> Self {
        match &*pod.status {
            "Terminating" => Self::Terminating,
            "Pending" if pod.node.is_empty() => Self::Unscheduled,
            "Running" | "NotReady" | "Unknown" => Self::NotReady,
            _ => Self::Starting,
        }
    }

    fn of_broken(pod: &PodRow) -> Self {
        let status = pod.status.trim_start_matches("Init:");
        let cause = || match pod.restarts.cause() {
            known if !known.is_empty() => known.into_owned(),
            _ => status.to_owned(),
        };
        match status {
            _ if pod.is_evicted() => Self::Evicted,
            "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
                Self::Image
            }
            _ if pod.phase.is_over() => Self::Failed(cause()),
            "CrashLoopBackOff" | "Error" | "OOMKilled" => Self::Crash(cause()),
            other => Self::Blocked(other.to_owned()),
        }
    }

    /// The symptom as the predicate of a sentence about one pod or several. `again` tells whether a container has ended
    /// more than once.
    pub(super) fn words(&self, number: Number, again: bool) -> Cow<'static, str> {
        let of = |forms: [&'static str; 3]| {
            let [one, several, over] = forms;
            match number {
                Number::One => one,
                Number::Several => several,
                Number::Over => over,
            }
        };
        let with = |verb: &str, why: &str| match why {
            "" => verb.to_owned(),
            why => format!("{verb} ({why})"),
        };
        match self {
            Self::Crash(why) if again => with(of(["crashes", "crash", "crashed"]), why).into(),
            Self::Crash(why) if number == Number::One => with("was restarted", why).into(),
            Self::Crash(why) => with("restarted", why).into(),
            Self::Probe(kind) => {
                let verb = of(["fails its", "fail their", "failed a"]);
                format!("{verb} {kind}probe").into()
            }
            Self::Image => of([
                "cannot pull its image",
                "cannot pull their image",
                "could not pull an image",
            ])
            .into(),
            Self::Evicted => of(["was evicted", "were evicted", "evicted"]).into(),
            Self::Failed(why) => with("failed", why).into(),
            Self::NotReady => of(["is not ready", "are not ready", "not ready for a while"]).into(),
            Self::Unscheduled => {
                of(["waits for a node", "wait for a node", "waited for a node"]).into()
            }
            Self::Blocked(why) => {
                with(of(["does not start", "do not start", "did not start"]), why).into()
            }
            Self::NearLimit => of([
                "is near its memory limit",
                "are near their memory limit",
                "near the memory limit",
            ])
            .into(),
            Self::Starting => of(["is starting", "are starting", "started"]).into(),
            Self::Terminating => of(["is terminating", "are terminating", "terminated"]).into(),
            Self::Other => of(["has a problem", "have a problem", "had a problem"]).into(),
        }
    }

    /// A word that distinguishes the symptom in the key of its problem.
    pub(super) fn id(&self) -> String {
        self.words(Number::One, true).into_owned()
    }
}
