//! Resizes in place: the requests and limits that are in force while the spec has others.

use std::sync::Arc;

use crate::vitals::ResizeState;

use super::bounds::Reported;
use super::condition::WireCondition;
use super::pools::Pools;
use super::resources::Resources;
use super::template::PodTemplate;
use super::text;

/// A resize in place that the node has not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    /// The progress.
    pub state: ResizeState,
    /// The kubelet's message.
    pub message: Option<Box<str>>,
    /// The start of this state, in seconds since the epoch; zero if unknown.
    pub since_seconds: u32,
    /// The pod's spec with the requests and limits in force.
    pub in_force: Arc<PodTemplate>,
    /// The requests that the scheduler counts for the pod.
    pub requests: Resources,
    /// The limits that `kubectl describe node` adds up for the pod.
    pub limits: Resources,
}

impl Resize {
    /// The resize that a pod's status reports; `None` if it is complete. `containers` are the statuses of the
    /// template's containers in its order, `pod` that of the pod as a whole.
    ///
    /// The kubelet reports the progress in the conditions `PodResizePending` and `PodResizeInProgress`. Before the kubelet
    /// has received the new spec there is no condition, but the spec differs from the bounds in force.
    pub(super) fn of<'a>(
        template: &PodTemplate,
        containers: &[Reported],
        pod: &Reported,
        conditions: impl Iterator<Item = &'a WireCondition>,
        pools: &Pools,
    ) -> Option<Self> {
        let condition =
            ResizeState::of_conditions(conditions, |it| (&it.kind, &it.status, &it.reason));
        let state = condition.map_or(ResizeState::Pending, |(state, _)| state);
        let of_pod = template.bounds();
        let has = of_pod.in_force_of_pod(pod);
        let differs = || {
            let mut each = template.containers.iter().zip(containers);
            has.differs(of_pod)
                || each.any(|(spec, reported)| {
                    let spec = spec.bounds();
                    spec.in_force(reported).differs(spec)
                })
        };
        if condition.is_none() && !differs() {
            return None;
        }
        let (mut in_force, mut counted) = (template.clone(), template.clone());
        in_force.set(has);
        counted.set(of_pod.counted(has, pod, state));
        let each = in_force.containers.iter_mut().zip(&mut counted.containers);
        for ((in_force, counted), reported) in each.zip(containers) {
            let spec = in_force.bounds();
            let has = spec.in_force(reported);
            in_force.set(has);
            counted.set(spec.counted(has, reported, state));
        }
        Some(Self {
            state,
            message: condition.and_then(|(_, it)| text::message(it.message.clone())),
            since_seconds: condition.map_or(0, |(_, it)| it.last_transition_time.seconds()),
            requests: counted.requests(),
            limits: counted.limits(),
            in_force: pools.templates.share(Arc::new(in_force)),
        })
    }

    /// The memory in bytes, without the template, which may be shared.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.message.as_deref().map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use crate::units::{Bytes, Nanocores};
    use serde_json::{Value, json};

    use super::super::Pod;
    use super::super::pod::tests::convert;
    use super::*;

    fn pod(spec: Value, status: Value) -> Pod {
        let metadata = json!({"namespace": "shop", "name": "web-1"});
        convert(json!({"metadata": metadata, "spec": spec, "status": status}))
    }

    fn cpu(request: &str) -> Value {
        json!({"requests": {"cpu": request}})
    }

    fn deferred() -> Value {
        json!([{"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "not now",
            "lastTransitionTime": "1970-01-01T00:00:07Z"}])
    }

    fn cores(resources: Resources) -> Option<f64> {
        resources.cpu.map(|cpu| cpu.0 as f64 / 1e9)
    }

    #[test]
    fn a_pod_whose_spec_is_in_force_has_no_resize() {
        for status in [
            json!({}),
            json!({"containerStatuses": [{"name": "a"}]}),
            json!({"containerStatuses": [{"name": "a", "resources": {}}]}),
            json!({"containerStatuses": [{"name": "a", "resources": cpu("4"), "allocatedResources": {"cpu": "4"}}]}),
            json!({"containerStatuses": [{"name": "a", "resources": 7, "allocatedResources": "x"}], "resources": []}),
            // As Kubernetes 1.36 writes of every pod.
            json!({"containerStatuses": [{"name": "a", "resources": cpu("4")}], "allocatedResources": {"cpu": "4"},
                "resources": {"requests": {"cpu": "4"}, "limits": {"memory": "9007199254740988Ki"}}}),
        ] {
            let pod = pod(
                json!({"containers": [{"name": "a", "resources": cpu("4")}]}),
                status.clone(),
            );
            assert_eq!(pod.resize(), None, "{status}");
            assert!(pod.details.is_none(), "{status}");
        }
    }

    #[test]
    fn a_condition_alone_is_a_resize() {
        let pod = pod(
            json!({"containers": [{"name": "a", "resources": cpu("4")}]}),
            json!({"conditions": deferred()}),
        );
        let resize = pod.resize().unwrap();
        assert_eq!(resize.state, ResizeState::Deferred);
        assert_eq!(resize.message.as_deref(), Some("not now"));
        assert_eq!(resize.since_seconds, 7);
        assert!(pod.bytes() > 112 + 32 + size_of::<Resize>());
    }

    /// Sidecar and init containers count by the scheduler's rule, with what each has; an init container that is not
    /// restarted has no status of its resources.
    #[test]
    fn resources_in_force_are_summed_like_the_spec() {
        let spec = json!({
            "overhead": {"cpu": "500m"},
            "initContainers": [{"name": "init", "resources": cpu("3")},
                {"name": "proxy", "restartPolicy": "Always", "resources": cpu("4")}],
            "containers": [{"name": "a", "resources": cpu("4")}, {"name": "new", "resources": cpu("2")}],
        });
        let status = |conditions: Value| {
            json!({
                "conditions": conditions,
                "initContainerStatuses": [{"name": "proxy", "resources": cpu("1"), "allocatedResources": {"cpu": "2"}},
                    {"name": "init"}],
                "containerStatuses": [{"name": "a", "resources": cpu("1"), "allocatedResources": {"cpu": "1"}}],
            })
        };
        let waiting = pod(spec.clone(), status(deferred()));
        assert_eq!(
            cores(waiting.in_force().requests()),
            Some(1.0 + 1.0 + 2.0 + 0.5)
        );
        assert_eq!(
            cores(waiting.template.requests()),
            Some(4.0 + 4.0 + 2.0 + 0.5)
        );
        assert_eq!(cores(waiting.resize().unwrap().requests), Some(10.5));
        let container = waiting.container("proxy").unwrap().0;
        assert_eq!(cores(container.requests), Some(1.0));
        assert_eq!(
            cores(waiting.container("new").unwrap().0.requests),
            Some(2.0)
        );

        let mut infeasible = deferred();
        infeasible[0]["reason"] = "Infeasible".into();
        let infeasible = pod(spec, status(infeasible));
        let counted = infeasible.resize().unwrap().requests;
        assert_eq!(cores(counted), Some(2.0 + 1.0 + 2.0 + 0.5), "allocated");
    }

    #[test]
    fn a_limit_that_is_added_or_removed_is_pending() {
        let limit =
            |memory: &str| json!({"requests": {"memory": "1Gi"}, "limits": {"memory": memory}});
        let none = json!({"requests": {"memory": "1Gi"}});
        let pod = |spec: Value, actual: Value| {
            pod(
                json!({"containers": [{"name": "a", "resources": spec}]}),
                json!({"containerStatuses": [{"name": "a", "resources": actual}]}),
            )
        };
        let added = pod(limit("2Gi"), none.clone());
        assert_eq!(added.resize().unwrap().state, ResizeState::Pending);
        assert_eq!(added.in_force().bound().memory, None);
        assert_eq!(added.resize().unwrap().limits.memory, Some(Bytes(2 << 30)));
        let removed = pod(none, limit("2Gi"));
        assert_eq!(removed.in_force().bound().memory, Some(Bytes(2 << 30)));
        assert_eq!(removed.template.bound().memory, None);
    }

    #[test]
    fn a_pod_as_a_whole_is_resized_too() {
        let spec = json!({
            "resources": {"requests": {"cpu": "4"}, "limits": {"cpu": "8"}}, "overhead": {"cpu": "1"},
            "containers": [{"name": "a", "resources": {"requests": {"memory": "1Gi"}}}],
        });
        let status = |reason: &str| {
            json!({
                "conditions": [{"type": "PodResizePending", "status": "True", "reason": reason}],
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "9007199254740988Ki"}},
                "allocatedResources": {"cpu": "1", "memory": "1Gi"},
                "containerStatuses": [{"name": "a", "resources": {"requests": {"memory": "1Gi"}}}],
            })
        };
        for (reason, counted) in [("Deferred", 5), ("Infeasible", 2)] {
            let pod = pod(spec.clone(), status(reason));
            assert_eq!(cores(pod.in_force().requests()), Some(2.0));
            assert_eq!(pod.in_force().bound().cpu, Some(Nanocores(3_000_000_000)));
            assert_eq!(pod.in_force().bound().memory, None);
            let resize = pod.resize().unwrap();
            assert_eq!(
                resize.requests.cpu,
                Some(Nanocores(counted * 1_000_000_000))
            );
            assert_eq!(resize.requests.memory, Some(Bytes(1 << 30)));
        }
    }

    #[test]
    fn a_finished_pod_has_no_resources_in_force() {
        for phase in ["Succeeded", "Failed"] {
            let pod = pod(
                json!({"containers": [{"name": "a", "resources": cpu("4")}]}),
                json!({"phase": phase, "conditions": deferred(),
                    "containerStatuses": [{"name": "a", "resources": cpu("1")}]}),
            );
            assert_eq!(pod.resize(), None);
        }
    }

    #[test]
    fn pods_that_are_resized_alike_share_what_is_in_force() {
        let pools = Pools::default();
        let one = |name: &str| {
            let pod: super::super::pod::WirePod = serde_json::from_value(json!({
                "metadata": {"namespace": "shop", "name": name},
                "spec": {"containers": [{"name": "a", "resources": cpu("4")}]},
                "status": {"containerStatuses": [{"name": "a", "resources": cpu("1")}]},
            }))
            .unwrap();
            pod.convert(&pools).unwrap()
        };
        let (a, b) = (one("a"), one("b"));
        let in_force = |pod: &Pod| Arc::clone(&pod.resize().unwrap().in_force);
        assert!(Arc::ptr_eq(&in_force(&a), &in_force(&b)));
    }
}
