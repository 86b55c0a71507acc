//! Series of HorizontalPodAutoscalers, as kube-state-metrics has them.

use super::{Family, Out};

/// The state of a HorizontalPodAutoscaler.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hpa {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// `spec.minReplicas`: 1 if it is not set.
    pub(crate) min: i32,
    pub(crate) max: i32,
    pub(crate) current: i32,
    pub(crate) desired: i32,
    /// Types and statuses of its conditions.
    pub(crate) conditions: Vec<(String, String)>,
}

pub(crate) static HPAS: &[Family<Hpa>] = &[
    Family::gauge(
        "kube_horizontalpodautoscaler_spec_min_replicas",
        "The least replicas of the autoscaler's target",
        |it, out| it.write(it.min, out),
    ),
    Family::gauge(
        "kube_horizontalpodautoscaler_spec_max_replicas",
        "The most replicas of the autoscaler's target",
        |it, out| it.write(it.max, out),
    ),
    Family::gauge(
        "kube_horizontalpodautoscaler_status_current_replicas",
        "The replicas of the autoscaler's target",
        |it, out| it.write(it.current, out),
    ),
    Family::gauge(
        "kube_horizontalpodautoscaler_status_desired_replicas",
        "The replicas that the autoscaler has decided for",
        |it, out| it.write(it.desired, out),
    ),
    Family::gauge(
        "kube_horizontalpodautoscaler_status_condition",
        "The conditions of the autoscaler, 1 for the status that each has",
        |it, out| {
            for (condition, has) in &it.conditions {
                for status in ["true", "false", "unknown"] {
                    let labels = [
                        ("condition", &**condition),
                        ("horizontalpodautoscaler", &*it.name),
                        ("namespace", &*it.namespace),
                        ("status", status),
                    ];
                    out(&labels, super::flag(has.eq_ignore_ascii_case(status)));
                }
            }
        },
    ),
];

impl Hpa {
    fn write(&self, value: i32, out: &mut Out<'_>) {
        let labels = [
            ("horizontalpodautoscaler", &*self.name),
            ("namespace", &*self.namespace),
        ];
        out(&labels, f64::from(value));
    }
}
