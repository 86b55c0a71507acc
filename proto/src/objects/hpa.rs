//! HorizontalPodAutoscalers of autoscaling/v2: the names of the metrics that they ask for.

use std::sync::Arc;

use super::metadata::{self, WireMeta};
use super::protobuf::message;
use super::text::named;
use super::{PodKey, Pools};

/// What a HorizontalPodAutoscaler asks for besides the metrics of metrics.k8s.io.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hpa {
    /// The namespace and name.
    pub key: PodKey,
    /// The names of its metrics of the types Pods, Object and External, sorted, each once.
    pub metrics: Box<[Arc<str>]>,
}

/// The most metrics that count. The API server accepts any number; a person writes a few.
const MAX_METRICS: usize = 50;

/// The longest name of a metric in bytes.
const MAX_NAME: usize = 250;

message! {
    /// A HorizontalPodAutoscaler on the wire.
    pub struct WireHpa {
        /// The metadata.
        pub metadata: WireMeta = 1,
        spec: Option<WireHpaSpec> = 2,
    }

    struct WireHpaSpec {
        metrics: Vec<Option<WireMetric>> = 4,
    }

    struct WireMetric {
        object: Option<WireObjectMetric> = 2,
        pods: Option<WireSource> = 3,
        external: Option<WireSource> = 5,
    }

    struct WireObjectMetric {
        metric: Option<WireIdentifier> = 3,
    }

    struct WireSource {
        metric: Option<WireIdentifier> = 1,
    }

    struct WireIdentifier {
        name: String = 1,
    }
}
metadata::item!(WireHpa, "/apis/autoscaling/v2/horizontalpodautoscalers");

impl WireHpa {
    /// Converts the autoscaler. Returns `None` without a name, which no API server sends.
    pub fn convert(self, pools: &Pools) -> Option<Hpa> {
        let metrics = self.spec.iter().flat_map(|spec| &spec.metrics).flatten();
        let names = metrics.filter_map(|metric| {
            let object = metric.object.as_ref().and_then(|it| it.metric.as_ref());
            let source = metric.pods.as_ref().or(metric.external.as_ref());
            object.or_else(|| source?.metric.as_ref())
        });
        let names = names.map(|metric| &*metric.name);
        let names = names.filter(|name| !name.is_empty() && name.len() <= MAX_NAME);
        let names = names.take(MAX_METRICS);
        let mut metrics: Vec<_> = names.map(|name| pools.names.intern(name)).collect();
        metrics.sort();
        metrics.dedup();
        Some(Hpa {
            key: pools.names.key(
                named(&self.metadata.namespace)?,
                named(&self.metadata.name)?,
            ),
            metrics: metrics.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Message;
    use super::*;

    fn convert(metrics: serde_json::Value) -> Option<Hpa> {
        let hpa: WireHpa = serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": "web"}, "spec": {"metrics": metrics},
        }))
        .unwrap();
        hpa.convert(&Pools::default())
    }

    #[test]
    fn an_autoscaler_asks_for_the_metrics_of_three_types() {
        let hpa = convert(json!([
            {"type": "Resource", "resource": {"name": "cpu"}},
            {"type": "Pods", "pods": {"metric": {"name": "rps"}}},
            {"type": "Object", "object": {"metric": {"name": "queue"}, "describedObject": {"kind": "Service"}}},
            {"type": "External", "external": {"metric": {"name": "jobs", "selector": {"matchLabels": {"a": "b"}}}}},
            {"type": "Pods", "pods": {"metric": {"name": "rps"}}},
        ]));
        let hpa = hpa.unwrap();
        let names: Vec<&str> = hpa.metrics.iter().map(|it| &**it).collect();
        assert_eq!(names, ["jobs", "queue", "rps"]);
        assert_eq!(&*hpa.key.name, "web");
    }

    #[test]
    fn one_may_ask_for_nothing_else() {
        let asks = |metrics| convert(metrics).is_some_and(|it| !it.metrics.is_empty());
        assert!(!asks(
            json!([{"type": "Resource", "resource": {"name": "cpu"}}])
        ));
        for nonsense in [
            json!(null),
            json!(7),
            json!([7, null, {"pods": 3}, {"pods": {"metric": {"name": ""}}}]),
        ] {
            assert!(!asks(nonsense));
        }
    }

    #[test]
    fn protobuf_has_the_same_names() {
        fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
            [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
        }
        let metadata = [field(1, b"web"), field(3, b"shop")].concat();
        let name = |name: &[u8]| field(1, name);
        let pods = field(3, &field(1, &name(b"rps")));
        let external = field(5, &field(1, &name(b"jobs")));
        let object = field(2, &field(3, &name(b"queue")));
        let spec: Vec<u8> = [pods, external, object]
            .iter()
            .flat_map(|it| field(4, it))
            .collect();
        let bytes = [field(1, &metadata), field(2, &spec)].concat();
        let hpa = WireHpa::decode(&bytes)
            .unwrap()
            .convert(&Pools::default())
            .unwrap();
        let names: Vec<&str> = hpa.metrics.iter().map(|it| &**it).collect();
        assert_eq!(names, ["jobs", "queue", "rps"]);
    }
}
