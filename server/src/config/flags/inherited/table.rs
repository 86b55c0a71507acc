//! The table of flags that the peer inherits from k8s.io/apiserver and k8s.io/component-base and that have no effect
//! here. Defaults are the peer's. A flag without help is one that the peer hides as deprecated.

use super::flag::{
    ADDRESS, ANY_DURATION, BYTES, CHANCE, COUNT, CURVES, DURATION, Flag, INTEGER, LIST, NUMBER,
    PATTERNS, SWITCH, TEXT, flag,
};

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
    flag("advertise-address", ADDRESS, "", "The address that clients use"),
    flag("cors-allowed-origins", LIST, "", "Origins that CORS admits"),
    flag("emulated-version", LIST, "", "Component versions to emulate"),
    flag("emulation-forward-compatible", SWITCH, "false", "Newer APIs while emulating"),
    flag("external-hostname", TEXT, "", "The host name in generated URLs"),
    flag("feature-gates", LIST, "", "Feature gates of components"),
    flag("goaway-chance", CHANCE, "0", "Share of requests that must reconnect"),
    flag("livez-grace-period", DURATION, "0s", "How long /livez ignores the start"),
    flag("max-mutating-requests-inflight", COUNT, "200", "Limit of concurrent requests that write"),
    flag("min-compatibility-version", LIST, "", "Component versions to stay compatible with"),
    flag("min-request-timeout", COUNT, "1800", "Seconds that a watch stays open"),
    flag("runtime-config-emulation-forward-compatible", SWITCH, "false", "Newer APIs by --runtime-config"),
    flag("shutdown-send-retry-after", SWITCH, "false", "Respond with 429 during shutdown"),
    flag("shutdown-watch-termination-grace-period", DURATION, "0s", "Time for watches to end"),
    flag("storage-initialization-timeout", DURATION, "1m0s", "How long etcd may take"),
    flag("strict-transport-security-directives", LIST, "", "HSTS directives"),
];

#[rustfmt::skip]
const SERVING: &[Flag] = &[
    flag("tls-curve-preferences", CURVES, "", "Numbers of curves for key exchange"),
];

#[rustfmt::skip]
const AUDIT: &[Flag] = &[
    flag("audit-log-batch-buffer-size", INTEGER, "10000", "Events in the buffer before a batch"),
    flag("audit-log-batch-max-size", INTEGER, "1", "Events in a batch"),
    flag("audit-log-batch-max-wait", ANY_DURATION, "0s", "The longest wait for a batch"),
    flag("audit-log-batch-throttle-burst", INTEGER, "0", "Batches in a burst"),
    flag("audit-log-batch-throttle-enable", SWITCH, "false", "Throttle batches"),
    flag("audit-log-batch-throttle-qps", NUMBER, "0", "Batches a second"),
    flag("audit-log-compress", SWITCH, "false", "Compress old files"),
    flag("audit-log-format", TEXT, "json", "How events are written"),
    flag("audit-log-maxage", INTEGER, "366", "Days to keep old files"),
    flag("audit-log-maxbackup", INTEGER, "100", "Old files to keep"),
    flag("audit-log-maxsize", INTEGER, "100", "Megabytes of a file"),
    flag("audit-log-mode", TEXT, "blocking", "How events are sent"),
    flag("audit-log-path", TEXT, "", "The file for events"),
    flag("audit-log-truncate-enabled", SWITCH, "false", "Truncate large events"),
    flag("audit-log-truncate-max-batch-size", INTEGER, "10485760", "Bytes of a batch"),
    flag("audit-log-truncate-max-event-size", INTEGER, "102400", "Bytes of an event"),
    flag("audit-log-version", TEXT, "audit.k8s.io/v1", "The API version of events"),
    flag("audit-policy-file", TEXT, "", "The audit policy"),
    flag("audit-webhook-batch-buffer-size", INTEGER, "10000", "Events in the buffer before a batch"),
    flag("audit-webhook-batch-initial-backoff", ANY_DURATION, "10s", ""),
    flag("audit-webhook-batch-max-size", INTEGER, "400", "Events in a batch"),
    flag("audit-webhook-batch-max-wait", ANY_DURATION, "30s", "The longest wait for a batch"),
    flag("audit-webhook-batch-throttle-burst", INTEGER, "15", "Batches in a burst"),
    flag("audit-webhook-batch-throttle-enable", SWITCH, "true", "Throttle batches"),
    flag("audit-webhook-batch-throttle-qps", NUMBER, "10", "Batches a second"),
    flag("audit-webhook-config-file", TEXT, "", "The kubeconfig of the webhook"),
    flag("audit-webhook-initial-backoff", ANY_DURATION, "10s", "The first wait before a retry"),
    flag("audit-webhook-mode", TEXT, "batch", "How events are sent"),
    flag("audit-webhook-truncate-enabled", SWITCH, "false", "Truncate large events"),
    flag("audit-webhook-truncate-max-batch-size", INTEGER, "10485760", "Bytes of a batch"),
    flag("audit-webhook-truncate-max-event-size", INTEGER, "102400", "Bytes of an event"),
    flag("audit-webhook-version", TEXT, "audit.k8s.io/v1", "The API version of events"),
];

#[rustfmt::skip]
const FEATURES: &[Flag] = &[
    flag("contention-profiling", SWITCH, "false", "Profile lock contention"),
    flag("debug-socket-path", TEXT, "", "A unix socket for profiling"),
    flag("enable-priority-and-fairness", SWITCH, "true", "Queue requests by priority"),
    flag("profiling", SWITCH, "true", "Serve profiles at /debug/pprof"),
];

#[rustfmt::skip]
const LOGGING: &[Flag] = &[
    flag("log-flush-frequency", ANY_DURATION, "5s", "How often log lines are flushed"),
    flag("log-json-info-buffer-size", BYTES, "0", "Buffer of JSON lines"),
    flag("log-json-split-stream", SWITCH, "false", "JSON lines to two streams"),
    flag("log-text-info-buffer-size", BYTES, "0", "Buffer of text lines"),
    flag("log-text-split-stream", SWITCH, "false", "Text lines to two streams"),
    flag("vmodule", PATTERNS, "", "Log level by source file"),
];
