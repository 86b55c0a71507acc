//! Kubeconfigs, certificates, proxies, credential plugins and auth providers, compared with the real kubectl: it reads the same files,
//! and the server must see the same caller.

mod auth_providers;
mod certificates;
mod kubeconfigs;
mod plugins;
mod proxies;
mod tls;

use crate::api::{Api, Caller};
use crate::ask::{Said, run_in};

/// `vitals`.
const VITALS: &str = env!("CARGO_BIN_EXE_vitals");

/// The command that both run.
const QUESTION: [&str; 2] = ["top", "nodes"];

/// Writes a kubeconfig with one cluster, one user and one context, which is the current one.
fn write_kubeconfig(api: &Api, cluster: &str, user: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
         clusters:\n- name: c\n  cluster:\n{}\
         users:\n- name: u\n  user:\n{}\
         contexts:\n- name: x\n  context: {{cluster: c, user: u}}\n",
        indented(cluster),
        indented(if user.is_empty() { "{}" } else { user }),
    );
    std::fs::write(api.kubeconfig(), text).unwrap();
}

fn indented(yaml: &str) -> String {
    yaml.lines().map(|line| format!("    {line}\n")).collect()
}

/// The last caller that the server saw while a program ran.
fn caller(api: &Api, program: &str, variables: &[(&str, &str)]) -> (Said, Option<Caller>) {
    api.callers.lock().unwrap().clear();
    let said = run_in(program, api, &QUESTION, variables);
    let caller = api.callers.lock().unwrap().last().cloned();
    (said, caller)
}

/// Fails unless kubectl and `vitals` connect as the same caller.
fn connects_as_kubectl(api: &Api, what: &str, variables: &[(&str, &str)]) -> Caller {
    let (theirs, expected) = caller(api, "kubectl", variables);
    assert_eq!(theirs.code, Some(0), "{what}: kubectl says {}", theirs.err);
    let (ours, actual) = caller(api, VITALS, variables);
    assert_eq!(ours.code, Some(0), "{what}: vitals says {}", ours.err);
    assert_eq!(actual, expected, "{what}");
    expected.unwrap_or_default()
}
