//! Usage over a span, for `stats=SPAN`.

use kubevitals_proto::vitals::{PodVitals, Statistics};

use super::builder::VitalsBuilder;
use super::restarts;
use crate::cluster::Pod;

/// Sets the statistics of a pod and of its containers.
pub(super) fn set_of_pod(builder: &mut VitalsBuilder, vitals: &mut PodVitals, pod: &Pod) {
    let Some(query) = &builder.stats else {
        return;
    };
    let mut found = query.of_pod(&builder.sources, &pod.key, &mut builder.excerpt);
    let (since, until) = query.span();
    vitals.stats = found.total;
    let engine = &builder.engine_stats;
    let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
    engine.improve((namespace, name, ""), &mut vitals.stats);
    let restarts = restarts::within(builder, pod, since, until);
    for (container, restarts) in vitals.containers.iter_mut().zip(restarts) {
        container.stats = found.containers.remove(&*container.name);
        if let Some(stats) = &mut container.stats {
            (stats.restarts, stats.oom_kills) = (restarts.all, restarts.oom_kills);
        }
        let of_container = (namespace, name, &*container.name);
        engine.improve(of_container, &mut container.stats);
    }
}

/// The statistics of a node.
pub(super) fn of_node(builder: &mut VitalsBuilder, node: &str) -> Option<Statistics> {
    let query = builder.stats.as_ref()?;
    let mut stats = query.of_node(&builder.sources, node, &mut builder.excerpt);
    builder.engine_stats.improve(("", node, ""), &mut stats);
    stats
}
