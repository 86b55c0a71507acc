//! `vitals top` and the real `kubectl top`, side by side over many clusters, flags and errors.

use crate::api::{Api, Cluster, Discovery, Reply};
use crate::ask::{kubectl, kubectl_has, minor_of_kubectl, same, ties_of_kubectl, vitals};
use crate::world::{container, generated, node, node_metrics, pod, pod_metrics};
use kubevitals::batch::top::{Order, pod_table};
use kubevitals::cli::{Connection, SortBy, TopPod};
use kubevitals::source::kubeconfig::Settings;
use kubevitals::source::{ApiClient, MetricsApi, Selection, Terminal};
use kubevitals_proto::metrics::Version;

/// Long enough ago for metrics to be overdue.
const OLD: &str = "2020-01-01T00:00:00Z";

fn just_now() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    kubevitals_proto::time::Timestamp::from_secs(now).to_rfc3339_seconds()
}

fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn node_tables() {
    for (seed, nodes) in [(1, 1), (2, 5), (4, 13), (6, 120)] {
        let api = Api::serve(generated(seed, nodes, 0));
        for line in [
            "top nodes",
            "top node --no-headers",
            "top no --show-capacity",
            "top nodes --sort-by=cpu",
            "top nodes --sort-by memory",
            "top nodes -l zone=a",
            "top nodes -l zone!=a,kubernetes.io/os --sort-by=cpu",
            "top nodes --use-protocol-buffers=false",
        ] {
            same(&api, &split(line));
        }
    }
}

#[test]
fn one_node() {
    let mut cluster = generated(7, 5, 0);
    cluster
        .node_metrics
        .push(node_metrics("lab", "513100u", "2328Mi"));
    cluster
        .node_metrics
        .push(node_metrics("only-metrics", "1", "1Gi"));
    cluster.nodes.push(node("lab", "2", "24Gi"));
    cluster.nodes.push(node("only-node", "2", "24Gi"));
    let api = Api::serve(cluster);
    for line in [
        "top node lab",
        "top node lab --no-headers",
        "top node lab --show-capacity --use-protocol-buffers=false",
        "top node nope",
        "top node only-metrics",
        "top node only-node",
        "top node lab -l zone=a",
        "top node lab other",
        "top node a/b",
        "top node ..",
    ] {
        same(&api, &split(line));
    }
    same(&api, &["top", "node", ""]);
}

#[test]
fn pod_tables() {
    for (seed, pods) in [(11, 1), (13, 8), (15, 60)] {
        let api = Api::serve(generated(seed, 0, pods));
        for line in [
            "top pods -A",
            "top pods",
            "top pod --containers",
            "top po --containers -A --no-headers",
            "top pods -A --sum",
            "top pods --sum --containers",
            "top pods -A --sum --containers --no-headers",
            "top pods -A --sort-by=cpu",
            "top pods -A --sort-by=memory --containers",
            "top pods -n kube-system --sum --no-headers",
            "top pods --context other",
            "top pods --context other -n default",
            "top pods -A -l app=web",
            "top pods -Al app!=web --use-protocol-buffers=false",
            "top pods -A --field-selector metadata.namespace=kube-system",
            "top pods -A --field-selector metadata.namespace!=default -l app=db --containers=true",
            "top pods --field-selector metadata.name=web-13,metadata.namespace=default",
            "top pods --field-selector metadata.name=none",
        ] {
            same(&api, &split(line));
        }
    }
}

/// Since 1.37 kubectl lets the cluster, not the metrics server, say which pods have a field.
#[test]
fn any_field_of_a_pod_selects() {
    let mut cluster = Cluster::default();
    for (name, node) in [("a", "n1"), ("b", "n2"), ("c", "n1")] {
        let containers = vec![container("main", "5m", "7Mi")];
        cluster
            .pod_metrics
            .push(pod_metrics("default", name, containers));
        let mut object = pod("default", name, OLD);
        object["spec"]["nodeName"] = node.into();
        cluster.pods.push(object);
    }
    let api = Api::serve(cluster);
    for (selector, out, err) in [
        (
            "spec.nodeName=n1",
            "a     5m    7Mi   \nc     5m    7Mi   \n",
            "",
        ),
        ("spec.nodeName!=n1", "b     5m    7Mi   \n", ""),
        (
            "spec.nodeName=n3",
            "",
            "No resources found in default namespace.\n",
        ),
    ] {
        let arguments = ["top", "pods", "--no-headers", "--field-selector", selector];
        let said = vitals(&api, &arguments);
        assert_eq!(
            (said.out.as_str(), said.err.as_str(), said.code),
            (out, err, Some(0))
        );
        if minor_of_kubectl(&api) >= 37 {
            same(&api, &arguments);
        }
    }
}

#[test]
fn ties_are_broken_as_the_go_of_kubectl_breaks_them() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for pods in [12, 13, 25, 49, 50, 51, 100, 400, 1_500, 6_000] {
        let api = Api::serve(generated(pods + 20, 0, pods));
        let ties = ties_of_kubectl(&api);
        for (field, by) in [("cpu", SortBy::Cpu), ("memory", SortBy::Memory)] {
            let theirs = kubectl(
                &api,
                &["top", "pods", "-A", "--no-headers", "--sort-by", field],
            );
            let ours = runtime.block_on(async {
                let path = api.kubeconfig().display().to_string();
                let connection = Connection {
                    kubeconfig: Some(path),
                    ..Connection::default()
                };
                let target = Settings::read(&connection)
                    .unwrap()
                    .target(&Terminal::default())
                    .unwrap();
                let source = MetricsApi::new(ApiClient::new(target).unwrap(), true);
                source
                    .pods(Version::V1beta1, "", Selection::default())
                    .await
                    .unwrap()
            });
            let flags = TopPod {
                all_namespaces: true,
                no_headers: true,
                ..TopPod::default()
            };
            let mut printed = Vec::new();
            pod_table(ours, Order { by, ties }, &flags)
                .write_to(&mut printed)
                .unwrap();
            assert_eq!(
                String::from_utf8(printed).unwrap(),
                theirs.out,
                "{pods} pods by {field}"
            );
        }
    }
}

#[test]
fn pods_of_equal_names_are_paged_by_namespace() {
    let mut cluster = Cluster::default();
    for at in (0..200).rev() {
        let containers = vec![container("main", "1m", "1Mi")];
        cluster
            .pod_metrics
            .push(pod_metrics(&format!("ns-{}", at % 7), "same", containers));
    }
    let api = Api::serve(cluster);
    same(&api, &["top", "pods", "-A"]);
}

#[test]
fn one_pod() {
    let mut cluster = generated(17, 0, 5);
    let containers = vec![
        container("main", "100m", "20Mi"),
        container("b", "1500u", "1Gi"),
    ];
    cluster
        .pod_metrics
        .push(pod_metrics("default", "mine", containers));
    cluster.pods.push(pod("default", "silent", OLD));
    let api = Api::serve(cluster);
    for line in [
        "top pod mine",
        "top pod mine --containers --sum",
        "top pod mine --no-headers",
        "top pod mine -n kube-system",
        "top pod silent",
        "top pod nope",
        "top pod mine -A",
        "top pod mine -l app=web",
        "top pod mine --field-selector metadata.name=mine",
        "top pod mine other",
        "top pod a/b",
        "top pod a%b/",
        "top pod mine -n a/b",
        "top pod .. -n default",
    ] {
        same(&api, &split(line));
    }
}

#[test]
fn empty_lists_print_the_message_of_kubectl() {
    let lines = [
        "top nodes",
        "top pods",
        "top pods -A",
        "top pods -n none",
        "top pods --no-headers",
        "top pods -l app=web",
        "top pods -A -n kube-system",
        "top pods --field-selector metadata.name=old",
        "top pods --sum --containers",
    ];
    let fresh = just_now();
    let clusters = [
        vec![],
        vec![pod("default", "old", OLD)],
        vec![pod("default", "young", &fresh)],
        vec![pod("default", "young", &fresh), pod("default", "old", OLD)],
        vec![pod("kube-system", "old", OLD)],
    ];
    for pods in clusters {
        let cluster = Cluster {
            pods,
            nodes: vec![node("n", "2", "2Gi")],
            ..Cluster::default()
        };
        let api = Api::serve(cluster);
        for line in lines {
            same(&api, &split(line));
        }
    }
}

#[test]
fn no_metrics_api() {
    for discovery in [Discovery::Aggregated, Discovery::Old] {
        for versions in [vec![], vec!["v2"], vec!["v1alpha1"]] {
            let cluster = Cluster {
                discovery,
                versions,
                ..Cluster::default()
            };
            let api = Api::serve(cluster);
            for line in ["top nodes", "top pods", "top pod x", "top pods -A"] {
                same(&api, &split(line));
            }
        }
    }
}

#[test]
fn old_discovery() {
    let api = Api::serve(Cluster {
        discovery: Discovery::Old,
        ..generated(21, 3, 9)
    });
    for line in [
        "top nodes",
        "top pods -A",
        "top pods -A --use-protocol-buffers=false",
    ] {
        same(&api, &split(line));
    }
}

#[test]
fn the_first_listed_version_is_requested() {
    for (versions, expected) in [
        (vec!["v1", "v1beta1"], "/v1/"),
        (vec!["v1beta1", "v1"], "/v1beta1/"),
        (vec!["v1"], "/v1/"),
    ] {
        let api = Api::serve(Cluster {
            versions,
            ..generated(22, 2, 2)
        });
        vitals(&api, &["top", "nodes"]);
        let requests = api.requests.lock().unwrap();
        assert!(
            requests.iter().any(|path| path.contains(expected)),
            "{requests:?}"
        );
    }
}

#[test]
fn refusals_of_the_server() {
    let bad = [
        Reply::status(401, "Unauthorized", "Unauthorized"),
        Reply::status(
            403,
            "Forbidden",
            "pods is forbidden: User \"x\" cannot list resource",
        ),
        Reply::status(400, "BadRequest", "unable to parse requirement"),
        Reply::status(418, "", "a teapot"),
        Reply::status(504, "Timeout", "too slow"),
        Reply::text(503, "text/plain; charset=utf-8", "service unavailable\n"),
        Reply::text(500, "text/html", "<html>oops</html>\n"),
        Reply::text(500, "application/json", "{}"),
        Reply::text(
            500,
            "application/json",
            "{\"kind\":\"Other\",\"apiVersion\":\"v1\"}",
        ),
        Reply::text(401, "text/plain", ""),
        Reply::text(403, "text/plain", "Forbidden: \"you\""),
        Reply::text(404, "text/plain", "404 page not found\n"),
        Reply::text(405, "text/plain", ""),
        Reply::text(406, "text/plain", "no such type"),
        Reply::text(406, "application/octet-stream", "no such type"),
        Reply::text(409, "text/plain", ""),
        Reply::text(415, "text/plain", "what?"),
        Reply::text(422, "text/plain", ""),
        Reply::text(429, "text/plain", ""),
        Reply::text(504, "text/plain", ""),
        Reply::text(418, "text/plain", ""),
    ];
    let metrics = "/apis/metrics.k8s.io/v1beta1";
    // Discovery and lists of metrics refuse in every way, the others in a few.
    for (path, line, ways) in [
        ("/apis".to_owned(), "top nodes", bad.len()),
        (format!("{metrics}/nodes"), "top nodes", bad.len()),
        (format!("{metrics}/pods"), "top pods -A", 8),
        (
            format!("{metrics}/namespaces/default/pods/x"),
            "top pod x",
            8,
        ),
        ("/api/v1/nodes".to_owned(), "top nodes -l zone=a", 8),
    ] {
        for reply in bad.iter().take(ways) {
            let mut cluster = generated(31, 4, 4);
            cluster.replies.insert(path.clone(), reply.clone());
            same(&Api::serve(cluster), &split(line));
        }
    }
}

#[test]
fn refusals_of_the_command_line() {
    let api = Api::serve(generated(41, 1, 1));
    for line in [
        "top nodes --bogus",
        "top nodes --bogus=1 x",
        "top pods -x",
        "top pods -Ax",
        "top pods -l",
        "top pods --sort-by",
        "top pods --no-headers=maybe",
        "top pods -A=maybe",
        "top nodes -A",
        "top nodes --containers",
        "top pods --show-capacity",
        "top pods --=x",
        "top pods ---x",
        "top --no-headers pods",
        "top what",
        "top what ever",
        "top pods --sort-by=disk",
        "top nodes --sort-by=CPU",
        "top pods -l a=b=c",
        "top pods -l =",
        "top pods -l !",
        "top nodes -l ,",
        "top nodes -l a,,b",
        "top pods --field-selector what",
        "top nodes --context none",
        "top pods --context none",
        "top nodes --cluster none",
        "top pods --cluster none",
        "top nodes --user none",
        "top pods --user none",
        "top nodes --as-group g",
        "top pods --as-uid 7",
        "top pods --request-timeout soon",
        "top nodes --kubeconfig none",
        "top pods --kubeconfig .",
        "top pods --certificate-authority none",
        "top pods --client-certificate none",
        "top pods --client-certificate none --client-key none",
        "top pods --token t --username u --password p",
        "top nodes -s 127.0.0.1:1",
        "top pods -s http://127.0.0.1:1/base",
        "top pods -s ftp://127.0.0.1",
        "top pods -s http://[::1",
    ] {
        same(&api, &split(line));
    }
    for selector in ["a in (", "a b", "a in b", "x notin ()", "(a)", "a=b,"] {
        same(&api, &["top", "pods", "-l", selector]);
        same(&api, &["top", "nodes", "--selector", selector]);
    }
}

#[test]
fn kubeconfigs_that_cannot_be_used() {
    let api = Api::serve(Cluster::default());
    let cluster = |fields: &str| format!("clusters: [{{name: c, cluster: {{{fields}}}}}]\n");
    let user = |fields: &str| format!("users: [{{name: u, user: {{{fields}}}}}]\n");
    let context = |name: &str, cluster: &str, user: &str| {
        format!("contexts: [{{name: {name}, context: {{cluster: {cluster}, user: {user}}}}}]\n")
    };
    let refused = "server: 'http://127.0.0.1:1'";
    let secure = "server: 'https://127.0.0.1:1'";
    let good = context("x", "c", "u");
    for (cluster, user, context) in [
        (cluster(refused), user(""), good.clone()),
        (cluster(refused), user(""), context("other", "c", "u")),
        (cluster(refused), user(""), context("x", "c", "none")),
        (cluster(refused), user(""), context("x", "none", "u")),
        (cluster("server: '127.0.0.1:1'"), user(""), good.clone()),
        (cluster("server: ''"), user(""), good.clone()),
        (cluster("server: 'ftp://x'"), user(""), good.clone()),
        (String::new(), String::new(), String::new()),
        (
            cluster(&format!("certificate-authority: none, {secure}")),
            user("token: t"),
            good.clone(),
        ),
        (
            cluster(&format!("certificate-authority-data: aGVsbG8=, {secure}")),
            user("token: t"),
            good.clone(),
        ),
        (cluster(secure), user("tokenFile: none"), good.clone()),
        (
            cluster(secure),
            user("client-certificate: none"),
            good.clone(),
        ),
        (
            cluster(secure),
            user("client-certificate: none, client-key: none"),
            good.clone(),
        ),
        (
            cluster(refused),
            user("token: t, username: u, password: p"),
            good.clone(),
        ),
        (cluster(refused), user("as-uid: '7'"), good.clone()),
    ] {
        let head = "apiVersion: v1\nkind: Config\ncurrent-context: x\n";
        let text = format!("{head}{cluster}{user}{context}");
        std::fs::write(api.directory().join("tried"), &text).unwrap();
        for line in [
            "top nodes --kubeconfig tried",
            "top pods --kubeconfig tried",
        ] {
            same(&api, &split(line));
        }
    }
}

/// The parsers of YAML have words of their own; the line begins alike, and names the file.
#[test]
fn files_that_are_no_kubeconfig_are_named() {
    let api = Api::serve(Cluster::default());
    for text in [
        "foo: [",
        "hello",
        "apiVersion: v1\nkind: Pod\n",
        "clusters: 7\n",
    ] {
        std::fs::write(api.directory().join("tried"), text).unwrap();
        let arguments = ["top", "pods", "--kubeconfig", "tried"];
        for said in [kubectl(&api, &arguments), vitals(&api, &arguments)] {
            let begin = "error: error loading config file \"tried\": ";
            assert!(said.err.starts_with(begin), "{said:?}");
            assert_eq!(
                (said.err.lines().count(), said.code),
                (1, Some(1)),
                "{said:?}"
            );
        }
    }
}

#[test]
fn flags_that_lead_to_the_same_cluster() {
    let api = Api::serve(generated(51, 3, 6));
    let server = format!("127.0.0.1:{}", api.port);
    let with_scheme = format!("http://{server}/");
    let kubeconfig = api.kubeconfig();
    for flags in [
        vec!["-s", &server],
        vec!["--server", &with_scheme],
        vec![
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
            "--context=other",
            "--user=u",
        ],
        vec!["--cluster", "c", "--request-timeout=30s"],
        vec!["--request-timeout", "30", "--token", "t"],
        vec!["--as", "someone", "--as-group", "a", "--as-group=b"],
        vec!["--insecure-skip-tls-verify", "--tls-server-name="],
        vec!["--namespace", "kube-system"],
    ] {
        same(&api, &[&["top", "pods"], flags.as_slice()].concat());
        same(&api, &[flags.as_slice(), &["top", "node"]].concat());
    }
}

#[test]
fn swap() {
    let api = Api::serve(generated(61, 30, 30));
    for (command, lines) in [
        (
            "node",
            [
                "top nodes --show-swap",
                "top node --show-swap --show-capacity",
            ],
        ),
        (
            "pod",
            [
                "top pods -A --show-swap --sum",
                "top po -A --show-swap --containers",
            ],
        ),
    ] {
        // Since kubectl 1.34; the golden tests have its output too.
        if kubectl_has(&api, &["top", command], "--show-swap") {
            for line in lines {
                same(&api, &split(line));
            }
        }
    }
}

/// Go gives a request up in words that depend on where it was.
#[test]
fn a_hanging_server_times_out() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let api = Api::serve(Cluster::default());
    let arguments = ["top", "nodes", "-s", &server, "--request-timeout", "300ms"];
    for said in [kubectl(&api, &arguments), vitals(&api, &arguments)] {
        assert!(
            said.err.starts_with("Unable to connect to the server: "),
            "{said:?}"
        );
        assert_eq!(said.code, Some(1));
    }
}
