//! `vitals why` with our server, with another one, and with one that denies it.

use serde_json::{Value, json};

use crate::api::{Api, Cluster, Reply};
use crate::ask::{At, Said, vitals};
use crate::demo::Demo;
use crate::world::{container, node_metrics, pod_metrics};

fn run(at: &impl At, line: &str) -> Said {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    vitals(at, &arguments)
}

#[test]
fn the_demo_explains_pods_and_nodes_with_and_without_metrics() {
    let demo = Demo::start(&["--nodes", "2", "--pods-per-node", "4"]);
    let pods = || {
        let said = run(&demo, "top pods -A --no-headers").out;
        let rows = said.lines().map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        });
        rows.collect::<Vec<_>>()
    };
    demo.wait_until("metrics of all pods", |demo| {
        demo.kubeconfig().exists() && pods().len() == 8
    });
    let (namespace, name) = &pods()[0];
    for line in [
        format!("why pod {namespace}/{name}"),
        format!("why pods/{name} -n {namespace}"),
        format!("why pod {name} --namespace={namespace}"),
    ] {
        let said = run(&demo, &line);
        assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
        let expected =
            format!("pod {namespace}/{name}\n\n  known     ok   the API server has it\n");
        assert!(said.out.starts_with(&expected), "{}", said.out);
        assert!(said.out.contains("\n  fresh     ok   "), "{}", said.out);
        assert!(said.out.contains("\nMetrics are there, "), "{}", said.out);
    }
    let said = run(&demo, "why node node-0001");
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("\nMetrics are there, "), "{}", said.out);
    let said = run(&demo, "why pod nobody");
    assert_eq!(
        (said.err.as_str(), said.code),
        (
            "error: pod default/nobody: the API server has no such pod\n",
            Some(1)
        )
    );
    assert!(
        said.out.ends_with(
            "There is no pod default/nobody.\n\
             What to do: check the name and the namespace: kubectl get pods -A.\n"
        ),
        "{}",
        said.out
    );
    for line in ["why node nobody", "why pods/nobody -n kube-system -o json"] {
        let said = run(&demo, line);
        assert_eq!(said.code, Some(1), "{line}");
        assert!(said.err.starts_with("error: ") && !said.out.is_empty());
    }
    let said = run(&demo, "why node nobody -o json");
    let why: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&why["kind"], &why["reason"]),
        (&"NodeMetricsWhy".into(), &"unknown_node".into())
    );
}

fn another() -> Cluster {
    Cluster {
        node_metrics: vec![node_metrics("n1", "1", "1Gi")],
        pod_metrics: vec![pod_metrics(
            "default",
            "web",
            vec![container("a", "1", "1")],
        )],
        ..Cluster::default()
    }
}

#[test]
fn another_metrics_server_has_no_details() {
    let api = Api::serve(another());
    for (line, whom) in [
        ("why pod web", "pod default/web"),
        ("why node n1", "node n1"),
    ] {
        let said = run(&api, line);
        assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
        assert_eq!(
            said.out,
            format!(
                "{whom} has metrics. This cluster's metrics server is not vitals-server, so there are no details.\n"
            )
        );
    }
    for (line, expected) in [
        (
            "why pod nobody",
            "error: pod default/nobody: the API server has no such pod\n",
        ),
        ("why node nobody", "is not vitals-server, cannot report why"),
        (
            "why pod web -o json",
            "is not vitals-server, so there is no response to print as JSON",
        ),
    ] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(1)), "{line}");
        assert!(said.err.contains(expected), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
}

/// The status of a pod says why its containers do not run, whichever server has the metrics.
#[test]
fn containers_that_do_not_run_are_explained_with_another_metrics_server() {
    let status = |name: &str, state: Value| {
        let last = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}});
        json!({"name": name, "restartCount": 2, "state": state, "lastState": last})
    };
    let loops = || json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let pod = |name: &str, containers: &[(&str, Value)]| {
        let names = containers.iter().map(|(name, _)| json!({"name": name}));
        let statuses = containers.iter();
        let statuses = statuses.map(|(name, state)| status(name, state.clone()));
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "default", "name": name},
            "spec": {"nodeName": "n1", "containers": names.collect::<Vec<_>>()},
            "status": {"phase": "Running", "containerStatuses": statuses.collect::<Vec<_>>()}})
    };
    let running = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    let api = Api::serve(Cluster {
        pods: vec![
            pod("loops", &[("a", loops())]),
            pod("web", &[("a", running), ("sidecar", loops())]),
        ],
        ..another()
    });
    let why = "does not run: CrashLoopBackOff after OOMKilled (exit 137), 3 times; \
               it last ended at 2026-01-01T00:00:00Z, ";
    for (line, expected) in [
        (
            "why pod loops",
            vec![
                "pod default/loops has no metrics. Its container a does not run: CrashLoopBackOff after OOMKilled \
                 (exit 137), 3 times.".to_owned(),
                String::new(),
                "containers:".to_owned(),
                format!("  a  {why}"),
                String::new(),
                "What to do: look why it ends: kubectl logs --previous, and kubectl get incidents.".to_owned(),
            ],
        ),
        (
            "why pod web",
            vec![
                "pod default/web has metrics. This cluster's metrics server is not vitals-server, so there are no \
                 details.".to_owned(),
                String::new(),
                "containers:".to_owned(),
                "  a        runs".to_owned(),
                format!("  sidecar  {why}"),
            ],
        ),
    ] {
        let said = run(&api, line);
        assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
        let lines = said.out.lines();
        // The age is that of today.
        let lines = lines.map(|line| match line.split_once("Z, ") {
            Some((before, _)) => format!("{before}Z, "),
            None => line.to_owned(),
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{line}");
    }
}

/// What the server says of a pod that does not run is printed as it is.
#[test]
fn the_state_of_a_pod_that_does_not_run_is_explained() {
    let verdict = "Its container web does not run: CrashLoopBackOff after exit 7, 8 times; nothing runs, so nothing is measured.";
    let running =
        "its phase is Running; container web does not run: CrashLoopBackOff after exit 7, 8 times";
    let why = json!({
        "kind": "PodMetricsWhy", "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "web", "namespace": "shop"},
        "available": false, "reason": "not_running", "verdict": verdict,
        "hint": "look why it ends: kubectl logs --previous, and kubectl get incidents",
        "steps": [
            {"name": "known", "state": "ok", "message": "the API server has it"},
            {"name": "running", "state": "warning", "message": running},
            {"name": "reported", "state": "failed", "message": "it is not in node n1's last answer"},
        ],
    });
    let mut cluster = another();
    let path = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/web/why";
    cluster.replies.insert(path.to_owned(), Reply::json(&why));
    let api = Api::serve(cluster);
    let said = run(&api, "why pod shop/web");
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    assert_eq!(
        said.out,
        format!(
            "pod shop/web\n\n  known     ok   the API server has it\n  running   but  {running}\n  \
             reported  NO   it is not in node n1's last answer\n\n{verdict}\n\
             What to do: look why it ends: kubectl logs --previous, and kubectl get incidents.\n"
        )
    );
}

#[test]
fn a_missing_permission_is_named() {
    let mut cluster = another();
    for path in [
        "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/web/why",
        "/apis/metrics.k8s.io/v1beta1/nodes/n1/why",
    ] {
        let refused = Reply::status(403, "Forbidden", "no, jane");
        cluster.replies.insert(path.to_owned(), refused);
    }
    let api = Api::serve(cluster);
    for (line, permission) in [
        (
            "why pod shop/web",
            "pods/why of API group metrics.k8s.io, in namespace shop",
        ),
        ("why node n1", "nodes/why of API group metrics.k8s.io"),
    ] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(1)), "{line}");
        assert_eq!(
            said.err,
            format!(
                "Error from server (Forbidden): no, jane\nyou need permission to get {permission}\n"
            )
        );
    }
}

#[test]
fn without_a_metrics_api_there_is_no_explanation() {
    let api = Api::serve(Cluster {
        versions: Vec::new(),
        ..Cluster::default()
    });
    let said = run(&api, "why node n1");
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.starts_with("error: Metrics API not available: "),
        "{}",
        said.err
    );
}

#[test]
fn a_kind_without_metrics_is_refused_before_any_request() {
    let api = Api::serve(another());
    for line in ["why deployment web", "why pod", "why pod a/b/c"] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(2)), "{line}");
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
    assert!(api.requests.lock().unwrap().is_empty());
}

/// A cluster with kubevitals.io, whose server answers `why` of a metric with this.
fn with_vitals(reply: Option<Reply>) -> Cluster {
    let group =
        |name, version| json!({"metadata": {"name": name}, "versions": [{"version": version}]});
    let groups = json!({"kind": "APIGroupDiscoveryList", "items": [
        group("metrics.k8s.io", "v1beta1"), group("kubevitals.io", "v1alpha1")]});
    let mut cluster = another();
    let replies = &mut cluster.replies;
    replies.insert("/apis".to_owned(), Reply::json(&groups));
    let path = "/apis/kubevitals.io/v1alpha1/namespaces/shop/podvitals/web/why".to_owned();
    replies.extend(reply.map(|reply| (path, reply)));
    cluster
}

#[test]
fn the_chain_of_a_metric_is_printed() {
    let mut why = json!({
        "kind": "OwnMetricWhy", "apiVersion": "kubevitals.io/v1alpha1",
        "metadata": {"name": "web", "namespace": "shop"},
        "available": false, "reason": "not_kept",
        "verdict": "Nothing asks for rps, so the server does not keep it.",
        "hint": "name it in a HorizontalPodAutoscaler",
        "steps": [
            {"name": "known", "state": "ok", "message": "the API server has it"},
            {"name": "selected", "state": "ok", "message": "annotation prometheus.io/scrape selects it"},
            {"name": "scraped", "state": "warning", "message": "late\u{1b}[31m"},
            {"name": "kept", "state": "failed", "message": "nothing asks for rps"},
        ],
    });
    let api = Api::serve(with_vitals(Some(Reply::json(&why))));
    let said = run(&api, "why metric shop/web rps --series code=500");
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    assert_eq!(
        said.out,
        "metric rps of pod shop/web\n\n  \
           known     ok   the API server has it\n  \
           selected  ok   annotation prometheus.io/scrape selects it\n  \
           scraped   but  late\u{fffd}[31m\n  \
           kept      NO   nothing asks for rps\n\n\
         Nothing asks for rps, so the server does not keep it.\n\
         What to do: name it in a HorizontalPodAutoscaler.\n"
    );
    let requests = api.requests.lock().unwrap().join("\n");
    let query = "/podvitals/web/why?metric=rps&metricLabelSelector=code%3D500";
    assert!(requests.contains(query), "{requests}");
    let said = run(&api, "why metric web rps -n shop -o json");
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), why);

    why["steps"] =
        json!([{"name": "known", "state": "failed", "message": "the API server has no such pod"}]);
    let api = Api::serve(with_vitals(Some(Reply::json(&why))));
    let said = run(&api, "why metric shop/web rps");
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.err,
        "error: metric rps of pod shop/web: the API server has no such pod\n"
    );
}

#[test]
fn a_metric_without_an_explanation_says_why() {
    let denied = Reply::status(403, "Forbidden", "no, jane");
    for (cluster, expected) in [
        (another(), "no metrics that pods expose: "),
        (
            with_vitals(None),
            "is too old to know the metrics that pods expose",
        ),
        (
            with_vitals(Some(denied)),
            "no, jane\nyou need permission to get podvitals/why of API group kubevitals.io, in namespace shop\n",
        ),
    ] {
        let api = Api::serve(cluster);
        let said = run(&api, "why metric shop/web rps");
        assert_eq!((said.out.as_str(), said.code), ("", Some(1)), "{expected}");
        assert!(said.err.contains(expected), "{}", said.err);
    }
    let api = Api::serve(another());
    for line in [
        "why metric shop/web",
        "why pod web rps",
        "why node n1 --series a=b",
    ] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(2)), "{line}");
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
}

#[test]
fn the_demo_explains_an_hpa_and_that_pods_are_not_scraped() {
    let demo = Demo::start(&["--nodes", "3"]);
    let hpas = || run(&demo, "get hpas -A --no-headers --columns ns,name").out;
    demo.wait_until("HPAs", |demo| {
        demo.kubeconfig().exists() && !hpas().is_empty()
    });
    let hpas = hpas();
    let mut words = hpas.split_whitespace();
    let (namespace, name) = (words.next().unwrap(), words.next().unwrap());
    let said = run(&demo, &format!("why hpa {namespace}/{name}"));
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    let expected = format!("HPA {namespace}/{name}\n\n  highest cpu ");
    assert!(said.out.starts_with(&expected), "{}", said.out);
    for expected in [
        "\n  resource cpu ",
        "  from metrics.k8s.io by kube-system/vitals-server\n",
        "\n  AbleToScale True for ",
    ] {
        assert!(said.out.contains(expected), "{expected}: {}", said.out);
    }
    for (line, code, expected) in [
        ("why hpa nobody", 1, "Error from server (NotFound): "),
        ("why hpa web -o json", 2, "prints text only"),
    ] {
        let said = run(&demo, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(code)), "{line}");
        assert!(said.err.contains(expected), "{}", said.err);
    }
    let pods = run(&demo, &format!("get pods -n {namespace} -o name --limit 1"));
    let pod = pods.out.trim().trim_start_matches("pod/");
    let said = run(&demo, &format!("why metric {namespace}/{pod} rps"));
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    assert!(said.out.contains("\n  enabled   NO   "), "{}", said.out);
    assert!(
        said.out
            .ends_with("What to do: start vitals-server with --pod-metrics.\n")
    );
}

/// A demo with pods' own metrics has the autoscalers and GPUs that `docs/custom-metrics.md` says to try.
#[test]
fn the_demo_of_pod_metrics_has_what_the_documentation_says_to_try() {
    let demo = Demo::start(&["--nodes", "3", "--pod-metrics", "--speed", "20"]);
    let hpas = || run(&demo, "get hpas -A --no-headers --columns ns,name").out;
    demo.wait_until("HPAs", |demo| {
        demo.kubeconfig().exists() && hpas().contains("coredns")
    });
    for (hpa, expected) in [
        ("payments/ledger", "http_requests_per_second"),
        ("ml/llm-serving", "DCGM_FI_DEV_GPU_UTIL"),
        ("kube-system/coredns", "queue_length"),
    ] {
        demo.wait_until(hpa, |demo| {
            run(demo, &format!("why hpa {hpa}")).out.contains(expected)
        });
    }
    demo.wait_until("usage of GPUs", |demo| {
        let gpus = run(demo, "top pods -n ml --gpu").out;
        gpus.lines().count() > 1 && !gpus.contains("<none>")
    });
    demo.wait_until("a rate of requests", |demo| {
        let pods = run(demo, "get pods -n payments -o name").out;
        let pod = pods
            .lines()
            .find_map(|line| line.strip_prefix("pod/ledger"));
        pod.is_some_and(|pod| {
            let line = format!("why metric payments/ledger{pod} http_requests_per_second");
            let said = run(demo, &line).out;
            said.contains("\n  enabled   ok   ") && !said.contains("What to do")
        })
    });
}
