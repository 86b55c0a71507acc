//! The chain of a pod.

use kubevitals_proto::objects::not_running;
use kubevitals_proto::why::{Container, Explanation, StepName};

use super::chain::{Chain, Outcome};
use super::explain;
use super::final_steps::nothing_yet;
use crate::cluster::{Pod, PodKey, Pods};
use crate::query::readiness::Unready;
use crate::store::Absent;

impl Chain<'_> {
    /// Follows the chain of a pod to its outcome: `Ok` if the pod has metrics.
    pub(super) fn follow_pod(&mut self, namespace: &str, name: &str) -> Result<Outcome, Outcome> {
        let sources = self.sources;
        let pods = sources.cluster.pods();
        let pod = self.add_known(&pods, &PodKey::new(namespace, name))?;
        self.list_containers(pod, None);
        if let Some((reason, Explanation { what, hint })) = not_running::phase(pod) {
            let phase = pod.phase.as_str();
            self.fail(StepName::Running, format!("its phase is {phase}"));
            return Err(Outcome::new(reason, format!("{what}."), hint));
        }
        let nothing_runs = not_running::pod(pod).map(|Explanation { what, hint }| {
            let what = format!("{what}; nothing runs, so nothing is measured");
            Outcome::explained("not_running", Explanation { what, hint })
        });
        let idle = self.add_running(pod);
        let Some(node_name) = &pod.node else {
            self.fail(StepName::Node, "it is bound to no node");
            return Err(Outcome::new(
                "unbound",
                "It is bound to no node.",
                "look with kubectl describe pod: the scheduler has not found a node for it",
            ));
        };
        let nodes = sources.cluster.nodes();
        let node = self.add_node(&nodes, node_name)?;
        self.add_ready(node);
        let trouble = self.add_scraped(node);
        let cells = sources.store.cells();
        let Some(latest) = cells.get(node_name).and_then(|cell| cell.latest()) else {
            return Err(trouble.unwrap_or_else(|| nothing_yet(node)));
        };
        let response = format!(
            "in node {node_name}'s last response{}",
            self.age_of_scrape(&latest)
        );
        let Some((at, reported)) = latest.find(&pod.key) else {
            self.fail(StepName::Reported, format!("it is not {response}"));
            self.list_containers(pod, Some(&[]));
            let outcome = nothing_runs.or(trouble);
            return Err(outcome.unwrap_or_else(|| self.not_reported(pod, node_name)));
        };
        self.ok(StepName::Reported, format!("it is {response}"));
        let rates = match &reported.rates {
            Ok(rates) => rates,
            Err(absent) => {
                let containers = latest.incomplete_containers(at).iter();
                let readings = containers.map(|it| (&*it.name, it.absent.as_ref()));
                self.list_containers(pod, Some(&readings.collect::<Vec<_>>()));
                let outcome = match idle_container(pod, absent) {
                    Some(words) => {
                        self.fail(StepName::Whole, words.what.clone());
                        Outcome::explained("not_running", words)
                    }
                    None => self.add_incomplete(node_name, "container ", absent),
                };
                // The next scrape would help, but scrapes fail.
                return Err(trouble.unwrap_or(outcome));
            }
        };
        self.ok(StepName::Whole, "all its containers have what a rate needs");
        let whole = latest.pod(&pod.key, sources.retention, sources.now());
        if let Ok((_, containers)) = whole {
            let readings = containers.iter().map(|it| (&*it.name, None));
            self.list_containers(pod, Some(&readings.collect::<Vec<_>>()));
        }
        let fresh = self.add_fresh(&latest, (rates.at, rates.window), rates.arrived, trouble);
        match fresh {
            Ok(outcome) => Ok(match idle {
                Some(idle) => outcome.beside(idle),
                None => outcome,
            }),
            // The last samples are of the time when a container ran.
            Err(outcome) => Err(nothing_runs.unwrap_or(outcome)),
        }
    }

    /// Adds whether the API server has the pod.
    pub(super) fn add_known<'p>(
        &mut self,
        pods: &'p Pods,
        key: &PodKey,
    ) -> Result<&'p Pod, Outcome> {
        let (namespace, name) = (&key.namespace, &key.name);
        let watches = &self.sources.watches;
        if !watches.pods.synced() {
            return Err(self.not_ready(Unready::Pods));
        }
        let Some(pod) = pods.get(key) else {
            let left_out = watches.pods.left_out();
            if left_out > 0 {
                let message = format!(
                    "the server has not stored it: pods are left out, {left_out} or more, because the memory limit is near"
                );
                self.fail(StepName::Known, message);
                let verdict = format!(
                    "The server has no pod {namespace}/{name}, but its memory limit is near, and it leaves out pods."
                );
                return Err(self.left_out(verdict));
            }
            self.fail(StepName::Known, "the API server has no such pod");
            return Err(Outcome::new(
                "unknown",
                format!("There is no pod {namespace}/{name}."),
                "check the name and the namespace: kubectl get pods -A",
            ));
        };
        self.ok(StepName::Known, "the API server has it");
        Ok(pod)
    }

    /// Adds the phase of the pod: with a warning if a container does not run and has not completed. Returns that
    /// container's problem.
    fn add_running(&mut self, pod: &Pod) -> Option<Explanation> {
        let started = pod.started().map(|at| at.to_rfc3339_seconds());
        let started = started.map(|at| format!("; its kubelet accepted it at {at}"));
        let phase = format!("its phase is Running{}", started.unwrap_or_default());
        let now = self.sources.wall();
        let idle = pod.containers().find(|(spec, status)| {
            let completed = not_running::has_completed(status);
            spec.role.stays() && status.is_reported() && !status.is_running() && !completed
        });
        let idle = idle.and_then(|(spec, status)| {
            let Explanation { what, hint } = not_running::container_at(pod, spec, status, now)?;
            let what = format!("container {} {what}", spec.name);
            Some(Explanation { what, hint })
        });
        match &idle {
            Some(idle) => self.warn(StepName::Running, format!("{phase}; {}", idle.what)),
            None => self.ok(StepName::Running, phase),
        }
        idle
    }

    /// Lists the containers of the pod, and other containers with a reading. A container that runs has what its reading
    /// lacks. `readings` is none if the kubelet has not responded.
    fn list_containers(&mut self, pod: &Pod, readings: Option<&[Reading<'_>]>) {
        self.containers = not_running::listed_containers(pod, self.sources.wall());
        let Some(readings) = readings else {
            return;
        };
        for container in &mut self.containers {
            let reading = readings.iter().find(|(name, _)| **name == *container.name);
            add_reading(
                container,
                reading.map_or(Some(&Absent::NotReported), |of| of.1),
            );
        }
        for (name, absent) in readings {
            if pod.container(name).is_none() {
                let mut container = Container::named(name);
                add_reading(&mut container, *absent);
                self.containers.push(container);
            }
        }
    }

    /// The outcome for a pod that its kubelet does not report.
    fn not_reported(&self, pod: &Pod, node: &str) -> Outcome {
        let last = self.scrapes(node).and_then(|history| history.last);
        let scraped = last.map(|last| last.began.wall);
        let just_started = pod.started().zip(scraped);
        if just_started.is_some_and(|(started, scraped)| started >= scraped) {
            return Outcome::new(
                "just_started",
                "It was started after the last scrape of its node.",
                self.with_next_scrape(node, "wait for the next scrape"),
            );
        }
        let absent = explain::absent("it", &Absent::NotReported);
        let mut outcome = Outcome::explained("not_reported", absent);
        outcome.hint = self.with_next_scrape(node, &outcome.hint);
        outcome
    }
}

/// Why the container does not run whose reading is incomplete. None if it runs.
fn idle_container(pod: &Pod, absent: &Absent) -> Option<Explanation> {
    let (spec, status) = pod.container(absent.container()?)?;
    let Explanation { what, hint } =
        not_running::container(pod, spec, status).filter(|_| status.is_reported())?;
    let what = format!("container {} {what}", spec.name);
    Some(Explanation { what, hint })
}

/// A container's last reading: its name, and what it lacks.
type Reading<'a> = (&'a str, Option<&'a Absent>);

/// Adds what the reading of a container lacks.
fn add_reading(container: &mut Container, absent: Option<&Absent>) {
    container.whole = absent.is_none();
    let Some(absent) = absent else {
        return;
    };
    absent.reason().clone_into(&mut container.lack);
    if container.message.is_empty() {
        container.message = explain::absent("it", absent).what;
    }
}
