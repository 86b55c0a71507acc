//! A real kubectl against the simulated API server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use serde_json::json;
use tempfile::TempDir;

use crate::backend::{Backend, certificate};
use crate::fixtures::{namespace, node, pod};
use crate::harness::{Api, DEADLINE};

/// A kubectl with its own kubeconfig and caches.
struct Kubectl {
    home: TempDir,
}

impl Kubectl {
    fn new(kubeconfig: &str) -> Self {
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("config"), kubeconfig).unwrap();
        Self { home }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(self.home.path().join("config"))
            .arg("--cache-dir")
            .arg(self.home.path().join("cache"))
            .arg("--request-timeout=20s")
            .args(arguments.split_whitespace());
        command
    }

    /// Standard output, or standard error and the exit code.
    async fn run(&self, arguments: &str) -> Result<String, String> {
        let mut command = self.command(arguments);
        let output =
            tokio::task::spawn_blocking(move || command.output().expect("kubectl is needed"))
                .await
                .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() {
            // What it complains of it says on standard error; an older kubectl than the server is no matter.
            let complaints = text(output.stderr);
            let harmless = |line: &str| {
                line.starts_with("No resources found") || line.contains("version skew")
            };
            assert!(
                complaints.lines().all(harmless),
                "{arguments}: {complaints}"
            );
            Ok(text(output.stdout))
        } else {
            Err(format!("{}{}", text(output.stderr), text(output.stdout)))
        }
    }

    /// Lines of output with runs of spaces made one.
    async fn lines(&self, arguments: &str) -> Vec<String> {
        let output = self
            .run(arguments)
            .await
            .unwrap_or_else(|e| panic!("kubectl {arguments}: {e}"));
        output.lines().map(squeezed).collect()
    }
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A small cluster, and the server that its aggregated groups come from.
async fn cluster() -> (Api, Backend) {
    let api = Api::start().await;
    for name in ["default", "kube-system", "prod"] {
        api.store.apply(Resource::Namespaces, namespace(name));
    }
    api.store.apply(Resource::Nodes, node("n1"));
    api.store
        .apply(Resource::Pods, pod("default", "web", "web"));
    let mut crash = pod("prod", "crash", "crash");
    crash["metadata"]["uid"] = json!("u-crash");
    crash["status"]["containerStatuses"][0] = json!({
        "name": "main", "ready": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 7, "reason": "Error", "finishedAt": "2026-01-01T11:58:30Z"}},
    });
    api.store.apply(Resource::Pods, crash);
    let template =
        json!({"spec": {"containers": [{"name": "main", "image": "example.org/app:1"}]}});
    api.store.apply(
        Resource::Deployments,
        json!({
            "metadata": {"namespace": "default", "name": "web", "creationTimestamp": "2026-01-01T11:00:00Z"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
            "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
        }),
    );
    api.store.apply(
        Resource::Events,
        json!({
            "metadata": {"namespace": "prod", "name": "crash.1"}, "type": "Warning", "reason": "BackOff", "count": 4,
            "message": "Back-off restarting failed container", "lastTimestamp": "2026-01-01T11:59:30Z",
            "involvedObject": {"kind": "Pod", "name": "crash", "namespace": "prod", "uid": "u-crash"},
        }),
    );
    let own = kubevitals_sim::pki::Authority::new("own").unwrap();
    let backend = Backend::start(&certificate(&own), &api.pki.front_proxy().pem()).await;
    api.server.set_aggregated(Some(backend.addr));
    (api, backend)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_printed() {
    let (api, _backend) = cluster().await;
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    assert_eq!(
        kubectl.lines("get nodes").await,
        [
            "NAME STATUS ROLES AGE VERSION",
            "n1 Ready worker 5h v1.36.0"
        ]
    );
    assert_eq!(
        kubectl.lines("get pods -A").await,
        [
            "NAMESPACE NAME READY STATUS RESTARTS AGE",
            "default web 1/1 Running 0 10m",
            "prod crash 0/1 CrashLoopBackOff 3 (90s ago) 10m",
        ]
    );
    assert_eq!(
        kubectl.lines("get pods -o wide -n default").await,
        [
            "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES",
            "web 1/1 Running 0 10m 10.0.0.1 n1 <none> <none>"
        ]
    );
    assert_eq!(
        kubectl.lines("get nodes -o wide").await,
        [
            "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
            "n1 Ready worker 5h v1.36.0 127.1.0.1 <none> Debian GNU/Linux 13 6.12.0 containerd://2.1.0",
        ]
    );
    assert_eq!(
        kubectl.lines("get deploy").await,
        ["NAME READY UP-TO-DATE AVAILABLE AGE", "web 1/2 2 1 60m"]
    );
    assert_eq!(
        kubectl.lines("get events -n prod").await,
        [
            "LAST SEEN TYPE REASON OBJECT MESSAGE",
            "30s Warning BackOff pod/crash Back-off restarting failed container"
        ]
    );
    assert_eq!(
        kubectl.lines("get ns prod").await,
        ["NAME STATUS AGE", "prod Active 12h"]
    );
    let both = kubectl.lines("get nodes,pods -A").await;
    for object in [
        "node/n1 Ready",
        "pod/web 1/1 Running",
        "pod/crash 0/1 CrashLoopBackOff",
    ] {
        assert!(
            both.iter().any(|line| line.contains(object)),
            "{object}: {both:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workloads_are_printed() {
    let api = Api::start().await;
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    let apply = |resource: Resource,
                 name: &str,
                 spec: serde_json::Value,
                 status: serde_json::Value| {
        let metadata = json!({"namespace": "default", "name": name, "creationTimestamp": "2026-01-01T11:00:00Z"});
        api.store.apply(
            resource,
            json!({"metadata": metadata, "spec": spec, "status": status}),
        );
    };
    let template = json!({"spec": {"containers": [{"name": "c", "image": "i:1"}], "nodeSelector": {"os": "linux"}}});
    let spec =
        json!({"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template});
    apply(
        Resource::ReplicaSets,
        "rs",
        spec.clone(),
        json!({"replicas": 2, "readyReplicas": 1}),
    );
    apply(
        Resource::StatefulSets,
        "sts",
        spec.clone(),
        json!({"readyReplicas": 2}),
    );
    let scheduled = json!({"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberReady": 2, "updatedNumberScheduled": 3, "numberAvailable": 2});
    apply(Resource::DaemonSets, "ds", spec, scheduled);
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let current = json!({"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "12m"}}});
    apply(
        Resource::HorizontalPodAutoscalers,
        "hpa",
        json!({"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 3, "metrics": [metric]}),
        json!({"currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": [current]}),
    );
    for (arguments, expected) in [
        ("get rs", ["NAME DESIRED CURRENT READY AGE", "rs 2 2 1 60m"]),
        (
            "get rs -o wide",
            [
                "NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR",
                "rs 2 2 1 60m c i:1 app=a",
            ],
        ),
        ("get sts", ["NAME READY AGE", "sts 2/2 60m"]),
        (
            "get ds",
            [
                "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE SELECTOR AGE",
                "ds 3 3 2 3 2 os=linux 60m",
            ],
        ),
        (
            "get hpa",
            [
                "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE",
                "hpa Deployment/web cpu: 12%/80% 1 3 2 60m",
            ],
        ),
    ] {
        let mut command = kubectl.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            printed.lines().map(squeezed).collect::<Vec<_>>(),
            expected,
            "{arguments}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn selection_and_other_outputs_work() {
    let (api, _backend) = cluster().await;
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    assert_eq!(
        kubectl.lines("get pods -A -l app=web -o name").await,
        ["pod/web"]
    );
    assert_eq!(
        kubectl
            .lines(
                "get pods -A --field-selector status.phase=Running,metadata.namespace=prod -o name"
            )
            .await,
        ["pod/crash"]
    );
    assert_eq!(kubectl.run("get pods -l app=none").await, Ok(String::new()));
    let yaml = kubectl.run("get pod web -o yaml").await.unwrap();
    assert!(
        yaml.contains("kind: Pod") && yaml.contains("nodeName: n1"),
        "{yaml}"
    );
    assert_eq!(
        kubectl
            .lines("get po -A --sort-by=.metadata.name --no-headers")
            .await
            .len(),
        2
    );
    let described = kubectl.run("describe pod crash -n prod").await.unwrap();
    assert!(
        described.contains("Back-off restarting failed container"),
        "{described}"
    );
    let missing = kubectl.run("get pod nope").await.unwrap_err();
    assert_eq!(
        missing,
        "Error from server (NotFound): pods \"nope\" not found\n"
    );
    let unknown = kubectl.run("get gizmos").await.unwrap_err();
    assert_eq!(
        unknown,
        "error: the server doesn't have a resource type \"gizmos\"\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_and_authorization_work() {
    let (api, _backend) = cluster().await;
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    let resources = kubectl.lines("api-resources --no-headers").await;
    for line in [
        "pods po v1 true Pod",
        "horizontalpodautoscalers hpa autoscaling/v2 true HorizontalPodAutoscaler",
        "pods metrics.k8s.io/v1beta1 true PodMetrics",
        "podvitals kubevitals.io/v1alpha1 true PodVitals",
    ] {
        assert!(
            resources.iter().any(|l| l == line),
            "{line}: {resources:#?}"
        );
    }
    assert!(
        kubectl
            .run("version")
            .await
            .unwrap()
            .contains("Server Version: v1.36.0")
    );
    assert_eq!(
        kubectl
            .lines("get apiservice v1beta1.metrics.k8s.io --no-headers")
            .await,
        ["v1beta1.metrics.k8s.io kube-system/vitals-server True 0s"]
    );
    assert_eq!(kubectl.lines("auth can-i delete pods").await, ["yes"]);

    let token = api.identities.mint_token(UserInfo::new("jane", ["dev"]));
    api.identities.grant(
        Subject::User("jane".into()),
        Rule::resources(&["get", "list"], "", &["pods"]).in_namespace("prod"),
    );
    let jane = Kubectl::new(&api.server.kubeconfig().yaml(
        "jane",
        &kubevitals_sim::apiserver::Credentials::Token(&token),
    ));
    assert_eq!(jane.lines("auth can-i list pods -n prod").await, ["yes"]);
    assert_eq!(
        jane.run("auth can-i list pods -n default").await,
        Err("no\n".to_owned())
    );
    let whoami = jane.run("auth whoami").await.unwrap();
    assert!(
        whoami.contains("jane") && whoami.contains("system:authenticated"),
        "{whoami}"
    );
    let refused = jane.run("get nodes").await.unwrap_err();
    assert_eq!(
        refused,
        "Error from server (Forbidden): nodes is forbidden: User \"jane\" cannot list resource \"nodes\" in API group \"\" at the cluster scope\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_aggregated_server_is_named_by_top_and_harms_nothing_else() {
    let (api, _backend) = cluster().await;
    api.server.set_aggregated(None);
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    let mut command = kubectl.command("get pods");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert!(output.status.success());
    let raw = kubectl
        .run("get --raw /apis/metrics.k8s.io/v1beta1/nodes")
        .await
        .unwrap_err();
    assert!(
        raw.contains("the server is currently unable to handle the request"),
        "{raw}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_prints_changes_as_they_come() {
    let (api, _backend) = cluster().await;
    let kubectl = Kubectl::new(api.server.admin_kubeconfig());
    let mut child = kubectl
        .command("get pods -w --request-timeout=0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        output
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| send.send(line))
    });
    let next = || squeezed(&lines.recv_timeout(DEADLINE).unwrap());
    assert_eq!(next(), "NAME READY STATUS RESTARTS AGE");
    assert_eq!(next(), "web 1/1 Running 0 10m");
    let mut leaving = pod("default", "web", "web");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
    api.store.apply(Resource::Pods, leaving);
    assert_eq!(next(), "web 1/1 Terminating 0 10m");
    api.store
        .apply(Resource::Pods, pod("default", "web2", "web"));
    assert_eq!(next(), "web2 1/1 Running 0 10m");
    child.kill().unwrap();
    child.wait().unwrap();
}
