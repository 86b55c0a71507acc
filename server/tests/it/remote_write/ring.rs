//! What the history of a server has.

use std::collections::BTreeMap;
use std::ops::Range;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::store::history::Excerpt;
use kubevitals_server::store::ring::Tick;

/// Namespace, pod, container.
pub(super) type Container = (String, String, String);

/// The largest error of a time in the ring, in milliseconds.
pub(super) const GRID: i64 = 101;

/// The times of the samples in the ring within a span, by container.
pub(super) fn ring(server: &Server, span: Range<i64>) -> BTreeMap<Container, Vec<i64>> {
    let mut all: BTreeMap<Container, Vec<i64>> = BTreeMap::new();
    let mut excerpt = Excerpt::default();
    let (begin, end) = (Timestamp::from_secs(0), Timestamp::from_secs(4_000_000_000));
    for (_, history) in server.query().history().store().nodes() {
        history.copy(
            &mut excerpt,
            |_| true,
            Tick::nearest(begin),
            Tick::nearest(end),
        );
        for series in excerpt.series() {
            let (Some(pod), Some(container)) = (series.pod, series.container) else {
                continue;
            };
            let (namespace, name) = (pod.key.namespace.to_string(), pod.key.name.to_string());
            let times = series.samples().map(|sample| sample.at.as_millis());
            let times = times.filter(|at| span.contains(at));
            all.entry((namespace, name, container.to_string()))
                .or_default()
                .extend(times);
        }
    }
    all
}
