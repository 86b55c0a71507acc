//! Requests and limits during a resize in place (KEP-1287): the bounds in force, and those that the scheduler counts.
//!
//! A resize changes the spec at once. The kubelet reports the bounds in force in `status.containerStatuses[].resources`
//! and what it has reserved in `allocatedResources`. For the pod as a whole it reports them in `status.resources` and
//! `status.allocatedResources`. Only CPU and memory can be resized.

use super::resources::{Resources, WireRequirements, WireResources, amounts};
use crate::units::Bytes;
use crate::vitals::ResizeState;

/// Requests and limits of a container, or of a pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    /// The requests.
    pub requests: Resources,
    /// The limits.
    pub limits: Resources,
}

/// The CPU and memory in the status of a container, or of a pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reported {
    /// `resources`: the bounds in force.
    pub actual: Bounds,
    /// `allocatedResources`: the requests that the kubelet has reserved.
    pub allocated: Resources,
}

impl Reported {
    /// From `resources` and `allocatedResources`.
    pub(super) fn new(
        actual: Option<&WireRequirements>,
        allocated: Option<&WireResources>,
    ) -> Self {
        let resizable = |list: Option<&WireResources>| Resources {
            ephemeral: None,
            gpus: None,
            ..amounts(list)
        };
        Self {
            actual: Bounds {
                requests: resizable(actual.and_then(|it| it.requests.as_ref())),
                limits: resizable(actual.and_then(|it| it.limits.as_ref())),
            },
            allocated: resizable(allocated),
        }
    }
}

/// The largest page of any platform, in bytes: runtimes round memory limits to pages.
const PAGE: u64 = 64 << 10;

/// A memory limit of this size or more means no limit. The status of a cgroup without a limit has the largest 63-bit
/// number, rounded down to a page.
const UNLIMITED: Bytes = Bytes(i64::MAX.unsigned_abs() & !(PAGE - 1));

/// One millicore: there is no smaller amount of CPU in a spec.
const MILLICORE: u64 = 1_000_000;

impl Bounds {
    /// The bounds in force of a container with this spec. If the status has no bound of a resource, the spec applies. A
    /// request without a limit means that there is no limit.
    #[must_use]
    pub(super) fn in_force(self, reported: &Reported) -> Self {
        let Bounds { requests, limits } = reported.actual;
        let mut limits = limits.or(self.limits.where_unset(requests));
        limits.memory = limits.memory.filter(|limit| *limit < UNLIMITED);
        Self {
            requests: requests.or(reported.allocated).or(self.requests),
            limits,
        }
    }

    /// The bounds in force of a pod as a whole with this `spec.resources`. The status also has the sums of the containers,
    /// which are no bounds of the pod: only bounds that the spec has count.
    #[must_use]
    pub(super) fn in_force_of_pod(self, reported: &Reported) -> Self {
        let all = self.in_force(reported);
        Self {
            requests: all.requests.where_set(self.requests),
            limits: all.limits.where_set(self.limits),
        }
    }

    /// The bounds that the scheduler counts, and `kubectl describe node` adds up: the largest of spec, actual and
    /// allocated resources, without the spec if the node can never grant it. `in_force` are the bounds in force.
    ///
    /// `PodRequests` and `PodLimits` of k8s.io/component-helpers/resource with `UseStatusResources`.
    #[must_use]
    pub(super) fn counted(self, in_force: Self, reported: &Reported, state: ResizeState) -> Self {
        // The status of a pod without a request of its own has the sum of its containers as allocated.
        let allocated = reported.allocated.where_set(in_force.requests);
        let spec = match state {
            ResizeState::Infeasible => Self::default(),
            _ => self,
        };
        Self {
            requests: spec.requests.max(in_force.requests).max(allocated),
            limits: spec.limits.max(in_force.limits),
        }
    }

    /// Whether they differ by more than rounding.
    #[must_use]
    pub(super) fn differs(self, other: Self) -> bool {
        let differ = |one: Option<u64>, other: Option<u64>, least| match (one, other) {
            (Some(one), Some(other)) => one.abs_diff(other) >= least,
            (one, other) => one.is_some() != other.is_some(),
        };
        let pairs = [(self.requests, other.requests), (self.limits, other.limits)];
        pairs.into_iter().any(|(one, other)| {
            differ(one.cpu.map(|it| it.0), other.cpu.map(|it| it.0), MILLICORE)
                || differ(one.memory.map(|it| it.0), other.memory.map(|it| it.0), PAGE)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanocores;

    /// So many cores and GiB.
    fn bounds(request: impl Into<Option<u64>>, limit: impl Into<Option<u64>>) -> Bounds {
        let resources = |amount: Option<u64>| Resources {
            cpu: amount.map(|cores| Nanocores(cores * 1_000 * MILLICORE)),
            memory: amount.map(|gib| Bytes(gib << 30)),
            ..Resources::default()
        };
        Bounds {
            requests: resources(request.into()),
            limits: resources(limit.into()),
        }
    }

    fn reported(actual: Bounds, allocated: impl Into<Option<u64>>) -> Reported {
        Reported {
            actual,
            allocated: bounds(allocated, None).requests,
        }
    }

    #[test]
    fn the_status_applies_where_it_reports_a_resource() {
        let spec = bounds(4, 8);
        for (actual, allocated, expected) in [
            (bounds(None, None), None, spec),
            (bounds(1, 2), Some(1), bounds(1, 2)),
            // The kubelet has reserved it, and not applied it yet.
            (bounds(1, 2), Some(4), bounds(1, 2)),
            (bounds(None, None), Some(1), bounds(1, 8)),
            // A limit is being added.
            (bounds(1, None), None, bounds(1, None)),
            (bounds(None, 2), None, bounds(4, 2)),
        ] {
            let reported = reported(actual, allocated);
            assert_eq!(spec.in_force(&reported), expected, "{actual:?}");
        }
        // A limit is being removed.
        let reported = reported(bounds(4, 8), 4);
        assert_eq!(bounds(4, None).in_force(&reported), bounds(4, 8));
    }

    #[test]
    fn a_resource_that_the_status_lacks_is_as_the_spec_has_it() {
        let mut actual = bounds(1, 2);
        (actual.requests.memory, actual.limits.memory) = (None, None);
        let Bounds { requests, limits } = bounds(4, 8).in_force(&reported(actual, None));
        let (status, spec) = (bounds(1, 2), bounds(4, 8));
        assert_eq!(
            (requests.cpu, limits.cpu),
            (status.requests.cpu, status.limits.cpu)
        );
        assert_eq!(
            (requests.memory, limits.memory),
            (spec.requests.memory, spec.limits.memory)
        );
    }

    #[test]
    fn sums_of_containers_are_no_bounds_of_the_pod() {
        let status = reported(bounds(1, 2), 1);
        let none = Bounds::default();
        assert_eq!(none.in_force_of_pod(&status), none);
        assert_eq!(none.counted(none, &status, ResizeState::Pending), none);
        assert_eq!(bounds(4, None).in_force_of_pod(&status), bounds(1, None));
        assert_eq!(bounds(4, 8).in_force_of_pod(&status), bounds(1, 2));
    }

    #[test]
    fn a_cgroup_without_a_limit_has_none() {
        let mut actual = bounds(1, 2);
        // As Kubernetes 1.36 writes it: 9007199254740988Ki.
        actual.limits.memory = Some(Bytes(9_007_199_254_740_988 << 10));
        let in_force = bounds(1, 2).in_force(&reported(actual, 1));
        assert_eq!(in_force.limits.memory, None);
    }

    #[test]
    fn the_scheduler_counts_the_largest_but_nothing_infeasible() {
        use ResizeState::{Deferred, Error, InProgress, Infeasible, Pending};
        let counted = |spec: Bounds, actual, allocated: Option<u64>, state| {
            let reported = reported(actual, allocated);
            spec.counted(spec.in_force(&reported), &reported, state)
        };
        let up = bounds(4, 8);
        for state in [Pending, Deferred, InProgress, Error] {
            assert_eq!(counted(up, bounds(1, 2), Some(1), state), up);
        }
        assert_eq!(counted(up, bounds(1, 2), Some(1), Infeasible), bounds(1, 2));
        assert_eq!(counted(up, bounds(1, 2), Some(3), Infeasible), bounds(3, 2));
        let down = bounds(1, 2);
        assert_eq!(
            counted(down, bounds(4, 8), Some(1), InProgress),
            bounds(4, 8)
        );
        // Without a status there is nothing but the spec.
        assert_eq!(counted(up, Bounds::default(), None, Infeasible), up);
    }

    #[test]
    fn rounding_is_no_difference() {
        let spec = bounds(4, 8);
        let mut rounded = spec;
        rounded.limits.memory = Some(Bytes((8 << 30) - 4096));
        assert!(!spec.differs(rounded));
        rounded.requests.cpu = Some(Nanocores(3_999 * MILLICORE));
        assert!(spec.differs(rounded));
        assert!(spec.differs(bounds(4, None)));
    }
}
