//! Requests as client-go's custom and external clients send them for the HPA controller.

use kubevitals_proto::wire::status::Status;
use kubevitals_sim::objects::Resource;
use serde_json::{Value, json};

use super::{CUSTOM, EXTERNAL, add_objects, record_series, start, store, without_services};
use crate::harness::Harness;

/// The Accept header of kube-controller-manager.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf,application/json";
/// The Accept header of clients without a preference.
const JSON: &str = "application/json, */*";

async fn get(harness: &Harness, path: &str, accept: &str) -> (u16, Vec<u8>) {
    let request = harness.request("GET", path).header("Accept", accept);
    harness.send(request).await
}

/// A line for each item, `KIND NAMESPACE/NAME VALUE WINDOW`, or the status and the message of a refusal.
async fn values(harness: &Harness, path: &str) -> Vec<String> {
    let (status, body) = get(harness, path, JSON).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    if status != 200 {
        assert_eq!(body["kind"], "Status", "{path}: {body}");
        let words = format!("{status} {}: ", body["reason"].as_str().unwrap());
        return vec![words + body["message"].as_str().unwrap()];
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let item = |item: &Value| {
        let object = &item["describedObject"];
        let labels = item.get("metricLabels").map(Value::to_string);
        let seconds = item.get("windowSeconds").or(item.get("window"));
        let seconds = seconds.map_or(String::new(), |it| format!(" {it}s"));
        let what = labels.unwrap_or_else(|| {
            let name = format!("{}/{}", text(&object["namespace"]), text(&object["name"]));
            format!("{} {name}", text(&object["kind"]))
        });
        format!("{what} {}{seconds}", text(&item["value"]))
    };
    body["items"].as_array().unwrap().iter().map(item).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_the_hpa_controller_is_answered() {
    let harness = store().await;
    let rps = "http_requests_per_second";
    for (path, expected) in [
        // GetForObjects: a metric of type Pods.
        (
            format!("namespaces/store/pods/%2A/{rps}?labelSelector=app%3Dweb"),
            vec!["Pod store/web-1 12500m 60s", "Pod store/web-2 20 60s"],
        ),
        // Two autoscalers with the same name and different selectors.
        (
            format!(
                "namespaces/store/pods/%2A/{rps}?labelSelector=app%3Dweb&metricLabelSelector=verb%3DGET"
            ),
            vec!["Pod store/web-1 10500m 60s", "Pod store/web-2 20 60s"],
        ),
        (
            format!(
                "namespaces/store/pods/%2A/{rps}?labelSelector=app%3Dweb&metricLabelSelector=verb%3DPOST"
            ),
            vec!["Pod store/web-1 2 60s"],
        ),
        (
            "namespaces/store/pods/*/queue_length".to_owned(),
            vec!["Pod store/db-0 -2"],
        ),
        (
            "namespaces/store/pods/web-1/Queue:Length".to_owned(),
            vec!["Pod store/web-1 3"],
        ),
        // GetForObject: a metric of type Object.
        (
            format!("namespaces/store/services/front/{rps}"),
            vec!["Service store/front 32500m 60s"],
        ),
        (
            format!("namespaces/store/services/%2A/{rps}?labelSelector=tier+in+(front,db)"),
            vec!["Service store/db 1 60s", "Service store/front 32500m 60s"],
        ),
        (
            format!("namespaces/store/deployments.apps/web/{rps}"),
            vec!["Deployment store/web 32500m 60s"],
        ),
        // As a person writes it, and prometheus-adapter takes it.
        (
            format!("namespaces/store/deployments/web/{rps}"),
            vec!["Deployment store/web 32500m 60s"],
        ),
        (
            format!("namespaces/store/replicasets.apps/web-abc/{rps}"),
            vec!["ReplicaSet store/web-abc 32500m 60s"],
        ),
        (
            format!("namespaces/store/statefulsets.apps/db/{rps}"),
            vec!["StatefulSet store/db 1 60s"],
        ),
        // Quantiles do not add up.
        (
            "namespaces/store/deployments.apps/web/latency_seconds_p95".to_owned(),
            vec!["Deployment store/web 500m 60s"],
        ),
        // Of nodes.
        (
            format!("nodes/%2A/{rps}"),
            vec!["Node /node-0001 13500m 60s", "Node /node-0002 20 60s"],
        ),
        (
            format!("nodes/node-0002/{rps}"),
            vec!["Node /node-0002 20 60s"],
        ),
        // Of a namespace itself.
        (
            format!("namespaces/store/metrics/{rps}"),
            vec!["Namespace /store 33500m 60s"],
        ),
    ] {
        for version in ["v1beta1", "v1beta2"] {
            let found = values(&harness, &format!("{CUSTOM}/{version}/{path}")).await;
            assert_eq!(found, expected, "{version} {path}");
        }
    }
    for (path, expected) in [
        (
            format!("{rps}?labelSelector="),
            vec![r#"{"verb":"GET"} 31500m 60s"#, r#"{"verb":"POST"} 2 60s"#],
        ),
        (
            format!("{rps}?labelSelector=verb%3DGET"),
            vec![r#"{"verb":"GET"} 31500m 60s"#],
        ),
        ("latency_seconds_p95".to_owned(), vec!["{} 500m 60s"]),
        (
            "queue_length?labelSelector=queue%3Dmail".to_owned(),
            vec![r#"{"queue":"mail"} -2"#],
        ),
    ] {
        let found = values(&harness, &format!("{EXTERNAL}/namespaces/store/{path}")).await;
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_has_a_reason() {
    let harness = store().await;
    let custom = |path: &str| format!("{CUSTOM}/v1beta2/{path}");
    let missing = "404 NotFound: the server could not find the metric";
    for (path, expected) in [
        (
            custom("namespaces/store/pods/web-3/rps"),
            format!("{missing} rps for pods web-3: "),
        ),
        (
            custom("namespaces/store/pods/*/rps?labelSelector=app%3Dweb&metricLabelSelector=a%3Db"),
            format!(
                "{missing} rps for pods with selector a=b: none of 3 pods has a value; web-1: "
            ),
        ),
        (
            custom("namespaces/store/pods/*/rps?labelSelector=app%3Dno"),
            format!("{missing} rps for pods: there are no pods"),
        ),
        (
            custom("namespaces/store/pods/web-9/rps"),
            format!("{missing} rps for pods web-9: it does not exist"),
        ),
        (
            custom("namespaces/store/services/no/rps"),
            format!("{missing} rps for services no: it does not exist"),
        ),
        (
            custom("namespaces/store/services/empty/rps"),
            format!("{missing} rps for services empty: there are no pods"),
        ),
        (
            custom("namespaces/store/secrets/a/rps"),
            format!("{missing} rps for secrets: these objects have no metrics here"),
        ),
        (
            custom("namespaces/store/services/front/huge"),
            format!("{missing} huge for services front: the value is not finite"),
        ),
        (
            format!("{EXTERNAL}/namespaces/store/huge"),
            format!(
                "{missing} huge for namespaces store: one of the values is not a finite number"
            ),
        ),
        (
            custom("nodes/none/rps"),
            format!("{missing} rps for nodes none: it does not exist"),
        ),
        (
            format!("{EXTERNAL}/namespaces/none/rps"),
            format!("{missing} rps for namespaces none: there are no pods"),
        ),
        (
            custom("namespaces/store/pods/*/rps?labelSelector=a%3Db%3Dc"),
            "400 BadRequest: found '=', expected: ',' or 'end of string'".to_owned(),
        ),
        (
            custom("namespaces/store/pods/*/rps?metricLabelSelector=a%3E1"),
            "400 BadRequest: metricLabelSelector: the operators > and < are not supported in a metric's selector: use =, \
             !=, in, notin, KEY or !KEY"
                .to_owned(),
        ),
        (
            custom("namespaces/store/deployments.apps/*/rps?labelSelector=a"),
            "400 BadRequest: labelSelector: the labels of deployments.apps are not known: request one by its name, or all \
             without a labelSelector"
                .to_owned(),
        ),
        (
            format!("{EXTERNAL}/namespaces/store/a?labelSelector=%2C"),
            "400 BadRequest: found ',', expected: !, identifier, or 'end of string'".to_owned(),
        ),
    ] {
        let found = values(&harness, &path).await;
        // The reason of a pod is that of its scrapes.
        assert!(found[0].starts_with(&expected), "{path}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_this_server_knows_is_by_workload() {
    let harness = store().await;
    let read =
        async |path: &str| values(&harness, &format!("{EXTERNAL}/namespaces/store/{path}")).await;
    // The three pods of one, and the one of the other, run without metrics: no kubelet reports them.
    assert_eq!(
        read("kubevitals_pods_without_metrics").await,
        [
            r#"{"kind":"Deployment","workload":"web"} 3"#,
            r#"{"kind":"StatefulSet","workload":"db"} 1"#,
        ]
    );
    assert_eq!(
        read("kubevitals_restarts_per_hour?labelSelector=workload%3Dweb").await,
        [r#"{"kind":"Deployment","workload":"web"} 0 3600s"#]
    );
    assert_eq!(
        read("kubevitals_open_incidents?labelSelector=kind%3DStatefulSet").await,
        [r#"{"kind":"StatefulSet","workload":"db"} 0"#]
    );
    let missing = "404 NotFound: the server could not find the metric";
    assert_eq!(
        read("kubevitals_open_incidents?labelSelector=workload%3Dno").await,
        [format!(
            "{missing} kubevitals_open_incidents for namespaces store with selector workload=no: the selector matches no \
             workload of the namespace by the labels kind and workload"
        )]
    );
    assert_eq!(
        read("kubevitals_cpu_pressure_percent").await,
        [format!(
            "{missing} kubevitals_cpu_pressure_percent for namespaces store: no pod has a value yet"
        )]
    );
    let names = harness.json(EXTERNAL).await;
    let names = names["resources"].as_array().unwrap().iter();
    let own = names.filter(|it| it["name"].as_str().unwrap().starts_with("kubevitals_"));
    assert_eq!(own.count(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_named() {
    let harness = without_services().await;
    let path = format!("{CUSTOM}/v1beta2/namespaces/store/services/front/http_requests_per_second");
    assert_eq!(
        values(&harness, &path).await,
        [concat!(
            "500 InternalError: Internal error occurred: cannot list services in namespace store: services is forbidden: ",
            r#"User "system:serviceaccount:kube-system:vitals-server" cannot list resource "services" in API group "" in "#,
            r#"the namespace "store"; grant the service account of vitals-server list on services"#
        )]
    );
}

/// The list is sent while it is encoded, in protobuf with its length before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pods_of_a_namespace_with_ten_thousand_are_listed() {
    const PODS: usize = 10_000;
    let harness = start(|cluster| {
        for pod in 0..PODS {
            let metadata = json!({"namespace": "big", "name": format!("pod-{pod:05}")});
            let spec = json!({"containers": [{"name": "app", "image": "app"}]});
            let pod = json!({"metadata": metadata, "spec": spec, "status": {"phase": "Running"}});
            cluster.store().apply(Resource::Pods, pod);
        }
        add_objects(cluster);
    })
    .await;
    for pod in 0..PODS {
        record_series(
            &harness,
            "big",
            &format!("pod-{pod:05}"),
            &[("depth", &[], 1.5, None)],
        );
    }
    let path = format!("{CUSTOM}/v1beta2/namespaces/big/pods/*/depth");
    let found = values(&harness, &path).await;
    assert_eq!(found.len(), PODS);
    assert_eq!(found[PODS - 1], "Pod big/pod-09999 1500m");
    let request = harness.request("GET", &path).header("Accept", PROTOBUF);
    let response = request
        .header("Accept-Encoding", "identity")
        .send()
        .await
        .unwrap();
    let len = response.content_length();
    assert_eq!(Some(response.bytes().await.unwrap().len() as u64), len);
    let total = format!("{EXTERNAL}/namespaces/big/depth");
    assert_eq!(values(&harness, &total).await, ["{} 15k"]);
}

/// client-go reads the refusal in the form that it prefers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protobuf_is_served_first_where_it_is_preferred() {
    let harness = store().await;
    let rps = "http_requests_per_second";
    let pods = format!("namespaces/store/pods/%2A/{rps}?labelSelector=app%3Dweb");
    for (name, path) in [
        ("custom_v1beta1", format!("{CUSTOM}/v1beta1/{pods}")),
        ("custom_v1beta2", format!("{CUSTOM}/v1beta2/{pods}")),
        (
            "external_v1beta1",
            format!("{EXTERNAL}/namespaces/store/{rps}"),
        ),
    ] {
        let (status, body) = get(&harness, &path, PROTOBUF).await;
        assert_eq!((status, &body[..4]), (200, &b"k8s\0"[..]), "{path}");
        insta::assert_snapshot!(name, hex(&body));
    }
    let path = format!("{CUSTOM}/v1beta2/namespaces/store/pods/%2A/no");
    let (status, body) = get(&harness, &path, PROTOBUF).await;
    let refusal = Status::read(&body).unwrap();
    assert_eq!((status, refusal.reason.as_str()), (404, "NotFound"));
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    assert_eq!(get(&harness, &path, table).await.0, 406);
}

/// Bytes in lines of 32, with what is text in them beside.
fn hex(body: &[u8]) -> String {
    let line = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let printed = |byte: &u8| char::from(if byte.is_ascii_graphic() { *byte } else { b'.' });
        format!(
            "{digits:<64} {}",
            bytes.iter().map(printed).collect::<String>()
        )
    };
    body.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_lists_the_metrics_that_exist() {
    let harness = store().await;
    let groups = harness.json("/apis").await;
    let names: Vec<_> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "metrics.k8s.io",
            "kubevitals.io",
            "custom.metrics.k8s.io",
            "external.metrics.k8s.io"
        ]
    );
    let group = harness.json(CUSTOM).await;
    assert_eq!(group["preferredVersion"]["version"], "v1beta2");
    let custom = harness.json(&format!("{CUSTOM}/v1beta1")).await;
    let resource = |list: &Value, name: &str| {
        let all = list["resources"].as_array().unwrap();
        all.iter()
            .find(|it| it["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(
        resource(&custom, "pods/http_requests_per_second"),
        json!({
            "name": "pods/http_requests_per_second", "singularName": "", "namespaced": true, "kind": "MetricValueList",
            "verbs": ["get"],
        })
    );
    assert_eq!(resource(&custom, "nodes/Queue:Length")["namespaced"], false);
    let external = harness.json(EXTERNAL).await;
    assert_eq!(
        resource(&external, "queue_length")["kind"],
        "ExternalMetricValueList"
    );
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let (_, aggregated) = get(&harness, "/apis", accept).await;
    let aggregated: Value = serde_json::from_slice(&aggregated).unwrap();
    let custom = &aggregated["items"][2]["versions"][0];
    let pods = custom["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["resource"] == "pods")
        .unwrap();
    assert_eq!(pods["scope"], "Namespaced");
    assert_eq!(
        pods["subresources"][1]["subresource"],
        "http_requests_per_second"
    );
    assert_eq!(
        pods["subresources"][1]["responseKind"]["kind"],
        "MetricValueList"
    );
}
