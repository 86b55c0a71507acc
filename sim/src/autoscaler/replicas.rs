//! How many replicas a metric asks for: the calculation of Kubernetes' HorizontalPodAutoscaler controller.
//!
//! Values are in thousandths of the metric's unit, as the controller counts them.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;

use super::behavior::Tolerance;

const SECOND: i64 = 1_000_000_000;
/// A pod's CPU does not count so long after its start, unless the pod has been ready for a whole window.
const INITIALIZATION: i64 = 300 * SECOND;
/// A pod that is unready, and has been since this time after its start, was never ready.
const INITIAL_READINESS: i64 = 30 * SECOND;

/// What the calculation reads of a pod.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) phase: String,
    pub(super) deleted: bool,
    /// Whether its Ready condition is true, and since when that is so.
    pub(super) ready: Option<(bool, Timestamp)>,
    pub(super) started: Option<Timestamp>,
    /// What its containers request of the resource; none if one of them requests nothing.
    pub(super) request: Option<i64>,
}

impl Pod {
    pub(super) fn is_ready(&self) -> bool {
        self.phase == "Running" && self.ready.is_some_and(|(ready, _)| ready)
    }
}

/// The value of a metric of one pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) value: i64,
    pub(super) at: Timestamp,
    /// In nanoseconds.
    pub(super) window: i64,
}

/// What the values of pods are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The mean of the values.
    Average(i64),
    /// The sum of the values in percent of the requests.
    Utilization(i64),
}

/// What a metric asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) replicas: i64,
    /// The mean of the values.
    pub(super) average: i64,
    /// In percent, of a target that is a utilization.
    pub(super) utilization: Option<i64>,
}

/// Pods by what the calculation makes of them.
#[derive(Debug, Default)]
struct Groups {
    ready: i64,
    unready: Vec<String>,
    missing: Vec<String>,
}

impl Groups {
    /// Sorts pods into groups, and removes the values of those that do not count.
    fn of(pods: &[Pod], values: &mut BTreeMap<String, Reading>, cpu: bool, now: Timestamp) -> Self {
        let mut groups = Self::default();
        for pod in pods {
            if pod.deleted || pod.phase == "Failed" {
                values.remove(&pod.name);
                continue;
            }
            let value = values.get(&pod.name);
            let unready = match value {
                _ if pod.phase == "Pending" => true,
                None => {
                    groups.missing.push(pod.name.clone());
                    continue;
                }
                Some(reading) => cpu && is_unready(pod, reading, now),
            };
            if unready {
                values.remove(&pod.name);
                groups.unready.push(pod.name.clone());
            } else {
                groups.ready += 1;
            }
        }
        groups
    }
}

/// Whether the CPU of a pod does not count yet.
fn is_unready(pod: &Pod, reading: &Reading, now: Timestamp) -> bool {
    let (Some((ready, since)), Some(started)) = (pod.ready, pod.started) else {
        return true;
    };
    if started.plus_nanos(INITIALIZATION) > now {
        // It may have become ready within the window of the value.
        !ready || reading.at < since.plus_nanos(reading.window)
    } else {
        !ready && started.plus_nanos(INITIAL_READINESS) > since
    }
}

/// The replicas for a metric of pods: the first value of a pair is the number there are.
pub(super) fn of_pods(
    current: i64,
    pods: &[Pod],
    mut values: BTreeMap<String, Reading>,
    (target, cpu): (Target, bool),
    (now, tolerance): (Timestamp, Tolerance),
) -> Result<Proposal, String> {
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let groups = Groups::of(pods, &mut values, cpu, now);
    let mut values: BTreeMap<&str, i64> = values
        .iter()
        .filter(|(name, _)| pods.iter().any(|pod| pod.name == **name))
        .map(|(name, reading)| (&**name, reading.value))
        .collect();
    if values.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let requests = requests(pods, target)?;
    let (ratio, mut proposal) = ratio(&values, &requests, target);
    proposal.replicas = current;
    let up_with_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !up_with_unready && groups.missing.is_empty() {
        if !tolerance.covers(ratio) {
            proposal.replicas = (ratio * groups.ready as f64).ceil() as i64;
        }
        return Ok(proposal);
    }
    for name in &groups.missing {
        match target {
            // For a scale-down they are at the target, or use all that they request.
            Target::Average(target) if ratio < 1.0 => values.insert(name, target),
            Target::Utilization(target) if ratio < 1.0 => {
                let request = requests.get(&**name).copied().unwrap_or_default();
                values.insert(name, request * target.max(100) / 100)
            }
            Target::Utilization(_) if ratio <= 1.0 => None,
            Target::Average(_) | Target::Utilization(_) => values.insert(name, 0),
        };
    }
    if up_with_unready {
        values.extend(groups.unready.iter().map(|name| (&**name, 0)));
    }
    let (corrected, _) = self::ratio(&values, &requests, target);
    let turned = (ratio < 1.0 && corrected > 1.0) || (ratio > 1.0 && corrected < 1.0);
    if tolerance.covers(corrected) || turned {
        return Ok(proposal);
    }
    let replicas = (corrected * values.len() as f64).ceil() as i64;
    let contrary =
        (corrected < 1.0 && replicas > current) || (corrected > 1.0 && replicas < current);
    if !contrary {
        proposal.replicas = replicas;
    }
    Ok(proposal)
}

/// The requests of the pods, if the target is in percent of them.
fn requests(pods: &[Pod], target: Target) -> Result<BTreeMap<&str, i64>, String> {
    let Target::Utilization(_) = target else {
        return Ok(BTreeMap::new());
    };
    let of = |pod: &Pod| {
        let missing = || format!("missing request for a container of pod {}", pod.name);
        pod.request.ok_or_else(missing)
    };
    pods.iter().map(|pod| Ok((&*pod.name, of(pod)?))).collect()
}

/// How the values compare with the target.
fn ratio(
    values: &BTreeMap<&str, i64>,
    requests: &BTreeMap<&str, i64>,
    target: Target,
) -> (f64, Proposal) {
    let sum: i64 = values.values().sum();
    let average = sum / i64::try_from(values.len()).unwrap_or(1).max(1);
    let requested = values.keys().filter_map(|name| requests.get(name));
    let requested: i64 = requested.sum();
    let (ratio, utilization) = match target {
        Target::Average(target) => (average as f64 / target as f64, None),
        Target::Utilization(target) => {
            let percent = sum * 100 / requested.max(1);
            (percent as f64 / target as f64, Some(percent))
        }
    };
    let proposal = Proposal {
        replicas: 0,
        average,
        utilization,
    };
    (ratio, proposal)
}

/// The replicas for a value that is of no pod, and of which there should be so much in all.
pub(super) fn of_value(
    current: i64,
    pods: &[Pod],
    value: i64,
    target: i64,
    tolerance: Tolerance,
) -> i64 {
    let ratio = value as f64 / target as f64;
    if current == 0 {
        return ratio.ceil() as i64;
    }
    if tolerance.covers(ratio) {
        return current;
    }
    let ready = pods.iter().filter(|pod| pod.is_ready()).count();
    (ratio * ready as f64).ceil() as i64
}

/// The replicas for a value that is of no pod, and of which there should be so much for each replica. Returns the value
/// for each replica too.
pub(super) fn of_value_per_pod(
    current: i64,
    value: i64,
    target: i64,
    tolerance: Tolerance,
) -> (i64, i64) {
    let ratio = value as f64 / (target as f64 * current as f64);
    let replicas = match tolerance.covers(ratio) {
        true => current,
        false => (value as f64 / target as f64).ceil() as i64,
    };
    let each = (value as f64 / current.max(1) as f64).ceil() as i64;
    (replicas, each)
}
