//! `get`, and `top` with flags that kubectl does not have, on a cluster with metrics.k8s.io.

mod live;
mod schema;

use serde_json::{Value, json};

use crate::api::{Api, Cluster, Reply};
use crate::ask::{At, Said, vitals};
use crate::world::{container, node, node_metrics, pod, pod_metrics};

/// Runs `vitals` with the words of a line.
fn run(at: &impl At, line: &str) -> Said {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    vitals(at, &arguments)
}

/// The output of a line that succeeds without a message.
fn printed(at: &impl At, line: &str) -> String {
    let said = run(at, line);
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
    said.out
}

fn json_of(at: &impl At, line: &str) -> Value {
    serde_json::from_str(&printed(at, line)).unwrap()
}

/// A pod that requests half a core, with labels.
fn shop_pod(namespace: &str, name: &str, app: &str) -> Value {
    let mut pod = pod(namespace, name, "2026-01-01T00:00:00Z");
    pod["metadata"]["labels"] = json!({"app": app});
    pod["spec"]["containers"] = json!([{"name": "main",
        "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}}]);
    pod
}

fn list(kind: &str) -> Reply {
    Reply::json(
        &json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
    )
}

/// Two namespaces; one pod has no metrics.
fn shop() -> Cluster {
    let usage = |namespace, name, cpu, memory| {
        pod_metrics(namespace, name, vec![container("main", cpu, memory)])
    };
    let mut cluster = Cluster {
        nodes: vec![node("n1", "4", "8Gi")],
        node_metrics: vec![node_metrics("n1", "1", "2Gi")],
        pods: vec![
            shop_pod("shop", "web-1", "web"),
            shop_pod("shop", "web-2", "web"),
            shop_pod("shop", "db-0", "db"),
            shop_pod("payments", "ledger-1", "ledger"),
        ],
        pod_metrics: vec![
            usage("shop", "web-1", "250m", "32Mi"),
            usage("shop", "db-0", "100m", "96Mi"),
            usage("payments", "ledger-1", "1500u", "16Mi"),
        ],
        ..Cluster::default()
    };
    for scope in [
        "",
        "namespaces/shop/",
        "namespaces/payments/",
        "namespaces/default/",
    ] {
        let path = format!("/apis/batch/v1/{scope}jobs");
        cluster.replies.insert(path, list("JobList"));
    }
    cluster
}

fn column<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| &item[name]).collect()
}

#[test]
fn one_pod_without_metrics_does_not_fail_the_rest() {
    let api = Api::serve(shop());
    let document = json_of(&api, "get pods -A -o json");
    assert_eq!(
        (&document["kind"], &document["source"]),
        (&json!("Pods"), &json!("metrics"))
    );
    assert_eq!(
        column(&document, "name"),
        ["ledger-1", "db-0", "web-1", "web-2"]
    );
    assert_eq!(
        column(&document, "cpu"),
        [&json!(0.0015), &json!(0.1), &json!(0.25), &Value::Null]
    );
    assert_eq!(
        printed(&api, "top pods -n shop --limit 3 --requests"),
        "NAME    CPU(cores)   CPU REQ   CPU %REQ   MEMORY(bytes)   MEM REQ   MEM %REQ\n\
         db-0          100m      500m        20%            96Mi      64Mi       150%\n\
         web-1         250m      500m        50%            32Mi      64Mi        50%\n\
         web-2       <none>      500m     <none>          <none>      64Mi     <none>\n"
    );
}

#[test]
fn namespaces_are_those_of_the_flags() {
    let api = Api::serve(shop());
    let names = |line: &str| printed(&api, &format!("get pods -o name {line}"));
    assert_eq!(names("-n payments"), "pod/ledger-1\n");
    for line in [
        "-n shop,payments",
        "-n payments --namespace shop",
        "-A",
        "-n nowhere -A",
    ] {
        assert_eq!(
            names(line),
            "pod/ledger-1\npod/db-0\npod/web-1\npod/web-2\n",
            "{line}"
        );
    }
    let said = run(&api, "get pods");
    assert_eq!(
        (said.out.as_str(), said.err.as_str(), said.code),
        ("", "No resources found in default namespace.\n", Some(0))
    );
    let document = json_of(&api, "get pods -o json");
    assert_eq!(document["items"], json!([]));
    let said = run(&api, "get pods -A --filter cpu>9000m");
    assert_eq!(said.err, "No resources found\n");
}

#[test]
fn rows_are_selected_sorted_and_limited() {
    let api = Api::serve(shop());
    for (line, expected) in [
        ("--sort-by mem", "db-0 web-1 ledger-1 web-2"),
        ("--sort-by memory:asc", "ledger-1 web-1 db-0 web-2"),
        ("--sort-by name:desc --limit 2", "web-2 web-1"),
        ("--filter cpu>50m", "db-0 web-1"),
        ("-l app=web", "web-1 web-2"),
        ("--field-selector metadata.namespace=payments", "ledger-1"),
        ("web-2 db-0", "db-0 web-2"),
        ("--limit 0", ""),
    ] {
        let out = printed(
            &api,
            &format!("get pods -A -o csv --no-headers --columns name {line}"),
        );
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(out.as_bytes());
        let names: Vec<String> = reader
            .records()
            .map(|record| record.unwrap()[0].to_owned())
            .collect();
        assert_eq!(names.join(" "), expected, "{line}");
    }
    let requests = api.requests.lock().unwrap();
    let selected = |request: &&String| request.contains("labelSelector=app%3Dweb");
    assert!(requests.iter().any(|it| selected(&it)), "{requests:?}");
}

#[test]
fn totals_are_sums_and_ratios_of_what_has_both_amounts() {
    let api = Api::serve(shop());
    assert_eq!(
        printed(
            &api,
            "get pods -n shop --columns name,cpu,cpu%request,mem --total"
        ),
        "NAME       CPU   CPU %REQ      MEM\n\
         db-0      100m        20%     96Mi\n\
         web-1     250m        50%     32Mi\n\
         web-2   <none>     <none>   <none>\n\
         TOTAL     350m        35%    128Mi\n"
    );
    let document = json_of(
        &api,
        "get pods -n shop --columns name,cpu,mem%limit --total -o json",
    );
    let total = &document["total"];
    assert_eq!(
        (&total["name"], &total["cpu"], &total["mem%limit"]),
        (&json!("TOTAL"), &json!(0.35), &json!(50.0))
    );
    assert_eq!(document["items"].as_array().unwrap().len(), 3);
}

#[test]
fn groups_are_sums_of_the_selected_rows() {
    let api = Api::serve(shop());
    let groups = |line: &str| {
        let document = json_of(&api, &format!("get pods -A -o json {line}"));
        let items = document["items"].as_array().unwrap().iter();
        let group = |item: &Value| {
            format!(
                "{} {} {}",
                item["name"].as_str().unwrap(),
                item["pods"],
                item["cpu"]
            )
        };
        items.map(group).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(groups("--by namespace"), "payments 1 0.0015, shop 3 0.35");
    assert_eq!(
        groups("--by label:app --sort-by cpu"),
        "web 2 0.25, db 1 0.1, ledger 1 0.0015"
    );
    assert_eq!(groups("--by label:tier"), " 4 0.3515");
    assert_eq!(groups("--by node --filter cpu>50m"), "n1 2 0.35");
    let document = json_of(&api, "top containers -A --by namespace -o json");
    assert_eq!(
        (
            &document["kind"],
            &document["by"],
            column(&document, "pods")
        ),
        (
            &json!("ContainerGroups"),
            &json!("namespace"),
            vec![&json!(1), &json!(3)]
        )
    );
    assert_eq!(
        printed(&api, "top pods -A --by namespace --total"),
        "NAMESPACE   PODS   CPU(cores)   MEMORY(bytes)\n\
         payments       1           2m            16Mi\n\
         shop           3         350m           128Mi\n\
         TOTAL          4         352m           144Mi\n"
    );
}

#[test]
fn a_user_without_permission_for_discovery_gets_rows() {
    let mut cluster = shop();
    let denied = Reply::status(
        403,
        "Forbidden",
        "forbidden: User \"jane\" cannot get path \"/apis\"",
    );
    cluster.replies.insert("/apis".to_owned(), denied);
    let api = Api::serve(cluster);
    let document = json_of(&api, "get pods -n shop -o json");
    assert_eq!(document["source"], "metrics");
    assert_eq!(
        column(&document, "cpu"),
        [&json!(0.1), &json!(0.25), &Value::Null]
    );
}

/// A name that no API server accepts, and that no output may be broken by.
const STRANGE: &str = "a,\"b\"\tc\n\u{1b}[31m日本";

#[test]
fn strange_names_break_no_output() {
    let mut cluster = shop();
    cluster.pods = vec![
        shop_pod("shop", STRANGE, "web"),
        shop_pod("shop", "z", "web"),
    ];
    let api = Api::serve(cluster);
    let out = printed(&api, "get pods -n shop -o csv --columns name,node");
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["name", "node"]);
    let names: Vec<String> = reader
        .records()
        .map(|it| it.unwrap()[0].to_owned())
        .collect();
    assert_eq!(
        names,
        [STRANGE.replace('\u{1b}', "\u{fffd}"), "z".to_owned()]
    );
    let out = printed(
        &api,
        "get pods -n shop -o tsv --columns name,node --no-headers",
    );
    let first = out.lines().next().unwrap();
    assert_eq!(
        first.split('\t').next(),
        Some("a,\"b\"\\tc\\n\u{fffd}[31m日本")
    );
    for form in ["table", "wide", "name"] {
        let out = printed(&api, &format!("get pods -n shop --no-headers -o {form}"));
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(!out.contains(['\u{1b}', '\t']), "{out:?}");
    }
    let document = json_of(&api, "get pods -n shop -o json");
    assert_eq!(column(&document, "name"), [STRANGE, "z"]);
    let yaml = printed(&api, "get pods -n shop -o yaml --columns name");
    assert!(!yaml.contains('\u{1b}'), "{yaml:?}");
}

#[test]
fn without_the_rows_nothing_is_printed() {
    let denied = Reply::status(
        403,
        "Forbidden",
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
    );
    let mut cluster = shop();
    cluster.replies.insert("/api/v1/pods".to_owned(), denied);
    let api = Api::serve(cluster);
    for line in ["get pods -A", "get ns -o json", "get containers -n a,b"] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(1)), "{line}");
        assert_eq!(
            said.err,
            "error: cannot read pods: forbidden: User \"jane\" cannot list pods\n"
        );
    }
    // One namespace is allowed.
    assert_eq!(printed(&api, "get pods -n shop -o name").lines().count(), 3);
    // The names of what is missing are errors too.
    let said = run(&api, "get pods -n shop web-1 nope nobody");
    assert_eq!(
        (said.out.as_str(), said.err.as_str(), said.code),
        (
            "",
            "Error from server (NotFound): pods \"nope\", \"nobody\" not found\n",
            Some(1)
        )
    );
}

#[test]
fn missing_usage_is_said_and_unknown() {
    let mut cluster = shop();
    cluster.versions = Vec::new();
    let api = Api::serve(cluster);
    let said = run(&api, "get pods -n shop -o json");
    assert_eq!(said.code, Some(0));
    assert_eq!(
        said.err,
        "warning: some values are unknown: usage: not found: the cluster does not serve this API\n"
    );
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(column(&document, "cpu"), [&Value::Null; 3]);
    assert_eq!(
        document["missing"],
        json!(["usage: not found: the cluster does not serve this API"])
    );
    // A user who wants no metrics misses none.
    printed(&api, "get pods -n shop --source none");
    for (line, why) in [
        ("get incidents -A", "only vitals-server has incidents"),
        ("get pods -A --at -5m", "only vitals-server has a history"),
        ("top nodes --span 15m", "only vitals-server has a history"),
        ("top pods -A --at -5m", "only vitals-server has a history"),
    ] {
        let said = run(&api, line);
        assert_eq!((said.out.as_str(), said.code), ("", Some(1)), "{line}");
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
        assert!(
            said.err.starts_with(&format!("error: {why}")),
            "{}",
            said.err
        );
    }
}

#[test]
fn flags_are_checked_before_the_first_request() {
    let api = Api::serve(shop());
    for (line, why) in [
        ("get pods --filter cpu>", "--filter: at character 5: "),
        (
            "get pods --filter cpu>x",
            "--filter: at character 5 \"x\": ",
        ),
        (
            "get pods --sort-by bogus",
            "--sort-by: pods have no column \"bogus\"; there are age, ",
        ),
        (
            "get pods --sort-by cpu:up",
            "--sort-by cpu:up: the direction is asc or desc",
        ),
        (
            "get nodes --columns name,disk,phase",
            "--columns: nodes have no column \"phase\"; ",
        ),
        (
            "get pods --by namespace --columns node",
            "--columns: groups have no column \"node\"; ",
        ),
        (
            "get nodes --by node",
            "--by sums pods or containers, not nodes",
        ),
        (
            "get pods --at yesterday",
            "--at \"yesterday\": expected a time before now like -5m",
        ),
        ("get pods --at 5m", "--at \"5m\": expected "),
        ("get pods --at -0s", "--at \"-0s\": expected "),
        ("get hpas --at -5m", "--at: HPAs have no history"),
        (
            "get pods --watch --at -5m",
            "--watch and --at exclude each other",
        ),
        (
            "get pods web -l app=web",
            "only one of NAME or selector can be provided",
        ),
        ("get pods -l a=(", ""),
        ("get pods --field-selector x", ""),
        (
            "get pods -o name --by node",
            "-o name and --by exclude each other",
        ),
        (
            "top nodes --limit 1 --show-capacity",
            "--show-capacity works only without ",
        ),
        (
            "top pods --sort-by cpu:x",
            "--sort-by cpu:x: the direction is asc or desc",
        ),
        (
            "get pods --span 15m --total",
            "--span excludes --by and --total: ",
        ),
        (
            "get pods --span 15m --watch",
            "--watch and --span exclude each other",
        ),
        (
            "get workloads --span 15m",
            "--span works for pods, containers and nodes",
        ),
        (
            "get pods --span soon",
            "--span \"soon\": expected a duration like 15m or 1h",
        ),
        ("get pods --span -5m", "--span \"-5m\": expected "),
        ("get pods --stat p95", "--stat needs --span"),
        ("get pods --span 15m --stat mean", ""),
        ("get pods --limit -1", ""),
        ("get pods --by label:", ""),
        ("get pods --by label:a=b", ""),
        ("get pods -o xml", ""),
        ("get bogus", ""),
        ("top pods -o xml", ""),
    ] {
        let said = run(&api, line);
        assert_eq!(
            (said.out.as_str(), said.code),
            ("", Some(2)),
            "{line}: {}",
            said.err
        );
        assert!(
            said.err.starts_with(&format!("error: {why}")),
            "{line}: {}",
            said.err
        );
        assert!(
            why.is_empty() || said.err.lines().count() == 1,
            "{}",
            said.err
        );
    }
    assert_eq!(*api.requests.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_cluster_that_does_not_answer_has_kubectls_words() {
    let api = Api::serve(shop());
    for line in ["get pods", "top pods -o json"] {
        let said = run(&api, &format!("{line} --server http://127.0.0.1:1"));
        assert_eq!(
            (said.out.as_str(), said.err.as_str(), said.code),
            (
                "",
                "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n",
                Some(1)
            )
        );
    }
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let api = Api::serve(shop());
    let into = |shell: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", shell])
            .env("VITALS", env!("CARGO_BIN_EXE_vitals"))
            .env("KUBECONFIG", api.kubeconfig())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            text(output.stdout),
            text(output.stderr),
            output.status.code(),
        )
    };
    for form in ["table", "json", "yaml", "csv", "name"] {
        let (_, err, code) = into(&format!("\"$VITALS\" get pods -A -o {form} > /dev/full"));
        assert_eq!(code, Some(1), "{form}");
        assert!(
            err.starts_with("error: cannot write: ") && err.lines().count() == 1,
            "{err}"
        );
        let closed = format!("{{ \"$VITALS\" get pods -A -o {form}; echo $? >&2; }} | true");
        assert_eq!(into(&closed).1, "0\n", "{form}");
    }
}
