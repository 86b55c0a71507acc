//! What the manifests let the server do, and what it does: equal sets, nothing refused and nothing to spare.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use kubevitals_server::Server;
use kubevitals_server::config::{Flags, Settings};
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_sim::apiserver::Serves;
use kubevitals_sim::identity::{
    Attributes, Identities, Permission, Rule, SERVER_ACCOUNT, Subject, UserInfo,
};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Fault, Faults};
use serde_json::json;

use super::rendered::{Rendered, texts};
use super::upgrade;
use crate::harness::{PATIENCE, clock_of, wait_until};

/// What RBAC's objects among these let a service account of [`SERVER_ACCOUNT`]'s namespace do.
fn rules_of(rendered: &Rendered, account: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for kind in ["ClusterRoleBinding", "RoleBinding"] {
        for binding in rendered.kind(kind) {
            let subjects = binding["subjects"].as_array().expect("subjects");
            let bound = subjects.iter().any(|subject| {
                subject["kind"] == "ServiceAccount"
                    && subject["name"] == account
                    && subject["namespace"] == SERVER_ACCOUNT.0
            });
            if !bound {
                continue;
            }
            let namespace = binding["metadata"]["namespace"].as_str();
            let to = &binding["roleRef"];
            let role = rendered
                .all()
                .find(|role| {
                    role["kind"] == to["kind"]
                        && role["metadata"]["name"] == to["name"]
                        && (to["kind"] == "ClusterRole"
                            || role["metadata"]["namespace"].as_str() == namespace)
                })
                .unwrap_or_else(|| panic!("nothing is what {to} refers to"));
            for rule in role["rules"].as_array().expect("rules") {
                rules.push(Rule {
                    verbs: texts(&rule["verbs"]),
                    groups: texts(&rule["apiGroups"]),
                    resources: texts(&rule["resources"]),
                    names: texts(&rule["resourceNames"]),
                    namespace: namespace.map(str::to_owned),
                    paths: texts(&rule["nonResourceURLs"]),
                });
            }
        }
    }
    rules
}

fn account() -> Subject {
    Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1)
}

fn permissions(rules: &[Rule]) -> BTreeSet<Permission> {
    rules.iter().flat_map(Rule::permissions).collect()
}

#[test]
fn the_simulated_cluster_grants_what_the_manifests_grant() {
    let manifests = rules_of(&Rendered::deploy("base"), SERVER_ACCOUNT.1);
    assert_eq!(
        Identities::with_defaults().granted(&account()),
        permissions(&manifests)
    );
}

#[test]
fn the_simulated_cluster_grants_exports_what_the_component_grants() {
    let manifests = rules_of(&Rendered::components(&["export"]), SERVER_ACCOUNT.1);
    let identities = Identities::with_defaults();
    identities.grant_exports();
    assert_eq!(identities.granted(&account()), permissions(&manifests));
}

#[test]
fn no_overlay_grants_the_server_more() {
    let base = permissions(&rules_of(&Rendered::deploy("base"), SERVER_ACCOUNT.1));
    for folder in super::APPLICABLE {
        let rules = rules_of(&Rendered::deploy(folder), SERVER_ACCOUNT.1);
        assert_eq!(permissions(&rules), base, "{folder}");
    }
}

/// Its token is shown to every kubelet. Whoever may create a Secret in kube-system may create a bootstrap token, and
/// with it nodes of his own.
#[test]
fn the_server_may_make_no_secret_and_sees_no_other_than_its_own() {
    let base = rules_of(&Rendered::deploy("base"), SERVER_ACCOUNT.1);
    let own = Rule::resources(&["get", "update"], "", &["secrets"])
        .named(&["vitals-server-ca"])
        .in_namespace(SERVER_ACCOUNT.0);
    for rules in [base, upgrade_rules()] {
        let of_secrets: Vec<Rule> = rules
            .into_iter()
            .filter(|rule| {
                let all = rule.resources.iter().chain(&rule.verbs);
                all.into_iter().any(|it| it == "secrets" || it == "*")
            })
            .collect();
        assert_eq!(of_secrets, std::slice::from_ref(&own));
    }
}

/// What a role that is part of `view`, `edit` and `admin` grants: resources with their groups, and verbs.
fn granted_to_viewers(rendered: &Rendered, name: &str) -> BTreeSet<(String, String)> {
    let reader = rendered
        .kind("ClusterRole")
        .find(|role| role["metadata"]["name"] == name)
        .expect("the reader's role");
    for role in ["view", "edit", "admin"] {
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{role}");
        assert_eq!(reader["metadata"]["labels"][label], "true");
    }
    let rules = reader["rules"].as_array().unwrap().iter();
    rules
        .flat_map(|rule| {
            let group = texts(&rule["apiGroups"]).join(",");
            let verbs = texts(&rule["verbs"]);
            texts(&rule["resources"])
                .into_iter()
                .flat_map(move |resource| {
                    let resource = format!("{resource}.{group}");
                    verbs
                        .clone()
                        .into_iter()
                        .map(move |verb| (resource.clone(), verb))
                })
        })
        .collect()
}

/// With the peer's own role for what it serves, it is what `base` grants.
#[test]
fn as_a_replacement_the_view_role_grants_the_same() {
    let mut granted = granted_to_viewers(&upgrade_file("rights.yaml"), "vitals-server-why");
    granted.extend(granted_to_viewers(
        &upgrade_file("kubevitals.yaml"),
        "vitals-server-kubevitals",
    ));
    for resource in ["nodes", "pods"] {
        for verb in ["get", "list", "watch"] {
            granted.insert((format!("{resource}.metrics.k8s.io"), verb.to_owned()));
        }
    }
    let base = granted_to_viewers(&Rendered::deploy("base"), "vitals-server-metrics-reader");
    assert_eq!(granted, base);
}

#[test]
fn the_view_role_grants_metrics_and_their_diagnosis() {
    let granted = granted_to_viewers(&Rendered::deploy("base"), "vitals-server-metrics-reader");
    // All that is served: of metrics.k8s.io `watch` too, which the peer's role grants though nothing can be watched.
    let mut expected = BTreeSet::new();
    let mut expect = |resource: String, verbs: &[&str]| {
        let verbs = verbs.iter();
        expected.extend(verbs.map(|verb| (resource.clone(), (*verb).to_owned())));
    };
    for resource in ["nodes", "pods"] {
        expect(
            format!("{resource}.metrics.k8s.io"),
            &["get", "list", "watch"],
        );
        expect(format!("{resource}/why.metrics.k8s.io"), &["get"]);
    }
    for resource in kubevitals_proto::vitals::discovery::SERVED.resources {
        expect(format!("{}.kubevitals.io", resource.name), resource.verbs);
        for (part, _) in resource.subresources {
            expect(format!("{}/{part}.kubevitals.io", resource.name), &["get"]);
        }
    }
    expect("podvitals/why.kubevitals.io".to_owned(), &["get"]);
    assert_eq!(granted, expected);
}

/// A cluster in which the server's account may do what these rules say and nothing else, twenty times as fast as time.
async fn cluster(rules: Vec<Rule>) -> Cluster {
    telemetry::init(LogFormat::Text, 0);
    let cluster = Cluster::start(Config {
        nodes: 2,
        pods_per_node: 3,
        speed: 20.0,
        faults: Faults::None,
        ..Config::default()
    })
    .await
    .expect("the cluster starts");
    let identities = cluster.identities();
    identities.revoke(&account());
    for rule in rules {
        identities.grant(account(), rule);
    }
    cluster
}

/// Applies what of these objects the server reads or writes.
fn apply(cluster: &Cluster, rendered: &Rendered) {
    let kinds = [
        ("APIService", Resource::ApiServices),
        ("Secret", Resource::Secrets),
        ("ConfigMap", Resource::ConfigMaps),
    ];
    for (kind, resource) in kinds {
        for object in rendered.kind(kind) {
            cluster.store().apply(resource, object.clone());
        }
    }
}

/// The server as a Deployment starts it; only where it listens and how it finds the API server is the test's.
async fn start(cluster: &Cluster, arguments: &[String], folder: &Path) -> Server {
    let kubeconfig = folder.join("kubeconfig");
    cluster.write_server_kubeconfig(&kubeconfig).unwrap();
    let own = [
        "vitals-server".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
    ];
    let flags = Flags::try_parse_from(own.iter().chain(arguments)).expect("the manifest's flags");
    let mut settings = Settings::from_flags(flags).await.expect("settings");
    settings.listen = ([127, 0, 0, 1], 0).into();
    settings.clock = clock_of(cluster.clock());
    if let Some(state) = &mut settings.state {
        state.folder = folder.join("state");
    }
    let server = Server::start(settings).await.expect("the server starts");
    cluster.set_aggregated(server.local_addr());
    server
}

async fn ready(server: &Server) {
    tokio::time::timeout(PATIENCE, server.ready())
        .await
        .expect("first answers");
}

/// Asks with a bearer token.
async fn status(url: String, token: &str) -> u16 {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let response = client.get(url).bearer_auth(token).send().await;
    response.expect("an answer").status().as_u16()
}

const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";

/// A user who may see metrics, and his token.
fn viewer(identities: &Identities) -> String {
    identities.grant(
        Subject::User("jane".to_owned()),
        Rule::resources(&["get", "list"], "metrics.k8s.io", &["nodes", "pods"]),
    );
    identities.mint_token(UserInfo::new("jane", []))
}

/// Through the kube-apiserver, and past it: the one asks for an access review, the other for a token's review too.
async fn answers_jane(cluster: &Cluster, server: &Server, token: &str) {
    let through = format!("{}{NODES}", cluster.api_url());
    wait_until("jane is answered through the kube-apiserver", async || {
        status(through.clone(), token).await == 200
    })
    .await;
    let directly = format!("https://{}{NODES}", server.local_addr());
    assert_eq!(status(directly, token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_uses_all_that_it_is_granted_and_is_refused_nothing() {
    let rendered = Rendered::deploy("base");
    let rules = rules_of(&rendered, SERVER_ACCOUNT.1);
    let cluster = cluster(rules).await;
    apply(&cluster, &rendered);
    let folder = tempfile::tempdir().unwrap();
    let token = viewer(cluster.identities());

    let server = start(&cluster, &rendered.arguments(), folder.path()).await;
    ready(&server).await;
    answers_jane(&cluster, &server, &token).await;
    // An incident is persisted for the next pod.
    assert!(cluster.inject(Fault::CrashLoop));
    // Another replica starts, and asks the first one for what it knows. It meets an API server of an earlier version, at
    // which a list needs the right to list.
    cluster.api().set_serves(Serves {
        watch_list: false,
        ..Serves::default()
    });
    let port = server.local_addr().port();
    let slice = json!({
        "metadata": {
            "name": "vitals-server-1", "namespace": SERVER_ACCOUNT.0,
            "labels": {"kubernetes.io/service-name": "vitals-server"},
        },
        "addressType": "IPv4", "endpoints": [{"addresses": ["127.0.0.1"]}], "ports": [{"port": port}],
    });
    cluster.store().apply(Resource::EndpointSlices, slice);
    let beside = tempfile::tempdir().unwrap();
    let _second = start(&cluster, &rendered.arguments(), beside.path()).await;
    wait_until("it has asked", async || {
        let used = cluster.identities().used(&account());
        used.iter().any(|used| used.resource == "/state/v1")
    })
    .await;
    // Watches that cannot be resumed are listed anew, and a spoilt CA is made anew.
    cluster.api().expire_watches();
    wait_until("the CA is in its Secret", async || {
        spoil_authority(&cluster)
    })
    .await;

    let identities = cluster.identities();
    let all = identities.granted(&account());
    // In vain, too: the lists that follow say what is missing.
    let _in_time = tokio::time::timeout(PATIENCE, async {
        while identities.used(&account()) != all {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let used = identities.used(&account());
    let spare: Vec<_> = all.difference(&used).collect();
    assert!(spare.is_empty(), "granted and never used: {spare:#?}");
    let UserInfo { username, .. } = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    assert_eq!(identities.refused(&username), BTreeSet::new());
}

/// Takes the server's CA out of its Secret; whether it was there.
fn spoil_authority(cluster: &Cluster) -> bool {
    let (secrets, name) = (Resource::Secrets, "vitals-server-ca");
    let store = cluster.store();
    let Some(secret) = store.get(secrets, Some(SERVER_ACCOUNT.0), name) else {
        return false;
    };
    let mut secret = secret.to_value(secrets);
    if secret["data"].is_null() {
        return false;
    }
    secret["data"] = json!({});
    store.apply(secrets, secret);
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_for_kubelets_the_account_needs_no_right_to_them() {
    let rendered = Rendered::deploy("base");
    let (to_kubelets, rest): (Vec<Rule>, Vec<Rule>) = rules_of(&rendered, SERVER_ACCOUNT.1)
        .into_iter()
        .partition(|rule| rule.resources.contains(&"nodes/metrics".to_owned()));
    assert_eq!(to_kubelets.len(), 1);
    let cluster = cluster(rest).await;
    apply(&cluster, &rendered);
    let identities = cluster.identities();
    for rule in to_kubelets {
        identities.grant(Subject::User("reader".to_owned()), rule);
    }
    let folder = tempfile::tempdir().unwrap();
    let pair = cluster.pki().cluster().issue_client("reader", &[]).unwrap();
    let mut arguments = rendered.arguments();
    for (flag, text) in [("certificate", pair.cert_pem), ("key", pair.key_pem)] {
        let file = folder.path().join(flag);
        std::fs::write(&file, text).unwrap();
        arguments.push(format!("--kubelet-client-{flag}={}", file.display()));
    }

    let token = viewer(identities);
    let server = start(&cluster, &arguments, folder.path()).await;
    ready(&server).await;
    answers_jane(&cluster, &server, &token).await;
    let UserInfo { username, .. } = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    assert_eq!(identities.refused(&username), BTreeSet::new());
}

/// What metrics-server's manifests grant its account: its own role, and the two that every cluster has for aggregated
/// API servers.
fn peers_rules() -> Vec<Rule> {
    vec![
        Rule::resources(&["get"], "", &["nodes/metrics"]),
        Rule::resources(&["get", "list", "watch"], "", &["pods", "nodes"]),
        Rule::resources(&["create"], "authentication.k8s.io", &["tokenreviews"]),
        Rule::resources(
            &["create"],
            "authorization.k8s.io",
            &["subjectaccessreviews"],
        ),
        Rule::resources(&["get", "list", "watch"], "", &["configmaps"])
            .named(&["extension-apiserver-authentication"])
            .in_namespace("kube-system"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_replacement_the_permissions_and_arguments_of_metrics_server_suffice() {
    let cluster = cluster(peers_rules()).await;
    let folder = tempfile::tempdir().unwrap();
    let token = viewer(cluster.identities());

    let server = start(&cluster, &peers_arguments(folder.path()), folder.path()).await;
    ready(&server).await;
    answers_jane(&cluster, &server, &token).await;

    // The kubelets' own rates, which would have stood in for the second scrape, and what is said of pods and what made
    // their Jobs are all that it misses; and it goes on without.
    let watches = server.query().watches();
    wait_until("both watches are refused", async || {
        watches.events.is_denied() && watches.jobs.is_denied()
    })
    .await;
    assert!(
        watches
            .all()
            .iter()
            .all(|(_, health)| health.failures() == 0)
    );
    let UserInfo { username, .. } = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let refused: BTreeSet<Attributes> = cluster
        .identities()
        .refused(&username)
        .into_iter()
        .map(|attributes| Attributes {
            name: String::new(),
            ..attributes
        })
        .collect();
    let missed = [
        Attributes::resource("get", "", "nodes").subresource("stats"),
        Attributes::resource("list", "", "events"),
        Attributes::resource("list", "batch", "jobs"),
        // The ConfigMap for incidents.
        Attributes::resource("get", "", "configmaps").in_namespace("kube-system"),
    ];
    assert_eq!(refused, BTreeSet::from(missed));
}

/// Its manifests' arguments, with the test's own folder for /tmp.
fn peers_arguments(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let own = |argument: &str| argument.replace("/tmp", &folder);
    upgrade::ARGUMENTS.map(own).to_vec()
}

/// A file of deploy/upgrade.
fn upgrade_file(file: &str) -> Rendered {
    let path = super::rendered::repository("deploy/upgrade").join(file);
    Rendered::yaml(&std::fs::read_to_string(path).unwrap())
}

/// What rights.yaml adds to them.
fn upgrade_rules() -> Vec<Rule> {
    rules_of(&upgrade_file("rights.yaml"), "metrics-server")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_permissions_of_the_upgrade_the_apiservices_get_verified() {
    let cluster = cluster([peers_rules(), upgrade_rules()].concat()).await;
    let (kind, name) = (Resource::ApiServices, "v1beta1.metrics.k8s.io");
    let spec = json!({
        "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
        "service": {"name": "metrics-server", "namespace": "kube-system"}, "insecureSkipTLSVerify": true,
    });
    let service = json!({"metadata": {"name": name}, "spec": spec});
    cluster.store().apply(kind, service);
    apply(&cluster, &upgrade_file("rights.yaml"));
    apply(&cluster, &upgrade_file("kubevitals.yaml"));
    let folder = tempfile::tempdir().unwrap();
    let token = viewer(cluster.identities());

    let mut arguments = peers_arguments(folder.path());
    arguments.extend(upgrade::VERIFIED.map(str::to_owned));
    let server = start(&cluster, &arguments, folder.path()).await;
    ready(&server).await;
    for name in [name, "v1alpha1.kubevitals.io"] {
        wait_until("the APIService is verified", async || {
            let service = cluster.store().get(kind, None, name).unwrap();
            let spec = service.to_value(kind)["spec"].take();
            spec["caBundle"].is_string() && spec["insecureSkipTLSVerify"] != true
        })
        .await;
    }
    answers_jane(&cluster, &server, &token).await;
    let UserInfo { username, .. } = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    assert_eq!(cluster.identities().refused(&username), BTreeSet::new());
}

#[test]
fn the_rights_of_the_upgrade_make_up_what_the_peer_lacks() {
    let extra = upgrade_rules();
    let mut together = permissions(&peers_rules());
    together.extend(permissions(&extra));
    let base = permissions(&rules_of(&Rendered::deploy("base"), SERVER_ACCOUNT.1));
    let lacking: Vec<_> = base.difference(&together).collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
    let needless: Vec<_> = permissions(&extra).difference(&base).cloned().collect();
    assert!(needless.is_empty(), "{needless:#?}");
}
