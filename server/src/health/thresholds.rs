//! The thresholds of health, and the source of each. docs/health.md lists them in tables.

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// A container that has run for this time is healthy again: the kubelet resets its back-off after twice the longest one
/// (`MaxContainerBackOff`, 300 s).
pub(super) const WELL_AFTER: i64 = 600 * SECOND;

/// The time, besides its probe's initial delay, in which a started container may become ready for the first time. Our
/// own choice: slow applications without a startup probe need a minute or two, and their rollout is no incident.
pub(super) const STARTUP_GRACE: i64 = 120 * SECOND;

/// The time in which another watch may explain why a pod is not ready: the conditions of nodes and of pods arrive by
/// two watches, in any order.
pub(super) const UNEXPLAINED: i64 = 30 * SECOND;

/// The time from its creation in which a node may join before it counts as not ready.
pub(super) const NODE_GRACE: i64 = 300 * SECOND;

/// The largest age of a problem at its first sight. The API server stores Events, which would explain it, for an hour.
pub(super) const LOOK_BACK: i64 = 3_600 * SECOND;

/// The span of usage before a termination that is evidence.
pub(super) const BEFORE: i64 = 300 * SECOND;

/// The tolerance between times: Kubernetes has whole seconds, of several clocks.
pub(super) const SLACK: i64 = 2 * SECOND;

/// A container that runs for less time may have no sample: cAdvisor reads an idle cgroup every 15 to 30 s.
pub(super) const UNSAMPLED: i64 = 30 * SECOND;

/// The part of the memory limit above which an unexplained SIGKILL is a likely OOM kill.
pub(super) const NEAR_LIMIT: f64 = 0.9;

/// The time for which an Event is stored for a later incident.
pub(super) const EVENT_RETENTION: i64 = 300 * SECOND;

/// The time after which the cause of a restart is decided: the kubelet's counters have arrived by then.
pub(super) const UNDECIDED: i64 = 180 * SECOND;

/// The time for which an Event waits for its pod. The watch of pods is at most seconds behind that of Events.
pub(super) const UNMATCHED_RETENTION: i64 = 15 * SECOND;

/// The largest number of Events that wait for their pods.
pub(super) const MAX_UNMATCHED: usize = 512;

/// The longest time between two terminations of one crash loop: a container that ran for [`WELL_AFTER`] is healthy, and
/// the kubelet's back-off is at most 300 s (`MaxContainerBackOff`).
pub(super) const LOOP_GAP: i64 = WELL_AFTER + 300 * SECOND;

/// The time in which a restored pod must appear. A pod that does not has been deleted.
pub(super) const RESTORE_TIMEOUT: i64 = 120 * SECOND;
