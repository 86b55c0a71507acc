//! The names of commands: kubectl's and k9s's.

/// Kinds that have no view of their own: kubectl's names, and Kubernetes' name.
pub(super) const KINDS: &[(&str, &[&str], &str)] = &[
    ("deployments", &["deploy", "deployment"], "Deployment"),
    ("statefulsets", &["sts", "statefulset"], "StatefulSet"),
    ("daemonsets", &["ds", "daemonset"], "DaemonSet"),
    ("replicasets", &["rs", "replicaset"], "ReplicaSet"),
    ("jobs", &["job"], "Job"),
    ("cronjobs", &["cj", "cronjob"], "CronJob"),
];

/// Commands that are no bindings: their names and help.
pub(super) const OTHERS: &[(&str, &str)] = &[(THEME, "choose the colours")];

/// The command that chooses a theme.
pub(super) const THEME: &str = "theme";

/// Other names of bindings: kubectl's and k9s's.
pub(super) const ALIASES: &[(&str, &[&str])] = &[
    ("overview", &["pulse", "pulses"]),
    ("pods", &["po", "pod"]),
    ("nodes", &["no", "node"]),
    ("namespaces", &["ns"]),
    ("namespace", &[]),
    ("containers", &["co", "container"]),
    ("workloads", &["wl", "workload"]),
    ("hpas", &["hpa", "horizontalpodautoscalers"]),
    ("incidents", &["inc", "incident"]),
    ("events", &["ev", "event"]),
    ("volumes", &["pvc", "pv", "persistentvolumeclaims"]),
    ("probes", &["probe"]),
    ("context", &["ctx", "contexts"]),
    ("help", &["h"]),
    ("quit", &["q", "q!", "exit"]),
];

pub(super) fn aliases_of(id: &str) -> &'static [&'static str] {
    let found = ALIASES.iter().find(|(name, _)| *name == id);
    found.map_or(&[], |(_, aliases)| aliases)
}

pub(super) fn has_alias(aliases: &[&str], word: &str) -> bool {
    aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
}

/// Kubernetes' name of a kind of workloads.
pub(super) fn kind_of(text: &str) -> &str {
    let found = KINDS.iter().find(|(name, aliases, kind)| {
        name.eq_ignore_ascii_case(text)
            || has_alias(aliases, text)
            || kind.eq_ignore_ascii_case(text)
    });
    found.map_or(text, |(_, _, kind)| kind)
}
