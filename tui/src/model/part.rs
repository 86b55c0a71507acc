//! Parts: the kinds of data of a source. Each is requested separately and fails separately.

use std::fmt;

use kubevitals_proto::time::Timestamp;

/// The kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// kubevitals.io.
    Vitals,
    /// metrics.k8s.io.
    Metrics,
    /// Objects without metrics.
    None,
}

impl SourceKind {
    /// The name in flags and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vitals => "vitals",
            Self::Metrics => "metrics",
            Self::None => "none",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One kind of data of a source, with a [`PartState`] of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Nodes.
    Nodes,
    /// Pods.
    Pods,
    /// Pods of all namespaces, while only those of one namespace can be listed.
    OtherPods,
    /// Usage of pods.
    Usage,
    /// Usage of nodes.
    NodeUsage,
    /// Replicas of Deployments.
    Deployments,
    /// Replicas of StatefulSets.
    StatefulSets,
    /// Replicas of DaemonSets.
    DaemonSets,
    /// The CronJobs of Jobs.
    Jobs,
    /// Horizontal pod autoscalers.
    Hpas,
    /// Incidents.
    Incidents,
    /// The availability of workloads.
    Availability,
    /// The names of namespaces.
    Namespaces,
    /// The cluster's totals.
    Cluster,
    /// All clusters, if there are several.
    Clusters,
    /// Events.
    Events,
    /// The history.
    History,
    /// PersistentVolumeClaims.
    Claims,
    /// The usage of volumes.
    Volumes,
}

impl Part {
    /// The parts of a kind of source that are followed all the time, whatever is on the screen.
    #[must_use]
    pub fn followed(kind: SourceKind) -> &'static [Self] {
        let all = Self::of_source(kind);
        let of_volumes = |part: &Self| matches!(part, Self::Claims | Self::Volumes);
        let count = all.iter().position(of_volumes).unwrap_or(all.len());
        all.get(..count).unwrap_or(all)
    }

    /// The parts of a kind of source.
    #[must_use]
    pub const fn of_source(kind: SourceKind) -> &'static [Self] {
        match kind {
            SourceKind::Vitals => &[
                Self::Nodes,
                Self::Pods,
                Self::Cluster,
                Self::Incidents,
                Self::Deployments,
                Self::StatefulSets,
                Self::DaemonSets,
                Self::Hpas,
                Self::Namespaces,
                // These are only read while they are on the screen.
                Self::Claims,
                Self::Volumes,
            ],
            SourceKind::Metrics | SourceKind::None => &[
                Self::Nodes,
                Self::Pods,
                Self::Usage,
                Self::NodeUsage,
                Self::Deployments,
                Self::StatefulSets,
                Self::DaemonSets,
                Self::Jobs,
                Self::Hpas,
                Self::Namespaces,
                Self::Claims,
            ],
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::OtherPods => "pods of other namespaces",
            Self::Usage => "usage",
            Self::NodeUsage => "usage of nodes",
            Self::Deployments => "Deployments",
            Self::StatefulSets => "StatefulSets",
            Self::DaemonSets => "DaemonSets",
            Self::Jobs => "Jobs",
            Self::Hpas => "HPAs",
            Self::Incidents => "incidents",
            Self::Availability => "availability",
            Self::Namespaces => "namespaces",
            Self::Cluster => "the cluster",
            Self::Clusters => "clusters",
            Self::Events => "events",
            Self::History => "history",
            Self::Claims => "volume claims",
            Self::Volumes => "usage of volumes",
        })
    }
}

/// How much of a part has been loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of objects so far.
    pub done: u64,
    /// The number of all objects, if the server reports it.
    pub total: Option<u64>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of failure. Behaviour depends on the kind alone.
    pub kind: FaultKind,
    /// The text for the screen.
    pub text: String,
}

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// 401: the server does not accept the credential.
    Unauthorized,
    /// 403: the user lacks a permission.
    Forbidden,
    /// 404: the API or the object does not exist.
    NotFound,
    /// 410: the resource version is too old, so the list starts again.
    Expired,
    /// 429, or 503 with `Retry-After`: the server asks for a later retry.
    Busy,
    /// Any other 5xx: the server, or an aggregated API behind it, is not available.
    Unavailable,
    /// The connection was refused or reset, TLS failed, or the server did not answer in time.
    NoAnswer,
    /// Any other error: a response that cannot be parsed, or a request that the server rejects.
    Invalid,
}

impl FaultKind {
    /// Whether the server denied the request. Such requests are retried rarely: a permission or an API may be added
    /// later.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Unauthorized | Self::Forbidden | Self::NotFound)
    }

    /// Whether the server had no time for the request, or was not there.
    #[must_use]
    pub const fn is_overload(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::NoAnswer)
    }
}

/// The state of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartState {
    /// No request has succeeded or failed yet.
    Loading {
        /// How much has been loaded, once some has.
        progress: Option<Progress>,
    },
    /// The last request succeeded.
    Live,
    /// Requests succeeded before and fail now. The last data stays on the screen.
    Stale {
        /// Since when requests fail.
        since: Timestamp,
        /// Why the last request failed.
        why: Fault,
        /// When the next request is sent, if that is known.
        retry_at: Option<Timestamp>,
    },
    /// No request has ever succeeded.
    Missing {
        /// Why the last request failed.
        why: Fault,
        /// When the next request is sent, if that is known.
        retry_at: Option<Timestamp>,
    },
}

impl Default for PartState {
    fn default() -> Self {
        Self::Loading { progress: None }
    }
}

/// The outcome of a request for a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So much has been loaded; the rest follows.
    Loading(Progress),
    /// The request succeeded.
    Succeeded,
    /// The request failed.
    Failed {
        /// The cause.
        why: Fault,
        /// When the next request is sent, if that is known.
        retry_at: Option<Timestamp>,
    },
}

impl PartState {
    /// Whether a request has ever succeeded.
    #[must_use]
    pub const fn has_answered(&self) -> bool {
        matches!(self, Self::Live | Self::Stale { .. })
    }

    /// Why the last request failed, and when the next one is sent. `None` if it did not fail.
    #[must_use]
    pub const fn failure(&self) -> Option<(&Fault, Option<Timestamp>)> {
        match self {
            Self::Stale { why, retry_at, .. } | Self::Missing { why, retry_at } => {
                Some((why, *retry_at))
            }
            Self::Loading { .. } | Self::Live => None,
        }
    }

    /// Applies the outcome of a request.
    pub(super) fn take(&mut self, outcome: Outcome, now: Timestamp) {
        *self = match (outcome, &*self) {
            (Outcome::Succeeded, _) => Self::Live,
            // A repeated list does not hide data that is on the screen.
            (Outcome::Loading(_), state) if state.has_answered() => return,
            (Outcome::Loading(progress), _) => Self::Loading {
                progress: Some(progress),
            },
            (Outcome::Failed { why, retry_at }, Self::Live) => Self::Stale {
                since: now,
                why,
                retry_at,
            },
            (Outcome::Failed { why, retry_at }, Self::Stale { since, .. }) => Self::Stale {
                since: *since,
                why,
                retry_at,
            },
            (Outcome::Failed { why, retry_at }, _) => Self::Missing { why, retry_at },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str, retry: i64) -> Outcome {
        Outcome::Failed {
            why: Fault {
                kind: FaultKind::Unavailable,
                text: text.to_owned(),
            },
            retry_at: Some(Timestamp::from_secs(retry)),
        }
    }

    #[test]
    fn a_part_that_never_answered_is_missing_and_one_that_did_is_stale() {
        let mut state = PartState::default();
        let at = Timestamp::from_secs;
        state.take(failed("first", 2), at(1));
        assert!(matches!(&state, PartState::Missing { why, .. } if why.text == "first"));
        let progress = Progress {
            done: 500,
            total: Some(700),
        };
        state.take(Outcome::Loading(progress), at(2));
        assert_eq!(
            state,
            PartState::Loading {
                progress: Some(progress)
            }
        );
        state.take(Outcome::Succeeded, at(3));
        assert_eq!(state, PartState::Live);
        state.take(failed("second", 5), at(4));
        state.take(failed("third", 9), at(6));
        let PartState::Stale {
            since,
            why,
            retry_at,
        } = &state
        else {
            panic!("{state:?}")
        };
        assert_eq!(
            (*since, &*why.text, *retry_at),
            (at(4), "third", Some(at(9)))
        );
        // The part is listed again. Its data stays stale until the list is complete.
        state.take(Outcome::Loading(progress), at(7));
        assert!(state.has_answered() && state != PartState::Live);
        state.take(Outcome::Succeeded, at(8));
        assert_eq!(state, PartState::Live);
    }
}
