//! Resizes in place: the requests and limits in force, and the desired ones.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::resize::{Bounds, Reported};
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::ResizeState;

use super::{Asked, ContainerSpec, Resources, SlimPod};
use crate::model::row::{self, Phase, Resize};
use crate::model::{Name, Names};

impl Asked {
    pub(super) fn nanocores(self) -> Option<Nanocores> {
        self.cpu.map(Quantity::to_nanocores)
    }

    pub(super) fn bytes(self) -> Option<Bytes> {
        self.memory.map(Quantity::to_bytes)
    }
}

fn reported(actual: Resources, allocated: Asked) -> Reported {
    Reported {
        actual: actual.into(),
        allocated_cpu: allocated.nanocores(),
        allocated_memory: allocated.bytes(),
    }
}

impl SlimPod {
    /// What the kubelet reports of a container.
    fn reported(&self, spec: &ContainerSpec) -> Reported {
        let status = self.status_of(&spec.name);
        status.map_or_else(Reported::default, |status| {
            reported(status.resources, status.allocated_resources)
        })
    }

    /// The bounds in force of a container. Of a pod that is over nothing is in force.
    pub(super) fn in_force(&self, spec: &ContainerSpec) -> Bounds {
        let desired = Bounds::from(spec.resources);
        if Phase::from_word(&self.status.phase).is_over() {
            desired
        } else {
            desired.in_force(&self.reported(spec))
        }
    }

    /// What the pod has, and its resize in place if that is not complete.
    pub(super) fn bounds(&self, names: &Names) -> (row::Bounds, Option<Box<Resize>>) {
        let desired_of_pod = Bounds::from(self.spec.resources);
        let desired = || self.together(desired_of_pod, |spec| spec.resources.into());
        if Phase::from_word(&self.status.phase).is_over() {
            return (desired(), None);
        }
        let of_pod = reported(self.status.resources, self.status.allocated_resources);
        let has_of_pod = desired_of_pod.in_force_of_pod(&of_pod);
        let condition = ResizeState::of_conditions(&self.status.conditions, |it| {
            (&it.r#type, &it.status, &it.reason)
        });
        let resized = |spec: &ContainerSpec| {
            let desired = Bounds::from(spec.resources);
            self.in_force(spec).differs(desired).then_some(desired)
        };
        let containers: Box<[(Name, row::Bounds)]> = self
            .containers()
            .filter_map(|(spec, _)| Some((names.intern(&spec.name), resized(spec)?.into())))
            .collect();
        let has = self.together(has_of_pod, |spec| self.in_force(spec));
        if condition.is_none() && containers.is_empty() && !has_of_pod.differs(desired_of_pod) {
            return (has, None);
        }
        let state = condition.map_or(ResizeState::Pending, |(state, _)| state);
        let counted = self.together(desired_of_pod.counted(has_of_pod, &of_pod, state), |spec| {
            let desired = Bounds::from(spec.resources);
            desired.counted(self.in_force(spec), &self.reported(spec), state)
        });
        let resize = Resize {
            state,
            message: condition.map_or_else(Box::default, |(_, it)| it.message.as_str().into()),
            desired: desired(),
            counted: Some(counted),
            containers,
        };
        (has, Some(Box::new(resize)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::pod;
    use crate::model::row::{PodRow, Rollup};
    use crate::model::{Field, Names, Row as _};

    fn row(spec: Value, status: Value) -> PodRow {
        let json = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": spec, "status": status});
        let now = "2026-11-21T05:10:00Z".parse().unwrap();
        pod(&json.to_string()).row(&Names::default(), now).unwrap()
    }

    fn cpu(request: &str) -> Value {
        json!({"requests": {"cpu": request}, "limits": {"cpu": request}})
    }

    fn cores(cpu: crate::model::Cpu) -> Option<f64> {
        cpu.number().map(|nanocores| nanocores / 1e9)
    }

    fn resized(conditions: Value) -> PodRow {
        row(
            json!({"containers": [{"name": "app", "resources": cpu("4")}]}),
            json!({"phase": "Running", "conditions": conditions, "containerStatuses": [
                {"name": "app", "resources": cpu("1"), "allocatedResources": {"cpu": "1"}}]}),
        )
    }

    #[test]
    fn a_resize_is_shown_beside_what_is_in_force() {
        let condition = |kind: &str, reason: &str| json!([{"type": kind, "status": "True", "reason": reason, "message": "why"}]);
        for (conditions, state, counted) in [
            (json!([]), "Pending", 4.0),
            (condition("PodResizePending", "Deferred"), "Deferred", 4.0),
            (
                condition("PodResizePending", "Infeasible"),
                "Infeasible",
                1.0,
            ),
            (condition("PodResizeInProgress", ""), "InProgress", 4.0),
            (condition("PodResizeInProgress", "Error"), "Error", 4.0),
        ] {
            let row = resized(conditions);
            assert_eq!(cores(row.requests.cpu), Some(1.0), "{state}");
            assert_eq!(cores(row.limits.cpu), Some(1.0), "{state}");
            assert_eq!(cores(row.containers[0].limits.cpu), Some(1.0), "{state}");
            assert_eq!(
                row.text(Field::Resize, row.created().unwrap_or_default())
                    .unwrap(),
                state
            );
            let resize = row.resize.as_deref().unwrap();
            assert_eq!(cores(resize.desired.requests.cpu), Some(4.0), "{state}");
            let of_container = resize.of(&row.containers[0]).unwrap();
            assert_eq!(cores(of_container.limits.cpu), Some(4.0), "{state}");
            let mut node = Rollup::default();
            node.add_counted(&row);
            assert_eq!(cores(node.requests.cpu), Some(counted), "{state}");
            let mut namespace = Rollup::default();
            namespace.add(&row);
            assert_eq!(cores(namespace.requests.cpu), Some(1.0), "{state}");
        }
    }

    #[test]
    fn a_pod_as_a_whole_and_its_overhead_count() {
        let row = row(
            json!({"overhead": {"cpu": "500m"}, "resources": cpu("4"),
                "containers": [{"name": "app", "resources": cpu("1")}]}),
            json!({"phase": "Running", "resources": cpu("2"), "allocatedResources": {"cpu": "2"}}),
        );
        assert_eq!(cores(row.requests.cpu), Some(2.5));
        assert_eq!(cores(row.limits.cpu), Some(2.5));
        assert_eq!(cores(row.counted().requests.cpu), Some(4.5));
        assert!(row.resize.unwrap().containers.is_empty());
    }

    #[test]
    fn a_pod_that_is_over_or_has_what_it_asks_for_is_not_resized() {
        let spec = json!({"containers": [{"name": "app", "resources": cpu("4")}]});
        for status in [
            json!({"phase": "Running"}),
            json!({"phase": "Running", "containerStatuses": [{"name": "app", "resources": cpu("4")}]}),
            json!({"phase": "Failed", "containerStatuses": [{"name": "app", "resources": cpu("1")}],
                "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]}),
        ] {
            let row = row(spec.clone(), status);
            assert_eq!(row.resize, None);
            assert_eq!(cores(row.requests.cpu), Some(4.0));
        }
    }
}
