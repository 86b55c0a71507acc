//! Pods without a value.

use super::no_value::NoValue;
use crate::cluster::Pod;
use crate::pod_metrics::Absence;

/// Of pods whose values become one: how many have none, and how many of these should have one.
#[derive(Debug, Default)]
pub(super) struct Absences {
    pods: usize,
    missed: usize,
    first: Option<(String, Absence)>,
}

impl Absences {
    /// Counts a pod that has a value.
    pub(super) fn present(&mut self) {
        self.pods += 1;
    }

    /// Counts a pod that has none. One that should have one comes first.
    pub(super) fn absent(&mut self, pod: &Pod, absence: Absence, should_have: bool) {
        self.pods += 1;
        if self.first.is_none() || (should_have && self.missed == 0) {
            self.first = Some((pod.key.name.to_string(), absence));
        }
        self.missed += usize::from(should_have);
    }

    /// What is made of the pods that have a value.
    ///
    /// # Errors
    /// There is none, or it lacks pods.
    pub(super) fn judge<T>(self, made: Option<T>) -> Result<T, NoValue> {
        let Self {
            pods,
            missed,
            first,
        } = self;
        match (made, first) {
            (Some(_), Some((first, absence))) if missed > 0 => Err(NoValue::Partial {
                missed,
                pods,
                first,
                absence,
            }),
            (Some(made), _) => Ok(made),
            (None, Some((first, absence))) => Err(NoValue::OfPods {
                pods,
                first,
                absence,
            }),
            (None, None) => Err(NoValue::NoPods),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::testing::Reader;

    fn pod(name: &str) -> Arc<Pod> {
        let metadata = json!({"namespace": "shop", "name": name, "uid": name});
        Reader::default().pod(json!({"metadata": metadata}))
    }

    /// What is made of pods: `+` has a value, `-` should have one, `.` need not.
    fn judge(pods: &str) -> Result<(), String> {
        let mut absences = Absences::default();
        for (number, kind) in pods.chars().enumerate() {
            let pod = pod(&format!("web-{number}"));
            match kind {
                '+' => absences.present(),
                kind => absences.absent(&pod, Absence::OneSample, kind == '-'),
            }
        }
        let made = pods.contains('+').then_some(());
        absences.judge(made).map_err(|error| error.to_string())
    }

    #[test]
    fn a_part_is_not_taken_for_the_whole() {
        for (pods, expected) in [
            ("+", None),
            ("+..", None),
            ("", Some("there are no pods")),
            ("..", Some("none of 2 pods has a value; web-0")),
            ("-.", Some("none of 2 pods has a value; web-0")),
            (
                ".+-.-",
                Some(
                    "2 of 5 pods should have a value and have none, so their aggregate is not known; web-2",
                ),
            ),
        ] {
            let found = judge(pods).err();
            let is_expected = match (&found, expected) {
                (Some(found), Some(expected)) => found.starts_with(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_expected, "{pods}: {found:?}");
        }
    }
}
