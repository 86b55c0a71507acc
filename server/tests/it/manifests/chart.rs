//! deploy/helm: the chart makes the same objects as the manifests, and refuses values that it does not understand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::image::metadata;
use super::objects::{flags, is_understood, selectors_match};
use super::rendered::{Rendered, output, repository};

const CHART: &str = "deploy/helm/vitals-server";

/// `helm template` for a release in the namespace of the manifests; none without helm.
fn helm() -> Option<Command> {
    if Command::new("helm").arg("version").output().is_err() {
        eprintln!("helm is missing: the chart is not checked");
        return None;
    }
    let mut command = Command::new("helm");
    command
        .args(["template", "vitals-server", "--namespace", "kube-system"])
        .arg(repository(CHART));
    Some(command)
}

/// The value files of the chart's tests, by what they are for.
fn value_files() -> BTreeMap<String, PathBuf> {
    let folder = repository(CHART).join("ci");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix("-values.yaml").expect("a value file");
        (name.to_owned(), path)
    });
    files.collect()
}

/// What the chart makes of one of its value files; of the defaults if the name is empty.
fn rendered(name: &str) -> Option<Rendered> {
    let mut command = helm()?;
    if !name.is_empty() {
        command.arg("--values").arg(&value_files()[name]);
    }
    Some(Rendered::yaml(&output(&mut command)))
}

/// The objects in order of kind, namespace and name.
fn sorted(rendered: &Rendered) -> BTreeMap<String, &Value> {
    let objects = rendered.all().map(|object| {
        let metadata = &object["metadata"];
        let key = format!(
            "{} {} {}",
            object["kind"], metadata["namespace"], metadata["name"]
        );
        (key, object)
    });
    objects.collect()
}

fn is_same(chart: &Rendered, manifests: &Rendered, what: &str) {
    let (chart, manifests) = (sorted(chart), sorted(manifests));
    let names = |objects: &BTreeMap<String, &Value>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&chart), names(&manifests), "{what}");
    for (name, object) in chart {
        assert_eq!(object, manifests[&name], "{what}: {name}");
    }
}

#[test]
fn the_chart_makes_the_same_objects_as_the_manifests() {
    for (folder, name) in [
        ("base", ""),
        ("ha", "ha"),
        ("insecure-kubelet-tls", "insecure-kubelet-tls"),
        ("monitoring", "monitoring"),
        ("admission-policy", "admission-policy"),
    ] {
        let Some(chart) = rendered(name) else { return };
        is_same(&chart, &Rendered::deploy(folder), folder);
    }
    let Some(chart) = rendered("export") else {
        return;
    };
    is_same(&chart, &Rendered::components(&["export"]), "export");
    let Some(chart) = rendered("custom-metrics") else {
        return;
    };
    let components = Rendered::components(&["custom-metrics"]);
    is_same(&chart, &components, "custom-metrics");
    let Some(chart) = rendered("custom-metrics-config") else {
        return;
    };
    let components = Rendered::components(&["custom-metrics", "custom-metrics-config"]);
    is_same(&chart, &components, "custom-metrics-config");
    let Some(chart) = rendered("incident-events") else {
        return;
    };
    let components = Rendered::components(&["export", "incident-events"]);
    is_same(&chart, &components, "incident-events");
    let Some(chart) = rendered("sharded") else {
        return;
    };
    is_same(&chart, &Rendered::components(&["sharded"]), "sharded");
}

#[test]
fn values_of_components_go_together() {
    let Some(chart) = rendered("all-components") else {
        return;
    };
    let components = Rendered::components(&[
        "admission-policy",
        "ha",
        "insecure-kubelet-tls",
        "monitoring",
    ]);
    is_same(&chart, &components, "all components");
}

#[test]
fn every_value_file_makes_objects_that_kubernetes_and_the_server_accept() {
    assert!(value_files().len() >= 10);
    for name in value_files().keys() {
        let Some(chart) = rendered(name) else { return };
        is_understood(&chart, name);
        assert!(selectors_match(&chart, name) >= 2, "{name}");
        let flags = flags(&chart);
        let port = &chart.container()["ports"][0];
        assert_eq!(port["containerPort"], flags.serving.secure_port, "{name}");
        let service = chart.only("Service");
        assert_eq!(
            service["metadata"]["name"],
            flags.serving.service_name.as_str()
        );
        for api in chart.kind("APIService") {
            assert_eq!(api["spec"]["service"]["name"], service["metadata"]["name"]);
            assert_eq!(
                api["spec"]["service"]["port"],
                service["spec"]["ports"][0]["port"]
            );
        }
        let managed = flags.serving.manage_apiservice_ca;
        assert_eq!(chart.kind("Secret").count(), usize::from(managed), "{name}");
        assert!(!managed || flags.serving.tls_cert_file.is_none(), "{name}");
    }
}

/// A subset of the base's permissions: a value takes some away, and never adds one.
#[test]
fn no_value_file_grants_more_than_the_manifests() {
    let base = Rendered::deploy("base");
    let sharded = Rendered::components(&["sharded"]);
    let rules = |rendered: &Rendered, kind: &str| -> Vec<Value> {
        let roles = rendered.kind(kind).filter(|role| {
            let name = role["metadata"]["name"].as_str().unwrap();
            !name.ends_with("-scraper")
                && !name.ends_with("-export")
                && !name.ends_with("-events")
                && !name.ends_with("-custom-metrics")
                && !name.ends_with("-metrics-reader")
        });
        roles
            .flat_map(|role| role["rules"].as_array().unwrap().clone())
            .collect()
    };
    for name in value_files().keys() {
        let Some(chart) = rendered(name) else { return };
        for kind in ["ClusterRole", "Role"] {
            let granted = rules(if name == "sharded" { &sharded } else { &base }, kind);
            for rule in rules(&chart, kind) {
                let within = granted.iter().any(|base| is_within(&rule, base));
                assert!(within, "{name}: {kind} {rule}");
            }
        }
    }
}

/// Whether a rule grants nothing that the other does not.
fn is_within(rule: &Value, other: &Value) -> bool {
    let (rule, other) = (rule.as_object().unwrap(), other.as_object().unwrap());
    rule.len() == other.len()
        && rule.iter().all(|(member, values)| {
            let allowed = other.get(member).and_then(Value::as_array);
            let values = values.as_array().unwrap().iter();
            allowed.is_some_and(|allowed| values.into_iter().all(|value| allowed.contains(value)))
        })
}

#[test]
fn with_cert_manager_the_server_serves_its_certificate_and_manages_no_ca() {
    let Some(chart) = rendered("cert-manager") else {
        return;
    };
    let certificate = chart.only("Certificate");
    let secret = &certificate["spec"]["secretName"];
    let volumes = chart.pod()["spec"]["volumes"].as_array().unwrap();
    assert!(
        volumes
            .iter()
            .any(|volume| volume["secret"]["secretName"] == *secret)
    );
    let name = format!(
        "kube-system/{}",
        certificate["metadata"]["name"].as_str().unwrap()
    );
    assert_eq!(chart.kind("APIService").count(), 3);
    for api in chart.kind("APIService") {
        let annotations = &api["metadata"]["annotations"];
        assert_eq!(annotations["cert-manager.io/inject-ca-from"], name.as_str());
        assert!(api["spec"]["caBundle"].is_null());
    }
    let flags = flags(&chart);
    assert_eq!(flags.serving.tls_cert_file, Some("/tls/tls.crt".into()));
    assert_eq!(
        flags.serving.tls_private_key_file,
        Some("/tls/tls.key".into())
    );
    let names = certificate["spec"]["dnsNames"].as_array().unwrap();
    assert_eq!(names[0], "vitals-server.kube-system.svc");
    let verified = &chart.only("ServiceMonitor")["spec"]["endpoints"][0]["tlsConfig"];
    assert_eq!(&verified["ca"]["secret"]["name"], secret);
    assert_eq!(verified["serverName"], names[0]);
}

#[test]
fn values_of_metrics_servers_chart_keep_their_meaning() {
    let Some(chart) = rendered("metrics-server") else {
        return;
    };
    let flags = flags(&chart);
    // The last one wins, as in metrics-server.
    assert_eq!(flags.kubelets.metric_resolution.as_secs(), 30);
    assert!(flags.kubelets.kubelet_insecure_tls);
    // Nobody verifies this server, so there is no CA to manage.
    assert!(!flags.serving.manage_apiservice_ca);
    for api in chart.kind("APIService") {
        assert_eq!(api["spec"]["insecureSkipTLSVerify"], true);
    }
    let container = chart.container();
    assert_eq!(
        container["image"],
        "registry.example.com/mirror/vitals-server:0.1.0-1"
    );
    assert_eq!(container["readinessProbe"]["initialDelaySeconds"], 20);
    let budget = &chart.only("PodDisruptionBudget")["spec"];
    assert_eq!(budget["minAvailable"], 1);
    assert!(budget["maxUnavailable"].is_null());
    assert_eq!(chart.only("Deployment")["spec"]["replicas"], 1);
    // Health checks stay open beside /metrics.
    let open = "--authorization-always-allow-paths=/healthz,/livez,/readyz,/metrics";
    assert!(chart.arguments().iter().any(|argument| argument == open));
}

#[test]
fn under_another_name_every_reference_follows() {
    let Some(chart) = rendered("another-name") else {
        return;
    };
    for object in chart.all() {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/name"], "metrics", "{object}");
        assert_eq!(labels["team"], "platform", "{object}");
    }
    // The ConfigMap that says whom to trust stays where Kubernetes has it.
    let roles: Vec<&Value> = chart.kind("Role").collect();
    let namespaces = roles
        .iter()
        .map(|role| role["metadata"]["namespace"].as_str().unwrap());
    assert_eq!(
        namespaces.collect::<Vec<_>>(),
        ["kube-system", "monitoring"]
    );
    let trusted = &roles[0]["rules"];
    assert_eq!(trusted.as_array().unwrap().len(), 1);
    assert_eq!(
        trusted[0]["resourceNames"][0],
        "extension-apiserver-authentication"
    );
    for binding in chart
        .kind("RoleBinding")
        .chain(chart.kind("ClusterRoleBinding"))
    {
        assert_eq!(binding["subjects"][0]["name"], "scraper");
        assert_eq!(binding["subjects"][0]["namespace"], "monitoring");
    }
    let policy = chart.only("ValidatingAdmissionPolicy");
    let condition = policy["spec"]["matchConditions"][0]["expression"]
        .as_str()
        .unwrap();
    assert!(
        condition.ends_with("'system:serviceaccount:monitoring:scraper'"),
        "{condition}"
    );
    let alerts = chart.only("PrometheusRule").to_string();
    assert!(
        alerts.contains("job=\\\"metrics\\\"") && !alerts.contains("job=\\\"vitals-server\\\"")
    );
}

#[test]
fn a_wrong_value_is_refused_with_a_reason() {
    for (set, reason) in [
        ("replicas=two", "/replicas"),
        ("image.repo=x", "'repo' not allowed"),
        ("nonsense=1", "'nonsense' not allowed"),
        ("containerPort=99999", "/containerPort"),
        ("args=--kubelet-insecure-tls", "/args"),
        ("args={kubelet-insecure-tls}", "/args/0"),
        ("tls.type=letsencrypt", "/tls/type"),
        ("tls=null", "'tls'"),
        ("fullnameOverride=Vitals", "/fullnameOverride"),
        (
            "commonLabels.app\\.kubernetes\\.io/name=x",
            "commonLabels cannot set app.kubernetes.io/name",
        ),
        (
            "podDisruptionBudget.minAvailable=half",
            "/podDisruptionBudget/minAvailable",
        ),
        ("apiService.caBundle=/ca.crt", "/apiService/caBundle"),
        (
            "stateVolume.emptyDir.medium=Memory,stateVolume.hostPath.path=/",
            "/stateVolume",
        ),
        (
            "addonResizer.enabled=true",
            "the addon resizer restarts the pod",
        ),
        (
            "rbac.pspEnabled=true",
            "Kubernetes has no PodSecurityPolicy since 1.25",
        ),
        (
            "tls.type=helm",
            "nothing renews a certificate that Helm makes",
        ),
        (
            "tls.type=existingSecret",
            "tls.existingSecret.name is missing",
        ),
        ("hostNetwork.enabled=true", "10250 is the kubelet's port"),
        (
            "podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1",
            "exclude each other",
        ),
        (
            "customMetrics.enabled=true,customMetrics.external=false,customMetrics.externalQueries[0].name=a",
            "no effect with customMetrics.external false",
        ),
        (
            "customMetrics.externalQueryURL=http://a",
            "no effect without customMetrics.externalQueries",
        ),
        ("sharding.enabled=true", "needs replicas of two or more"),
        (
            "sharding.enabled=true,replicas=2,apiService.insecureSkipTLSVerify=true",
            "the CA that the server manages",
        ),
        (
            "sharding.enabled=true,replicas=2,stateVolume.emptyDir.sizeLimit=1Gi",
            "exclude each other",
        ),
        (
            "serviceMonitor.enabled=true,apiService.insecureSkipTLSVerify=true",
            "serviceMonitor.tlsConfig is missing",
        ),
    ] {
        let Some(mut command) = helm() else { return };
        let result = command.args(["--set", set]).output().unwrap();
        let said = String::from_utf8(result.stderr).unwrap();
        assert!(!result.status.success(), "{set} is accepted");
        assert!(said.contains(reason), "{set}: {said}");
        assert!(result.stdout.is_empty(), "{set}");
    }
}

/// What the chart makes with some values.
fn with(set: &str) -> Option<Rendered> {
    Some(Rendered::yaml(&output(helm()?.args(["--set", set]))))
}

#[test]
fn whoever_has_external_metrics_elsewhere_gets_nothing_of_them() {
    let Some(chart) = with("customMetrics.enabled=true,customMetrics.external=false") else {
        return;
    };
    for object in chart.all() {
        assert!(!object.to_string().contains("external.metrics"), "{object}");
    }
    let custom = |name: &str| name.ends_with("custom.metrics.k8s.io");
    let apis = chart.kind("APIService");
    let apis = apis.filter(|api| custom(api["metadata"]["name"].as_str().unwrap()));
    assert_eq!(apis.count(), 2);
}

/// The server reads what the chart writes.
#[test]
fn files_of_custom_metrics_are_mounted_and_valid() {
    let queries =
        "customMetrics.externalQueries[0].name=a,customMetrics.externalQueries[0].query=$namespace";
    let values = format!(
        "customMetrics.enabled=true,customMetrics.config.keep={{up}},customMetrics.secret=passwords,{queries},\
         customMetrics.externalQueryURL=http://prometheus:9090"
    );
    let Some(chart) = with(&values) else { return };
    let mut flags = flags(&chart);
    let mounts = chart.container()["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|it| it["name"] == "custom-metrics");
    let mounted = std::path::Path::new(mount.unwrap()["mountPath"].as_str().unwrap());
    let volumes = chart.pod()["spec"]["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|it| it["name"] == "custom-metrics");
    let sources = &volume.unwrap()["projected"]["sources"];
    let maps = chart.kind("ConfigMap");
    let mut maps = maps.filter(|it| it["metadata"]["name"] == sources[0]["configMap"]["name"]);
    let data = maps.next().unwrap()["data"].as_object().unwrap();
    assert_eq!(sources[1]["secret"]["name"], "passwords");
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in data {
        std::fs::write(folder.path().join(name), content.as_str().unwrap()).unwrap();
    }
    for file in [
        &mut flags.pod_metrics.pod_metrics_config,
        &mut flags.external_queries.external_query_config,
    ] {
        let path = file.take().unwrap();
        *file = Some(folder.path().join(path.strip_prefix(mounted).unwrap()));
    }
    let settings = flags
        .external_queries
        .settings(None, true)
        .unwrap()
        .unwrap();
    assert_eq!(&*settings.queries[0].name, "a");
    assert_eq!(settings.engine.url.as_str(), "http://prometheus:9090/");
    let kept = &data["pod-metrics.yaml"];
    assert_eq!(kept, "keep:\n- up\n");
    let annotations = &chart.pod()["metadata"]["annotations"];
    assert!(annotations["checksum/external-queries"].is_string());
}

#[test]
fn the_packed_chart_makes_the_same_objects() {
    let folder = tempfile::tempdir().unwrap();
    let pack = repository("scripts/release/chart.sh");
    output(Command::new(pack).arg(folder.path()));
    let packed = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let packed = packed.unwrap().path();
    let listed = output(Command::new("tar").arg("-tzf").arg(&packed));
    assert!(listed.contains("vitals-server/templates/deployment.yaml\n"));
    assert!(
        !listed.contains("/ci/") && !listed.contains("kustomization"),
        "{listed}"
    );
    let Some(_) = helm() else { return };
    let mut command = Command::new("helm");
    command.args(["template", "vitals-server", "--namespace", "kube-system"]);
    command
        .arg(packed)
        .arg("--values")
        .arg(&value_files()["all-components"]);
    let chart = Rendered::yaml(&output(&mut command));
    is_same(&chart, &rendered("all-components").unwrap(), "packed");
}

#[test]
fn the_charts_version_is_that_of_the_programs() {
    let text = std::fs::read_to_string(repository(CHART).join("Chart.yaml")).unwrap();
    let chart = Rendered::yaml(&text);
    let chart = chart.all().next().unwrap();
    let version = &metadata()["packages"][0]["version"];
    assert_eq!(
        (&chart["version"], &chart["appVersion"]),
        (version, version)
    );
}
