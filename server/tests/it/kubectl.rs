//! The real kubectl, through the simulated API server's aggregation, for users with and without permissions.

use std::process::{Command, Output};

use kubevitals_sim::Config;
use kubevitals_sim::apiserver::Credentials;
use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use tempfile::TempDir;

use crate::harness::Harness;

const GROUP: &str = "metrics.k8s.io";

/// A kubectl with its own kubeconfig and caches.
pub(crate) struct Kubectl {
    home: TempDir,
}

impl Kubectl {
    pub(crate) fn new(kubeconfig: &str) -> Self {
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("config"), kubeconfig).unwrap();
        Self { home }
    }

    /// A kubectl of a user with a token and these rules.
    pub(crate) fn of_user(
        harness: &Harness,
        name: &str,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Self {
        let user = UserInfo::new(name, []);
        let identities = harness.cluster.identities();
        for rule in rules {
            identities.grant(Subject::User(name.to_owned()), rule);
        }
        let token = identities.mint_token(user);
        let kubeconfig = harness.cluster.api().kubeconfig();
        Self::new(&kubeconfig.yaml(name, &Credentials::Token(&token)))
    }

    /// The program with its arguments.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(self.home.path().join("config"))
            .arg("--cache-dir")
            .arg(self.home.path().join("cache"))
            .arg("--request-timeout=30s")
            .args(arguments.split_whitespace());
        command
    }

    pub(crate) async fn run(&self, arguments: &str) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().expect("kubectl is needed"))
            .await
            .unwrap()
    }

    /// The output of a successful run.
    pub(crate) async fn says(&self, arguments: &str) -> String {
        let output = self.run(arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The error output of a failed run.
    pub(crate) async fn fails(&self, arguments: &str) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "kubectl {arguments}: {said}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Replaces runs of spaces by one space.
pub(crate) fn squeezed(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect()
}

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: 3,
        ..Config::default()
    })
    .await;
    harness.server.ready().await;
    harness
}

fn reader() -> [Rule; 1] {
    [Rule::resources(&["get", "list"], GROUP, &["nodes", "pods"])]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permitted_user_reads_everything() {
    let harness = cluster().await;
    let admin = Kubectl::new(harness.cluster.kubeconfig());
    let viewer = Kubectl::of_user(&harness, "viewer", reader());
    for kubectl in [&admin, &viewer] {
        let nodes = kubectl.says("get nodemetrics").await;
        let nodes = squeezed(&nodes);
        assert_eq!(nodes[0], "NAME CPU MEMORY WINDOW");
        assert_eq!(nodes.len(), 1 + 2, "{nodes:?}");

        let both = kubectl.says("get nodemetrics,podmetrics -A").await;
        assert_eq!(
            both.matches("nodemetrics.metrics.k8s.io/").count(),
            2,
            "{both}"
        );
        assert_eq!(
            both.matches("podmetrics.metrics.k8s.io/").count(),
            6,
            "{both}"
        );

        let resources = squeezed(
            &kubectl
                .says("api-resources --api-group=metrics.k8s.io")
                .await,
        );
        assert_eq!(
            resources,
            [
                "NAME SHORTNAMES APIVERSION NAMESPACED KIND",
                "nodes metrics.k8s.io/v1 false NodeMetrics",
                "pods metrics.k8s.io/v1 true PodMetrics",
            ]
        );

        let name = harness.cluster.node_names().remove(0);
        let yaml = kubectl
            .says(&format!("get nodemetrics {name} -o yaml"))
            .await;
        assert!(yaml.contains(&format!("  name: {name}\n")), "{yaml}");
    }
    let top = squeezed(&admin.says("top nodes").await);
    assert_eq!(top[0], "NAME CPU(cores) CPU(%) MEMORY(bytes) MEMORY(%)");
    assert_eq!(top.len(), 1 + 2, "{top:?}");
    let top = squeezed(&viewer.says("top pods -A").await);
    assert_eq!(top[0], "NAMESPACE NAME CPU(cores) MEMORY(bytes)");
    assert_eq!(top.len(), 1 + 6, "{top:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_explains_itself() {
    let harness = cluster().await;
    let kubectl = Kubectl::of_user(&harness, "viewer", reader());
    let explained = kubectl.says("explain podmetrics").await;
    for part in [
        "GROUP:      metrics.k8s.io",
        "KIND:       PodMetrics",
        "VERSION:    v1",
        "containers\t<[]ContainerMetrics>",
        "timestamp\t<string>",
        "window\t<string>",
    ] {
        assert!(
            explained.contains(part),
            "{part:?} is missing in {explained}"
        );
    }
    let explained = kubectl.says("explain podmetrics.containers.usage").await;
    assert!(
        explained.contains("FIELD: usage <map[string]Quantity>"),
        "{explained}"
    );
    let explained = kubectl
        .says("explain nodemetrics --api-version=metrics.k8s.io/v1beta1")
        .await;
    assert!(explained.contains("VERSION:    v1beta1\n"), "{explained}");

    let document = kubectl
        .says("get --raw /openapi/v3/apis/metrics.k8s.io/v1beta1")
        .await;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert!(
        document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
            .any(|name| name.ends_with("PodMetrics")),
        "{document}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_user_learns_which_permission_is_missing() {
    let harness = cluster().await;
    let stranger = Kubectl::of_user(&harness, "stranger", []);
    for (asked, verb, resource, scope) in [
        ("top pods -A", "list", "pods", "at the cluster scope"),
        ("top pods", "list", "pods", "in the namespace \"default\""),
        ("get podmetrics -A", "list", "pods", "at the cluster scope"),
        ("get nodemetrics n", "get", "nodes", "at the cluster scope"),
    ] {
        let said = stranger.fails(asked).await;
        let expected = format!(
            "User \"stranger\" cannot {verb} resource \"{resource}\" in API group \"{GROUP}\" {scope}"
        );
        assert!(said.contains(&expected), "{asked}: {said}");
    }

    let both = stranger.fails("get nodemetrics,podmetrics -A").await;
    assert_eq!(both.matches("cannot list resource").count(), 2, "{both}");
    // Every authenticated user may read discovery.
    for asked in [
        "api-resources --api-group=metrics.k8s.io",
        "explain podmetrics",
        "get --raw /openapi/v3/apis/metrics.k8s.io/v1beta1",
    ] {
        stranger.says(asked).await;
    }
    let nobody = Kubectl::new(
        &harness
            .cluster
            .api()
            .kubeconfig()
            .yaml("nobody", &Credentials::Token("nobodys-token")),
    );
    let said = nobody.fails("get podmetrics -A").await;
    assert!(
        said.contains("Unauthorized") || said.contains("logged in"),
        "{said}"
    );

    // The permission for one namespace is not for all.
    let rules = [Rule::resources(&["get", "list"], GROUP, &["pods"]).in_namespace("default")];
    let neighbour = Kubectl::of_user(&harness, "neighbour", rules);
    neighbour.says("get podmetrics -n default").await;
    let said = neighbour.fails("get podmetrics -n kube-system").await;
    assert!(said.contains("in the namespace \"kube-system\""), "{said}");
}
