//! What a test does to a running cluster: faults, load and forged responses.

use http::HeaderMap;
use kubevitals_proto::time::Timestamp;

use super::Cluster;
use crate::endpoints::{EndpointFault, Endpoints, Truth, truth};
use crate::kubelet::{Forged, Kill, Kubelet};
use crate::world::demand::Demand;
use crate::world::fault::{Fault, InjectedFault};
use crate::world::pod::Pod;
use crate::world::service::Service;

impl Cluster {
    /// Makes the API server unreachable, or reachable again.
    pub fn cut_api(&self, cut: bool) {
        self.api.cut(cut);
    }

    /// Makes the kubelet of a node misbehave. Returns whether there is such a node, as do the methods that follow.
    pub fn kill_kubelet(&self, node: &str, kill: Kill) -> bool {
        self.with_kubelet(node, |it| *it.trouble.write() = Some(kill))
    }

    /// Ends the misbehaviour of the kubelet of a node.
    pub fn heal_kubelet(&self, node: &str) -> bool {
        self.with_kubelet(node, |it| *it.trouble.write() = None)
    }

    /// Limits the requests that all kubelets together answer in a second, one after the other. A TLS handshake takes as
    /// long as five requests. `None`: no limit.
    pub fn throttle_kubelets(&self, rate: Option<f64>) {
        self.kubelets.throttle(rate.filter(|rate| *rate > 0.0));
    }

    /// Makes the endpoint of a pod misbehave. Returns whether the pods of this cluster expose anything.
    pub fn break_endpoint(&self, namespace: &str, pod: &str, fault: EndpointFault) -> bool {
        let set = |it: &Endpoints| it.set_fault(namespace, pod, Some(fault));
        self.endpoints.as_ref().map(set).is_some()
    }

    /// Ends the misbehaviour of the endpoint of a pod.
    pub fn heal_endpoint(&self, namespace: &str, pod: &str) {
        if let Some(endpoints) = &self.endpoints {
            endpoints.set_fault(namespace, pod, None);
        }
    }

    /// How many requests the endpoint of a pod got, and the headers of the last one.
    #[must_use]
    pub fn endpoint_requests(&self, namespace: &str, pod: &str) -> (u64, HeaderMap) {
        let seen = |it: &Endpoints| it.seen(namespace, pod);
        self.endpoints.as_ref().map(seen).unwrap_or_default()
    }

    /// Sets the requests a second that a workload gets, all its ready pods together. Returns whether there is a workload
    /// that serves requests.
    pub fn set_rate(&self, namespace: &str, workload: &str, rate: f64) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.set_rate(namespace, workload, rate))
    }

    /// Sets the number of pods of a workload, as `kubectl scale` does.
    pub fn scale(&self, namespace: &str, workload: &str, replicas: u32) {
        if let Some(world) = &self.world {
            world.scale(Some(namespace), workload, replicas);
        }
    }

    /// Lets the controller of the autoscalers act once on each of them, if there is one.
    pub async fn autoscale(&self) {
        if let Some((controller, _)) = &self.autoscaler {
            controller.pass().await;
        }
    }

    /// What a pod serves now: the truth of which its endpoint exposes counters. None if it serves no requests.
    #[must_use]
    pub fn served(&self, namespace: &str, pod: &str) -> Option<Truth> {
        truth(self.world.as_ref()?, namespace, pod)
    }

    /// Sets the counters of the requests of a pod to zero. Returns whether there is such a pod, as does the method that
    /// follows.
    pub fn reset_counters(&self, namespace: &str, pod: &str) -> bool {
        self.change_pod(namespace, pod, |pod, service| {
            let total = service.map(|it| it.total(self.clock.now()));
            pod.served.reset(total.unwrap_or_default());
        })
    }

    /// Sets an annotation of a pod.
    pub fn annotate_pod(&self, namespace: &str, pod: &str, key: &str, value: &str) -> bool {
        self.change_pod(namespace, pod, |pod, _| {
            pod.annotations.retain(|(it, _)| it != key);
            pod.annotations.push((key.to_owned(), value.to_owned()));
        })
    }

    fn change_pod(
        &self,
        namespace: &str,
        pod: &str,
        change: impl FnOnce(&mut Pod, Option<&Service>),
    ) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.change_pod(namespace, pod, change))
    }

    /// Makes requests for a page of a node wait until [`Cluster::resume_page`].
    pub fn pause_page(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.paused.lock().entry(path.to_owned()).or_default();
        })
    }

    /// Answers requests for a page of a node again, those that wait included.
    pub fn resume_page(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.paused.lock().remove(path);
        })
    }

    /// How many requests for a page of a node wait now.
    #[must_use]
    pub fn paused_requests(&self, node: &str, path: &str) -> usize {
        let kubelet = self.kubelets.get(node);
        let count = |it: &Kubelet| Some(it.paused.lock().get(path)?.receiver_count());
        kubelet.and_then(count).unwrap_or_default()
    }

    /// Replaces the response for a page of a node.
    pub fn forge(&self, node: &str, path: &str, forged: Forged) -> bool {
        self.with_kubelet(node, |it| {
            it.forged.write().insert(path.to_owned(), forged);
        })
    }

    /// Answers a page of a node truthfully again.
    pub fn unforge(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.forged.write().remove(path);
        })
    }

    fn with_kubelet(&self, node: &str, change: impl FnOnce(&Kubelet)) -> bool {
        self.kubelets.get(node).map(change).is_some()
    }

    /// Everything that the faults have caused so far, in order of time. Empty in a replay.
    #[must_use]
    pub fn injected_faults(&self) -> Vec<InjectedFault> {
        self.world.as_ref().map_or_else(Vec::new, |world| {
            world.catch_up();
            world.engine.lock().injected.clone()
        })
    }

    /// Applies a fault now to a pod, node or deployment that is well. Returns whether there was one.
    pub fn inject(&self, fault: Fault) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.inject(fault))
    }

    /// What a container (its namespace, pod and name) that runs has used at a time since its start: the truth of which
    /// kubelets report samples. None if there is no such container, or in a replay.
    #[must_use]
    pub fn demand(&self, container: (&str, &str, &str), at: Timestamp) -> Option<Demand> {
        self.world.as_ref()?.demand(container, at)
    }

    /// Lets the memory of a container (its namespace, pod and name) that runs grow by so many bytes a second, up to its
    /// limit and until it ends. Returns whether there is such a container.
    pub fn leak(&self, container: (&str, &str, &str), rate: f64) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.leak(container, rate))
    }
}
