//! The table of flags that the peer inherits from k8s.io/apiserver and k8s.io/component-base and that have no effect
//! here. Defaults are the peer's. A flag without help is one that the peer hides as deprecated.

use super::Flag;
use super::kind::Kind::{
    self, Address, AnyDuration, Bytes, Chance, Count, Curves, Duration, Integer, List, Number,
    Patterns, Switch, Text,
};

const fn flag(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        kind,
        default,
        help,
    }
}

/// The flags by heading of the help.
pub(super) const GROUPS: &[(&str, &[Flag])] = &[
    ("No effect here: of the API server", GENERIC),
    ("No effect here: of serving", SERVING),
    ("No effect here: of auditing", AUDIT),
    ("No effect here: of profiling and fairness", FEATURES),
    ("No effect here: of logging", LOGGING),
];

#[rustfmt::skip]
const GENERIC: &[Flag] = &[
    flag("advertise-address", Address, "", "The address that clients use"),
    flag("cors-allowed-origins", List, "", "Origins that CORS admits"),
    flag("emulated-version", List, "", "Component versions to emulate"),
    flag("emulation-forward-compatible", Switch, "false", "Newer APIs while emulating"),
    flag("external-hostname", Text, "", "The host name in generated URLs"),
    flag("feature-gates", List, "", "Feature gates of components"),
    flag("goaway-chance", Chance, "0", "Share of requests that must reconnect"),
    flag("livez-grace-period", Duration, "0s", "How long /livez ignores the start"),
    flag("max-mutating-requests-inflight", Count, "200", "Limit of concurrent requests that write"),
    flag("min-compatibility-version", List, "", "Component versions to stay compatible with"),
    flag("min-request-timeout", Count, "1800", "Seconds that a watch stays open"),
    flag("runtime-config-emulation-forward-compatible", Switch, "false", "Newer APIs by --runtime-config"),
    flag("shutdown-send-retry-after", Switch, "false", "Respond with 429 during shutdown"),
    flag("shutdown-watch-termination-grace-period", Duration, "0s", "Time for watches to end"),
    flag("storage-initialization-timeout", Duration, "1m0s", "How long etcd may take"),
    flag("strict-transport-security-directives", List, "", "HSTS directives"),
];

#[rustfmt::skip]
const SERVING: &[Flag] = &[
    flag("tls-curve-preferences", Curves, "", "Numbers of curves for key exchange"),
];

#[rustfmt::skip]
const AUDIT: &[Flag] = &[
    flag("audit-log-batch-buffer-size", Integer, "10000", "Events in the buffer before a batch"),
    flag("audit-log-batch-max-size", Integer, "1", "Events in a batch"),
    flag("audit-log-batch-max-wait", AnyDuration, "0s", "The longest wait for a batch"),
    flag("audit-log-batch-throttle-burst", Integer, "0", "Batches in a burst"),
    flag("audit-log-batch-throttle-enable", Switch, "false", "Throttle batches"),
    flag("audit-log-batch-throttle-qps", Number, "0", "Batches a second"),
    flag("audit-log-compress", Switch, "false", "Compress old files"),
    flag("audit-log-format", Text, "json", "How events are written"),
    flag("audit-log-maxage", Integer, "366", "Days to keep old files"),
    flag("audit-log-maxbackup", Integer, "100", "Old files to keep"),
    flag("audit-log-maxsize", Integer, "100", "Megabytes of a file"),
    flag("audit-log-mode", Text, "blocking", "How events are sent"),
    flag("audit-log-path", Text, "", "The file for events"),
    flag("audit-log-truncate-enabled", Switch, "false", "Truncate large events"),
    flag("audit-log-truncate-max-batch-size", Integer, "10485760", "Bytes of a batch"),
    flag("audit-log-truncate-max-event-size", Integer, "102400", "Bytes of an event"),
    flag("audit-log-version", Text, "audit.k8s.io/v1", "The API version of events"),
    flag("audit-policy-file", Text, "", "The audit policy"),
    flag("audit-webhook-batch-buffer-size", Integer, "10000", "Events in the buffer before a batch"),
    flag("audit-webhook-batch-initial-backoff", AnyDuration, "10s", ""),
    flag("audit-webhook-batch-max-size", Integer, "400", "Events in a batch"),
    flag("audit-webhook-batch-max-wait", AnyDuration, "30s", "The longest wait for a batch"),
    flag("audit-webhook-batch-throttle-burst", Integer, "15", "Batches in a burst"),
    flag("audit-webhook-batch-throttle-enable", Switch, "true", "Throttle batches"),
    flag("audit-webhook-batch-throttle-qps", Number, "10", "Batches a second"),
    flag("audit-webhook-config-file", Text, "", "The kubeconfig of the webhook"),
    flag("audit-webhook-initial-backoff", AnyDuration, "10s", "The first wait before a retry"),
    flag("audit-webhook-mode", Text, "batch", "How events are sent"),
    flag("audit-webhook-truncate-enabled", Switch, "false", "Truncate large events"),
    flag("audit-webhook-truncate-max-batch-size", Integer, "10485760", "Bytes of a batch"),
    flag("audit-webhook-truncate-max-event-size", Integer, "102400", "Bytes of an event"),
    flag("audit-webhook-version", Text, "audit.k8s.io/v1", "The API version of events"),
];

#[rustfmt::skip]
const FEATURES: &[Flag] = &[
    flag("contention-profiling", Switch, "false", "Profile lock contention"),
    flag("debug-socket-path", Text, "", "A unix socket for profiling"),
    flag("enable-priority-and-fairness", Switch, "true", "Queue requests by priority"),
    flag("profiling", Switch, "true", "Serve profiles at /debug/pprof"),
];

#[rustfmt::skip]
const LOGGING: &[Flag] = &[
    flag("log-flush-frequency", AnyDuration, "5s", "How often log lines are flushed"),
    flag("log-json-info-buffer-size", Bytes, "0", "Buffer of JSON lines"),
    flag("log-json-split-stream", Switch, "false", "JSON lines to two streams"),
    flag("log-text-info-buffer-size", Bytes, "0", "Buffer of text lines"),
    flag("log-text-split-stream", Switch, "false", "Text lines to two streams"),
    flag("vmodule", Patterns, "", "Log level by source file"),
];
