//! The numbers by which health is judged, and where each comes from. docs/health.md has them in tables.

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// A container that has run for so long is well again: the kubelet forgets its back-off after twice the longest one
/// (`MaxContainerBackOff`, 300 s).
pub(super) const WELL_AFTER: i64 = 600 * SECOND;

/// A container that has never been ready since it started has so long, and its probe's initial delay, before its
/// failing readiness probe counts. Ours: what starts slowly without a startup probe takes a minute or two, and a
/// rollout of it is nothing that went wrong.
pub(super) const STARTUP_GRACE: i64 = 120 * SECOND;

/// A pod that is not ready for no reason that is known has so long for one to be told: the node's condition and the
/// pod's come by two watches, in any order.
pub(super) const UNEXPLAINED: i64 = 30 * SECOND;

/// A node that is not ready when it is first seen may be about to join; it has so long from its creation.
pub(super) const NODE_GRACE: i64 = 300 * SECOND;

/// What happened longer ago when it is first seen is not told: events, which would explain it, are kept for an hour.
pub(super) const LOOK_BACK: i64 = 3_600 * SECOND;

/// How much of the time before an end is looked at.
pub(super) const BEFORE: i64 = 300 * SECOND;

/// Kubernetes' times are whole seconds, of several clocks.
pub(super) const SLACK: i64 = 2 * SECOND;

/// A container that lived no longer than this may never have been sampled: cAdvisor looks at an idle cgroup every 15
/// to 30 s.
pub(super) const UNSAMPLED: i64 = 30 * SECOND;

/// Memory at so much of its limit makes a SIGKILL that nobody explains a likely OOM kill.
pub(super) const NEAR_LIMIT: f64 = 0.9;

/// How long an event is kept for an incident that may still come.
pub(super) const EVENT_RETENTION: i64 = 300 * SECOND;

/// A container whose restarts are undecided is so once the kubelet's counters have had time to tell.
pub(super) const UNDECIDED: i64 = 180 * SECOND;

/// How long an event waits for its pod. The watch of pods is seconds behind that of events at most.
pub(super) const UNMATCHED_RETENTION: i64 = 15 * SECOND;

/// Events that wait for their pods at most.
pub(super) const MAX_UNMATCHED: usize = 512;

/// Ends of one crash loop are no further apart than this: a container that ran for [`WELL_AFTER`] is well, and the
/// kubelet waits for 300 s at most (`MaxContainerBackOff`) before it starts one again.
pub(super) const LOOP_GAP: i64 = WELL_AFTER + 300 * SECOND;
