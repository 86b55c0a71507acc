//! What is printed, word for word: a recorded session of a real kubectl, real bodies, and what
//! only the newest kubectls print.

use serde_json::json;

use crate::api::{Api, Cluster, Reply};
use crate::ask::{Said, vitals};
use crate::world::{container, node, node_metrics, pod_metrics};

const TRANSCRIPT: &str = include_str!("../fixtures/kubectl-top-transcript.txt");

fn captured(body: &'static [u8], code: u16, content_type: &'static str) -> Reply {
    Reply {
        code,
        content_type,
        body: body.to_vec(),
    }
}

/// The cluster of the recorded session, as far as its output tells.
fn lab() -> Cluster {
    let mut cluster = Cluster::default();
    cluster
        .node_metrics
        .push(node_metrics("lab", "514m", "2328Mi"));
    cluster.nodes.push(node("lab", "2", "24Gi"));
    let burner = [
        ("4mvjz", "100m", "238Ki"),
        ("8x9lt", "101m", "236Ki"),
        ("hfk46", "100m", "234Ki"),
    ];
    for (suffix, cpu, memory) in burner {
        let containers = vec![
            container("idle", "0", "226Ki"),
            container("burn", cpu, memory),
        ];
        let name = format!("burner-7dc96bb78d-{suffix}");
        cluster
            .pod_metrics
            .push(pod_metrics("default", &name, containers));
    }
    let containers = vec![
        container("app", "0", "216Ki"),
        container("sidecar", "0", "220Ki"),
    ];
    cluster
        .pod_metrics
        .push(pod_metrics("default", "notready", containers));
    for (suffix, memory) in [("6wfdn", "480Ki"), ("rfsks", "248Ki")] {
        let containers = vec![container("web", "407781n", memory)];
        let mut pod = pod_metrics("default", &format!("web-7dbd77488b-{suffix}"), containers);
        pod.metadata.labels = [("app", "web")].into_iter().collect();
        cluster.pod_metrics.push(pod);
    }
    let prefix = "/apis/metrics.k8s.io/v1beta1";
    let unknown = include_bytes!("../fixtures/metrics-api/pod_404_unknown.body");
    let node_unknown = include_bytes!("../fixtures/metrics-api/node_404.body");
    let no_metrics = include_bytes!("../fixtures/metrics-api/pod_404_nometrics.body");
    for (path, body) in [
        ("namespaces/default/pods/nope", &unknown[..]),
        ("namespaces/default/pods/crash", &no_metrics[..]),
        ("nodes/nope", &node_unknown[..]),
    ] {
        let reply = captured(body, 404, "application/json");
        cluster.replies.insert(format!("{prefix}/{path}"), reply);
    }
    cluster
}

#[test]
fn a_recorded_session_is_repeated() {
    let api = Api::serve(lab());
    let mut sessions = 0;
    for section in TRANSCRIPT.split("### kubectl ").skip(1) {
        let (command, rest) = section.split_once('\n').unwrap();
        let (out, rest) = rest.split_once("rc=").unwrap();
        let (code, rest) = rest.split_once('\n').unwrap();
        let said = rest.lines().filter(|line| !line.starts_with("GET "));
        let mut err: String = said.map(|line| format!("{line}\n")).collect();
        if command == "top pods -n none" {
            // The recording stopped before this line.
            err = "No resources found in none namespace.\n".to_owned();
        }
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let expected = Said {
            out: out.to_owned(),
            err,
            code: code.parse().ok(),
        };
        assert_eq!(vitals(&api, &arguments), expected, "{command}");
        sessions += 1;
    }
    assert_eq!(sessions, 13);
}

#[test]
fn real_bodies_are_read_in_both_forms() {
    const PODS: &str = "\
NAMESPACE   NAME                      CPU(cores)   MEMORY(bytes)   \n\
default     burner-7dc96bb78d-4mvjz   101m         0Mi             \n\
default     burner-7dc96bb78d-8x9lt   100m         0Mi             \n\
default     burner-7dc96bb78d-hfk46   100m         0Mi             \n\
default     flaky                     6m           0Mi             \n\
default     notready                  0m           0Mi             \n\
default     web-7dbd77488b-6wfdn      1m           0Mi             \n\
default     web-7dbd77488b-rfsks      1m           0Mi             \n";
    const NODES: &str = "\
NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   \n\
lab    1386m        69%      4001Mi          16%         \n";
    let json = [
        &include_bytes!("../fixtures/metrics-api/pods_json.body")[..],
        &include_bytes!("../fixtures/metrics-api/nodes_json.body")[..],
    ];
    let protobuf = [
        &include_bytes!("../fixtures/metrics-api/pods_proto.body")[..],
        &include_bytes!("../fixtures/metrics-api/nodes_proto.body")[..],
    ];
    for ([pods, nodes], content_type) in [
        (json, "application/json"),
        (protobuf, "application/vnd.kubernetes.protobuf"),
    ] {
        let mut cluster = Cluster {
            nodes: vec![node("lab", "2", "24Gi")],
            ..Cluster::default()
        };
        let prefix = "/apis/metrics.k8s.io/v1beta1";
        cluster
            .replies
            .insert(format!("{prefix}/pods"), captured(pods, 200, content_type));
        cluster.replies.insert(
            format!("{prefix}/nodes"),
            captured(nodes, 200, content_type),
        );
        let api = Api::serve(cluster);
        assert_eq!(
            vitals(&api, &["top", "pods", "-A"]).out,
            PODS,
            "{content_type}"
        );
        assert_eq!(vitals(&api, &["top", "nodes"]).out, NODES, "{content_type}");
    }
}

/// kubectl 1.34 and later.
#[test]
fn swap_has_columns_of_its_own() {
    let mut cluster = Cluster::default();
    for (name, swap) in [("a", Some(0)), ("b", Some(4_u64 << 30)), ("c", None)] {
        let mut metrics = node_metrics(name, "1", "1Gi");
        metrics
            .usage
            .insert("swap".to_owned(), "1Gi".parse().unwrap());
        cluster.node_metrics.push(metrics);
        let mut object = node(name, "2", "4Gi");
        if let Some(bytes) = swap {
            object["status"]["nodeInfo"]["swap"] = json!({"capacity": bytes});
        }
        cluster.nodes.push(object);
    }
    cluster.nodes.push(node("silent", "2", "4Gi"));
    let mut containers = vec![
        container("main", "5m", "10Mi"),
        container("aside", "1m", "1Mi"),
    ];
    containers[0]
        .usage
        .insert("swap".to_owned(), "3Mi".parse().unwrap());
    cluster
        .pod_metrics
        .push(pod_metrics("default", "web", containers));
    let api = Api::serve(cluster);
    for (line, expected) in [
        (
            "top nodes --show-swap",
            "\
NAME     CPU(cores)   CPU(%)      MEMORY(bytes)   MEMORY(%)   SWAP(bytes)   SWAP(%)     \n\
a        1000m        50%         1024Mi          25%         1024Mi        0%          \n\
b        1000m        50%         1024Mi          25%         1024Mi        25%         \n\
c        1000m        50%         1024Mi          25%         <unknown>     <unknown>   \n\
silent   <unknown>    <unknown>   <unknown>       <unknown>   <unknown>     <unknown>   \n",
        ),
        (
            "top pods --show-swap --sum",
            "\
NAME   CPU(cores)   MEMORY(bytes)   SWAP(bytes)   \n\
web    6m           11Mi            3Mi           \n                    ________        ________      \n                    6m              11Mi          3Mi   \n",
        ),
        (
            "top pods --show-swap --containers --no-headers",
            "web   aside   1m    1Mi    0Mi   \nweb   main    5m    10Mi   3Mi   \n",
        ),
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(vitals(&api, &arguments).out, expected, "{line}");
    }
}

#[test]
fn nodes_without_metrics_come_last_by_name() {
    let mut cluster = Cluster::default();
    cluster.node_metrics.push(node_metrics("m", "1", "1Gi"));
    for name in ["z", "m", "b", "a"] {
        cluster.nodes.push(node(name, "2", "4Gi"));
    }
    let said = vitals(&Api::serve(cluster), &["top", "nodes", "--no-headers"]);
    let names: Vec<&str> = said
        .out
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["m", "a", "b", "z"]);
}

#[test]
fn zero_allocatable_is_zero_percent() {
    let mut cluster = Cluster::default();
    cluster.node_metrics.push(node_metrics("m", "1", "1Gi"));
    cluster.nodes.push(node("m", "0", "0"));
    let said = vitals(&Api::serve(cluster), &["top", "nodes", "--no-headers"]);
    assert_eq!(said.out, "m     1000m   0%    1024Mi   0%    \n");
}

#[test]
fn help_is_of_the_command() {
    let api = Api::serve(Cluster::default());
    for (line, words) in [
        (
            "top pods -h",
            "Usage: vitals top pod [NAME | -l label] [options]",
        ),
        ("top nodes --help", "--show-capacity"),
        ("top --help", "node"),
        ("--help", "demo"),
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let said = vitals(&api, &arguments);
        assert!(said.out.contains(words), "{line}: {}", said.out);
        assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
    }
    let said = vitals(&api, &["top"]);
    assert_eq!((said.out.as_str(), said.code), ("", Some(1)));
}

#[test]
fn the_plugin_names_itself_as_kubectl_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubectl-vitals");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vitals"), &path).unwrap();
    let plugin = std::process::Command::new(path)
        .args(["top", "pods", "--bogus"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(plugin.stderr).unwrap(),
        "error: unknown flag: --bogus\nSee 'kubectl vitals top pod --help' for usage.\n"
    );
    assert_eq!(plugin.status.code(), Some(1));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let api = Api::serve(crate::world::generated(71, 0, 3_000));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vitals"))
        .args(["top", "pods", "-A", "--kubeconfig"])
        .arg(api.kubeconfig())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}
