//! The objects are what Kubernetes understands, and refer to each other rightly.

use clap::Parser;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubevitals_server::config::Flags;
use kubevitals_sim::identity::SERVER_ACCOUNT;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::APPLICABLE;
use super::rendered::{Rendered, repository};

/// The object as Kubernetes' own types read it: a member they do not know is gone.
fn typed<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let typed: T = serde_json::from_value(object.clone()).expect("the type's shape");
    serde_json::to_value(typed).expect("JSON")
}

/// The object as Kubernetes reads it; as it is if it is of an operator, which k8s-openapi has no types for.
fn understood(object: &Value) -> Value {
    match object["kind"].as_str().expect("a kind") {
        "Deployment" => typed::<Deployment>(object),
        "StatefulSet" => typed::<StatefulSet>(object),
        "Service" => typed::<Service>(object),
        "ServiceAccount" => typed::<ServiceAccount>(object),
        "Secret" => typed::<Secret>(object),
        "ConfigMap" => typed::<ConfigMap>(object),
        "ValidatingAdmissionPolicy" => typed::<ValidatingAdmissionPolicy>(object),
        "ValidatingAdmissionPolicyBinding" => typed::<ValidatingAdmissionPolicyBinding>(object),
        "APIService" => typed::<APIService>(object),
        "ClusterRole" => typed::<ClusterRole>(object),
        "ClusterRoleBinding" => typed::<ClusterRoleBinding>(object),
        "Role" => typed::<Role>(object),
        "RoleBinding" => typed::<RoleBinding>(object),
        "PodDisruptionBudget" => typed::<PodDisruptionBudget>(object),
        "NetworkPolicy" => typed::<NetworkPolicy>(object),
        "ServiceMonitor" | "PrometheusRule" | "Certificate" | "Issuer" => object.clone(),
        other => panic!("nobody expects a {other}"),
    }
}

/// Kubernetes knows every member of every object.
pub(super) fn is_understood(rendered: &Rendered, what: &str) {
    for object in rendered.all() {
        assert_eq!(&understood(object), object, "{what}");
    }
}

#[test]
fn kubernetes_knows_every_member_of_every_object() {
    for folder in APPLICABLE {
        is_understood(&Rendered::deploy(folder), folder);
    }
}

#[test]
fn everything_is_labelled_and_in_one_namespace() {
    let cluster_wide = [
        "ClusterRole",
        "ClusterRoleBinding",
        "APIService",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    for folder in APPLICABLE {
        for object in Rendered::deploy(folder).all() {
            let name = &object["metadata"]["name"];
            let expected = if cluster_wide.iter().any(|kind| object["kind"] == *kind) {
                Value::Null
            } else {
                json!(SERVER_ACCOUNT.0)
            };
            assert_eq!(object["metadata"]["namespace"], expected, "{folder} {name}");
            let labels = &object["metadata"]["labels"];
            assert_eq!(labels["app.kubernetes.io/name"], "vitals-server", "{name}");
            assert_eq!(labels["app.kubernetes.io/part-of"], "kubevitals", "{name}");
        }
    }
}

/// What selects pods selects those of the Deployment. Returns how many objects do.
pub(super) fn selectors_match(rendered: &Rendered, what: &str) -> usize {
    let labels = &rendered.pod()["metadata"]["labels"];
    let selectors = [
        ("Deployment", "/spec/selector/matchLabels"),
        ("StatefulSet", "/spec/selector/matchLabels"),
        ("Service", "/spec/selector"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
    ];
    let mut count = 0;
    for (kind, place) in selectors {
        for object in rendered.kind(kind) {
            let selector = object.pointer(place).expect(place);
            let terms = selector.as_object().expect(place);
            assert!(!terms.is_empty(), "{what}: {kind} selects every pod");
            for (key, value) in terms {
                assert_eq!(&labels[key], value, "{what}: {kind}");
            }
            count += 1;
        }
    }
    count
}

#[test]
fn whoever_selects_pods_selects_the_deployments() {
    for folder in APPLICABLE {
        assert_eq!(selectors_match(&Rendered::deploy(folder), folder), 4);
    }
}

#[test]
fn the_apiservice_leads_to_the_listener() {
    for folder in APPLICABLE {
        let rendered = Rendered::deploy(folder);
        let service = rendered.only("Service");
        let versions: Vec<String> = rendered
            .kind("APIService")
            .map(|api| {
                let spec = &api["spec"];
                assert_eq!(spec["service"]["name"], service["metadata"]["name"]);
                assert_eq!(
                    spec["service"]["namespace"],
                    service["metadata"]["namespace"]
                );
                assert_eq!(spec["service"]["port"], service["spec"]["ports"][0]["port"]);
                let text = |member: &str| spec[member].as_str().unwrap();
                let name = format!("{}.{}", text("version"), text("group"));
                assert_eq!(api["metadata"]["name"], name);
                name
            })
            .collect();
        // What discovery says is served.
        let served = [
            kubevitals_proto::metrics::discovery::SERVED,
            kubevitals_proto::vitals::discovery::SERVED,
        ];
        let served = served.iter().flat_map(|served| {
            let names = served.versions.iter();
            names.map(|version| format!("{version}.{}", served.group))
        });
        let (mut versions, mut served) = (versions, served.collect::<Vec<_>>());
        versions.sort_unstable();
        served.sort_unstable();
        assert_eq!(versions, served);
        let port = &rendered.container()["ports"][0];
        assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
        let let_in = &rendered.only("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"];
        assert_eq!(let_in, &port["name"]);
        let flags = flags(&rendered);
        assert_eq!(port["containerPort"], flags.serving.secure_port);
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let get = &rendered.container()[probe]["httpGet"];
            assert_eq!(
                (&get["port"], &get["scheme"]),
                (&port["name"], &json!("HTTPS"))
            );
        }
        if let Some(monitor) = rendered.kind("ServiceMonitor").next() {
            let endpoint = &monitor["spec"]["endpoints"][0];
            assert_eq!(endpoint["port"], service["spec"]["ports"][0]["name"]);
            assert_eq!(
                endpoint["tlsConfig"]["serverName"],
                format!(
                    "{}.{}.svc",
                    service["metadata"]["name"].as_str().unwrap(),
                    SERVER_ACCOUNT.0
                )
            );
            let labels = &monitor["spec"]["selector"]["matchLabels"];
            for (key, value) in labels.as_object().unwrap() {
                assert_eq!(&service["metadata"]["labels"][key], value);
            }
        }
    }
}

#[test]
fn as_a_replacement_kubevitals_io_uses_the_service_of_metrics_server() {
    let name = "v1alpha1.kubevitals.io";
    let base = Rendered::deploy("base");
    let mut expected = base
        .kind("APIService")
        .find(|api| api["metadata"]["name"] == name)
        .unwrap()
        .clone();
    expected["metadata"] = json!({"name": name});
    expected["spec"]["service"]["name"] = json!("metrics-server");
    let upgrade = std::fs::read_to_string(repository("deploy/upgrade/kubevitals.yaml")).unwrap();
    let upgrade = Rendered::yaml(&upgrade);
    assert_eq!(upgrade.only("APIService"), &expected);
    let role = upgrade.only("ClusterRole");
    assert_eq!(&typed::<ClusterRole>(role), role);
}

/// The Deployment's arguments, as the server reads them.
pub(super) fn flags(rendered: &Rendered) -> Flags {
    let arguments = rendered.arguments();
    let program = std::iter::once("vitals-server".to_owned());
    Flags::try_parse_from(program.chain(arguments))
        .unwrap_or_else(|error| panic!("the server does not take its manifest's flags: {error}"))
}

#[test]
fn the_server_takes_the_arguments_of_every_deployment() {
    for folder in APPLICABLE {
        let flags = flags(&Rendered::deploy(folder));
        assert_eq!(flags.kubelets.metric_resolution.as_secs(), 15);
        assert!(flags.kubelets.kubelet_use_node_status_port);
        assert_eq!(
            flags.kubelets.kubelet_insecure_tls,
            folder == "insecure-kubelet-tls",
            "{folder}"
        );
    }
}

/// Applied again, it takes nothing away from what the server has written.
#[test]
fn the_secret_comes_empty_and_marked_as_the_servers() {
    let upgrade = std::fs::read_to_string(repository("deploy/upgrade/rights.yaml")).unwrap();
    let all = APPLICABLE.map(Rendered::deploy).into_iter();
    for rendered in all.chain([Rendered::yaml(&upgrade)]) {
        let secret = rendered.only("Secret");
        let members: Vec<&String> = secret.as_object().unwrap().keys().collect();
        assert_eq!(members, ["apiVersion", "kind", "metadata", "type"]);
        assert_eq!(secret["type"], "Opaque");
        assert_eq!(secret["metadata"]["name"], "vitals-server-ca");
        assert_eq!(secret["metadata"]["namespace"], SERVER_ACCOUNT.0);
        let mark = &secret["metadata"]["labels"]["app.kubernetes.io/managed-by"];
        assert_eq!(mark, "vitals-server");
    }
}

/// Applied again, they leave alone what the server has written.
#[test]
fn the_configmaps_come_empty_and_are_those_that_the_server_fills() {
    let upgrade = std::fs::read_to_string(repository("deploy/upgrade/rights.yaml")).unwrap();
    let all = APPLICABLE.map(Rendered::deploy).into_iter();
    for rendered in all.chain([Rendered::yaml(&upgrade)]) {
        let mut names = Vec::new();
        for object in rendered.kind("ConfigMap") {
            let members: Vec<&String> = object.as_object().unwrap().keys().collect();
            assert_eq!(members, ["apiVersion", "kind", "metadata"]);
            assert_eq!(object["metadata"]["namespace"], SERVER_ACCOUNT.0);
            names.push(object["metadata"]["name"].as_str().unwrap());
        }
        names.sort_unstable();
        assert_eq!(
            names,
            ["vitals-server-ca", kubevitals_server::state::INCIDENTS]
        );
    }
    let flags = flags(&Rendered::deploy("base"));
    assert_eq!(
        flags.state.incidents_configmap,
        kubevitals_server::state::INCIDENTS
    );
}

/// Clients that verify the server need its CA, and not the CA's key.
#[test]
fn prometheus_reads_the_ca_where_its_key_is_not() {
    let rendered = Rendered::deploy("monitoring");
    let tls = &rendered.only("ServiceMonitor")["spec"]["endpoints"][0]["tlsConfig"];
    assert_eq!(
        tls["ca"],
        json!({"configMap": {"name": "vitals-server-ca", "key": "ca.crt"}})
    );
    let names = rendered.kind("ConfigMap").map(|it| &it["metadata"]["name"]);
    assert!(names.into_iter().any(|name| name == "vitals-server-ca"));
}

#[test]
fn two_replicas_are_never_on_one_node_nor_both_away() {
    let rendered = Rendered::deploy("ha");
    let spec = &rendered.only("Deployment")["spec"];
    assert_eq!(spec["replicas"], 2);
    let apart = &spec["template"]["spec"]["affinity"]["podAntiAffinity"];
    let apart = &apart["requiredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(apart["topologyKey"], "kubernetes.io/hostname");
    assert_eq!(
        apart["labelSelector"]["matchLabels"],
        spec["selector"]["matchLabels"]
    );
    let budget = &rendered.only("PodDisruptionBudget")["spec"];
    assert_eq!(budget["minAvailable"], 1);
    assert_eq!(budget["maxUnavailable"], Value::Null, "one of the two only");
    // A single replica under such a budget would keep its node from being drained for ever.
    let single = Rendered::deploy("base");
    let budget = &single.only("PodDisruptionBudget")["spec"];
    assert_eq!(budget["minAvailable"], Value::Null);
    assert_eq!(single.only("Deployment")["spec"]["replicas"], Value::Null);
}

#[test]
fn components_go_together() {
    let rendered = Rendered::components(&[
        "admission-policy",
        "ha",
        "insecure-kubelet-tls",
        "monitoring",
    ]);
    assert_eq!(rendered.only("Deployment")["spec"]["replicas"], 2);
    assert!(flags(&rendered).kubelets.kubelet_insecure_tls);
    assert_eq!(rendered.kind("ServiceMonitor").count(), 1);
}

#[test]
fn shards_are_a_stateful_set_that_may_read_its_own_number() {
    let rendered = Rendered::components(&["sharded"]);
    assert_eq!(rendered.kind("Deployment").count(), 0);
    let set = rendered.only("StatefulSet");
    let (name, spec) = (&set["metadata"]["name"], &set["spec"]);
    assert_eq!(spec["replicas"], 4);
    assert_eq!(*name, spec["serviceName"]);
    let pod = &spec["template"]["spec"];
    let container = &pod["containers"][0];
    let args = container["args"].as_array().unwrap();
    for flag in [
        "--shard=auto",
        "--manage-apiservice-ca",
        "--state-dir=/state",
    ] {
        assert!(args.contains(&flag.into()), "{flag}");
    }
    // The state is on a volume of the pod's own.
    let claims = spec["volumeClaimTemplates"].as_array().unwrap();
    assert_eq!(claims[0]["metadata"]["name"], "state");
    let volumes = pod["volumes"].as_array().unwrap();
    assert!(volumes.iter().all(|volume| volume["name"] != "state"));
    let roles = rendered
        .kind("Role")
        .filter(|role| role["metadata"]["name"] == *name);
    let mut rules = roles.flat_map(|role| role["rules"].as_array().unwrap());
    let rule = json!({
        "apiGroups": ["apps"], "resources": ["statefulsets"], "resourceNames": [name], "verbs": ["get"],
    });
    assert!(rules.any(|granted| *granted == rule));
}
