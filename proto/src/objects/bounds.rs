//! Requests and limits during a resize in place (KEP-1287): the bounds in force, and those that the scheduler counts.
//!
//! A resize changes the spec at once. The kubelet reports the bounds in force in `status.containerStatuses[].resources`
//! and what it has reserved in `allocatedResources`. For the pod as a whole it reports them in `status.resources` and
//! `status.allocatedResources`. Only CPU and memory can be resized.

use super::resources::{Resources, WireRequirements, WireResources, amounts};
use crate::units::{Bytes, Nanocores};
use crate::vitals::ResizeState;

/// The request and the limit of one resource; `None` if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bound<T> {
    /// The request.
    pub request: Option<T>,
    /// The limit.
    pub limit: Option<T>,
}

/// Requests and limits of a container, or of a pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    /// CPU.
    pub cpu: Bound<Nanocores>,
    /// Memory.
    pub memory: Bound<Bytes>,
}

/// The resources in the status of a container, or of a pod as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reported {
    /// `resources`: what is in force.
    pub actual: Bounds,
    /// `allocatedResources.cpu`.
    pub allocated_cpu: Option<Nanocores>,
    /// `allocatedResources.memory`.
    pub allocated_memory: Option<Bytes>,
}

impl Reported {
    /// From `resources` and `allocatedResources`.
    pub(super) fn new(
        actual: Option<&WireRequirements>,
        allocated: Option<&WireResources>,
    ) -> Self {
        let allocated = amounts(allocated);
        Self {
            actual: Bounds::new(
                amounts(actual.and_then(|it| it.requests.as_ref())),
                amounts(actual.and_then(|it| it.limits.as_ref())),
            ),
            allocated_cpu: allocated.cpu,
            allocated_memory: allocated.memory,
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

impl<T: Copy + Ord> Bound<T> {
    /// The bound in force. If the status has no bound of the resource, the spec applies. A request without a limit means
    /// that there is no limit.
    fn in_force(self, actual: Self, allocated: Option<T>) -> Self {
        let reported = actual.request.is_some() || actual.limit.is_some();
        Self {
            request: actual.request.or(allocated).or(self.request),
            limit: if reported { actual.limit } else { self.limit },
        }
    }

    fn max(self, other: Self) -> Self {
        // `None` is less than any amount.
        Self {
            request: self.request.max(other.request),
            limit: self.limit.max(other.limit),
        }
    }

    /// The request and the limit, each only if `spec` has one.
    fn where_set(self, spec: Self) -> Self {
        Self {
            request: self.request.filter(|_| spec.request.is_some()),
            limit: self.limit.filter(|_| spec.limit.is_some()),
        }
    }

    fn differs(self, other: Self, differ: impl Fn(T, T) -> bool) -> bool {
        let differs = |one: Option<T>, other: Option<T>| match (one, other) {
            (Some(one), Some(other)) => differ(one, other),
            (one, other) => one.is_some() != other.is_some(),
        };
        differs(self.request, other.request) || differs(self.limit, other.limit)
    }
}

impl Bounds {
    /// The CPU and memory of `requests` and `limits`.
    pub(super) fn new(requests: Resources, limits: Resources) -> Self {
        Self {
            cpu: Bound {
                request: requests.cpu,
                limit: limits.cpu,
            },
            memory: Bound {
                request: requests.memory,
                limit: limits.memory,
            },
        }
    }

    /// The bounds in force of a container with this spec.
    #[must_use]
    pub(super) fn in_force(self, reported: &Reported) -> Self {
        let mut memory = self
            .memory
            .in_force(reported.actual.memory, reported.allocated_memory);
        memory.limit = memory.limit.filter(|limit| *limit < UNLIMITED);
        Self {
            cpu: self
                .cpu
                .in_force(reported.actual.cpu, reported.allocated_cpu),
            memory,
        }
    }

    /// The bounds in force of a pod as a whole with this `spec.resources`. The status also has the sums of the containers,
    /// which are no bounds of the pod: only bounds that the spec has count.
    #[must_use]
    pub(super) fn in_force_of_pod(self, reported: &Reported) -> Self {
        let all = self.in_force(reported);
        Self {
            cpu: all.cpu.where_set(self.cpu),
            memory: all.memory.where_set(self.memory),
        }
    }

    /// The bounds that the scheduler counts, and `kubectl describe node` adds up: the largest of spec, actual and
    /// allocated resources, without the spec if the node can never grant it. `in_force` are the bounds in force.
    ///
    /// `PodRequests` and `PodLimits` of k8s.io/component-helpers/resource with `UseStatusResources`.
    #[must_use]
    pub(super) fn counted(self, in_force: Self, reported: &Reported, state: ResizeState) -> Self {
        // The status of a pod without a request of its own has the sum of its containers as allocated.
        let allocated = Self {
            cpu: Bound {
                request: reported
                    .allocated_cpu
                    .filter(|_| in_force.cpu.request.is_some()),
                limit: None,
            },
            memory: Bound {
                request: reported
                    .allocated_memory
                    .filter(|_| in_force.memory.request.is_some()),
                limit: None,
            },
        };
        let spec = match state {
            ResizeState::Infeasible => Self::default(),
            _ => self,
        };
        Self {
            cpu: spec.cpu.max(in_force.cpu).max(allocated.cpu),
            memory: spec.memory.max(in_force.memory).max(allocated.memory),
        }
    }

    /// Whether they differ by more than rounding.
    #[must_use]
    pub(super) fn differs(self, other: Self) -> bool {
        let cpu = |one: Nanocores, other: Nanocores| one.0.abs_diff(other.0) >= MILLICORE;
        let memory = |one: Bytes, other: Bytes| one.0.abs_diff(other.0) >= PAGE;
        self.cpu.differs(other.cpu, cpu) || self.memory.differs(other.memory, memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(request: impl Into<Option<u64>>, limit: impl Into<Option<u64>>) -> Bounds {
        let (request, limit) = (request.into(), limit.into());
        Bounds {
            cpu: Bound {
                request: request.map(|cores| Nanocores(cores * 1_000 * MILLICORE)),
                limit: limit.map(|cores| Nanocores(cores * 1_000 * MILLICORE)),
            },
            memory: Bound {
                request: request.map(|gib| Bytes(gib << 30)),
                limit: limit.map(|gib| Bytes(gib << 30)),
            },
        }
    }

    fn reported(actual: Bounds, allocated: impl Into<Option<u64>>) -> Reported {
        let allocated = bounds(allocated, None);
        Reported {
            actual,
            allocated_cpu: allocated.cpu.request,
            allocated_memory: allocated.memory.request,
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
        actual.memory = Bound::default();
        let in_force = bounds(4, 8).in_force(&reported(actual, None));
        assert_eq!(in_force.cpu, bounds(1, 2).cpu);
        assert_eq!(in_force.memory, bounds(4, 8).memory);
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
        actual.memory.limit = Some(Bytes(9_007_199_254_740_988 << 10));
        let in_force = bounds(1, 2).in_force(&reported(actual, 1));
        assert_eq!(in_force.memory.limit, None);
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
        rounded.memory.limit = Some(Bytes((8 << 30) - 4096));
        assert!(!spec.differs(rounded));
        rounded.cpu.request = Some(Nanocores(3_999 * MILLICORE));
        assert!(spec.differs(rounded));
        assert!(spec.differs(bounds(4, None)));
    }
}
