//! Objects on the command line: `pod web`, `pod/web`, `deployment/web`.

/// Kubernetes' kinds of workloads, each with the names that kubectl accepts for it.
const WORKLOADS: [(&str, &[&str]); 7] = [
    ("Deployment", &["deployment", "deployments", "deploy"]),
    ("StatefulSet", &["statefulset", "statefulsets", "sts"]),
    ("DaemonSet", &["daemonset", "daemonsets", "ds"]),
    ("ReplicaSet", &["replicaset", "replicasets", "rs"]),
    ("Job", &["job", "jobs"]),
    ("CronJob", &["cronjob", "cronjobs", "cj"]),
    (
        "ReplicationController",
        &["replicationcontroller", "replicationcontrollers", "rc"],
    ),
];

/// The kind of a workload by one of kubectl's names for it, in any case.
pub(super) fn workload_kind(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let mut all = WORKLOADS.iter();
    let found = all.find(|(_, names)| names.contains(&&*text));
    found.map(|(kind, _)| *kind)
}

/// Splits the kind and the name of an object, which are two arguments or one with a slash. The name may be absent.
///
/// # Errors
/// There are two names; the text has one line.
pub(super) fn kind_and_name<'a>(
    kind: &'a str,
    name: Option<&'a str>,
) -> Result<(&'a str, Option<&'a str>), String> {
    match (name, kind.split_once('/')) {
        (Some(name), Some(_)) => Err(format!(
            "{kind:?} and {name:?} are two names: name one object"
        )),
        (name, None) => Ok((kind, name)),
        (None, Some((kind, name))) => Ok((kind, Some(name))),
    }
}
