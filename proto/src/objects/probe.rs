//! Probes of containers.

use std::fmt::Write;

use crate::wire::protobuf::{Fields, Malformed, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::protobuf::{Field, Message, message};
use super::text;
use super::{ContainerStatus, State};
use crate::lenient::{Lenient, lenient};
use crate::time::Timestamp;
use crate::vitals::{ProbeKind, ProbeStatus};

/// A probe, with the API server's defaults for unset fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Probe {
    /// Seconds from the container's start to the first attempt.
    pub initial_delay: u32,
    /// Seconds between attempts.
    pub period: u32,
    /// The timeout of an attempt in seconds.
    pub timeout: u32,
    /// The number of successive successes after which the probe passes.
    pub success_threshold: u32,
    /// The number of successive failures after which the probe fails.
    pub failure_threshold: u32,
    /// The probe in the form of `kubectl describe`:
    /// `http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3`.
    pub description: Box<str>,
}

impl Probe {
    /// The status of the probe, from the status of its container. That says nothing about a liveness probe until the
    /// kubelet kills the container.
    pub fn status(
        &self,
        kind: ProbeKind,
        container: &ContainerStatus,
        now: Timestamp,
    ) -> ProbeStatus {
        let State::Running { since_seconds } = container.state else {
            return ProbeStatus::NotRunning;
        };
        let running = Timestamp::from_secs(since_seconds.into());
        match kind {
            ProbeKind::Startup if container.started => ProbeStatus::Passed,
            ProbeKind::Startup => ProbeStatus::Pending,
            ProbeKind::Readiness if container.ready => ProbeStatus::Passing,
            _ if !container.started => ProbeStatus::Held,
            ProbeKind::Readiness if now < self.first_attempt(running) => ProbeStatus::Waiting,
            ProbeKind::Readiness => ProbeStatus::Failing,
            ProbeKind::Liveness => ProbeStatus::Unknown,
        }
    }

    /// The latest end of the first attempt in a container that started at `running`.
    pub fn first_attempt(&self, running: Timestamp) -> Timestamp {
        let seconds = [self.initial_delay, self.period, self.timeout].map(i64::from);
        running.plus_nanos(seconds.into_iter().sum::<i64>() * 1_000_000_000)
    }
}

/// A probe on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireProbe {
    #[serde(deserialize_with = "lenient")]
    exec: Option<WireExec>,
    #[serde(deserialize_with = "lenient")]
    http_get: Option<WireHttpGet>,
    #[serde(deserialize_with = "lenient")]
    tcp_socket: Option<WireTcpSocket>,
    #[serde(deserialize_with = "lenient")]
    grpc: Option<WireGrpc>,
    #[serde(deserialize_with = "lenient")]
    initial_delay_seconds: i64,
    #[serde(deserialize_with = "lenient")]
    timeout_seconds: i64,
    #[serde(deserialize_with = "lenient")]
    period_seconds: i64,
    #[serde(deserialize_with = "lenient")]
    success_threshold: i64,
    #[serde(deserialize_with = "lenient")]
    failure_threshold: i64,
}

impl Message for WireProbe {
    fn field(&mut self, number: u32, value: Value<'_>) -> Result<(), Malformed> {
        match number {
            // In JSON the handler's fields are in the probe itself; here they are a message.
            1 => {
                let Value::Bytes(handler) = value else {
                    return Ok(());
                };
                for field in Fields::new(handler) {
                    match field? {
                        (1, value) => self.exec.read(value)?,
                        (2, value) => self.http_get.read(value)?,
                        (3, value) => self.tcp_socket.read(value)?,
                        (4, value) => self.grpc.read(value)?,
                        _ => {}
                    }
                }
                Ok(())
            }
            2 => self.initial_delay_seconds.read(value),
            3 => self.timeout_seconds.read(value),
            4 => self.period_seconds.read(value),
            5 => self.success_threshold.read(value),
            6 => self.failure_threshold.read(value),
            _ => Ok(()),
        }
    }
}

message! {
    struct WireExec {
        command: Vec<String> = 1,
    }
}

/// `IntOrString`: a number or a name.
#[derive(Debug, Clone, Default)]
struct WirePort(String);

impl Lenient<'_> for WirePort {
    fn text(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn whole(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl Message for WirePort {
    fn field(&mut self, number: u32, value: Value<'_>) -> Result<(), Malformed> {
        match (number, value) {
            // Both fields are set; the unused one is empty.
            (2, Value::Varint(port)) if port != 0 => self.0.read(value),
            (3, Value::Bytes(name)) if !name.is_empty() => self.0.read(value),
            _ => Ok(()),
        }
    }
}

message! {
    struct WireHttpGet {
        scheme: String = 4,
        host: String = 3,
        port: WirePort = 2,
        path: String = 1,
    }

    struct WireTcpSocket {
        host: String = 2,
        port: WirePort = 1,
    }

    struct WireGrpc {
        port: String = 1,
        service: String = 2,
    }
}

impl WireProbe {
    /// Converts the probe and sets the API server's defaults.
    pub(super) fn convert(&self) -> Probe {
        let or = |value: i64, default: u32| {
            u32::try_from(value)
                .ok()
                .filter(|value| *value > 0)
                .unwrap_or(default)
        };
        let mut probe = Probe {
            initial_delay: or(self.initial_delay_seconds, 0),
            period: or(self.period_seconds, 10),
            timeout: or(self.timeout_seconds, 1),
            success_threshold: or(self.success_threshold, 1),
            failure_threshold: or(self.failure_threshold, 3),
            description: Box::default(),
        };
        let mut description = self.target();
        text::cut(&mut description);
        // Writing to a String does not fail.
        let _ok = write!(
            description,
            " delay={}s timeout={}s period={}s #success={} #failure={}",
            probe.initial_delay,
            probe.timeout,
            probe.period,
            probe.success_threshold,
            probe.failure_threshold
        );
        probe.description = description.into();
        probe
    }

    /// kubectl's `DescribeProbe` (pkg/describe/describe.go), without the numbers.
    fn target(&self) -> String {
        if let Some(exec) = &self.exec {
            return format!("exec [{}]", exec.command.join(" "));
        }
        if let Some(http) = &self.http_get {
            return format!("http-get {}", http.url());
        }
        if let Some(tcp) = &self.tcp_socket {
            return format!("tcp-socket {}:{}", tcp.host, tcp.port.0);
        }
        if let Some(grpc) = &self.grpc {
            return format!("grpc <pod>:{} {}", grpc.port, grpc.service);
        }
        "unknown".to_owned()
    }
}

/// The characters that Go does not escape in the path of a URL (net/url, `shouldEscape` for `encodePath`).
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

impl WireHttpGet {
    /// The URL in the form of Go's `url.URL`: `http://:8080/healthz`.
    fn url(&self) -> String {
        let scheme = match self.scheme.to_ascii_lowercase() {
            scheme if scheme.is_empty() => "http".to_owned(),
            scheme => scheme,
        };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = utf8_percent_encode(path, IN_PATH);
        format!("{scheme}://{host}:{}{slash}{path}", self.port.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(json: &str) -> Probe {
        serde_json::from_str::<WireProbe>(json).unwrap().convert()
    }

    #[test]
    fn the_state_of_a_probe_follows_the_container_status() {
        use ProbeKind::{Liveness, Readiness, Startup};
        use ProbeStatus::{Failing, Held, NotRunning, Passed, Passing, Pending, Unknown, Waiting};
        let json = r#"{"initialDelaySeconds":5,"periodSeconds":10,"timeoutSeconds":2}"#;
        let probe = serde_json::from_str::<WireProbe>(json).unwrap().convert();
        let running = |started, ready| ContainerStatus {
            started,
            ready,
            state: State::Running { since_seconds: 100 },
            ..ContainerStatus::default()
        };
        for (container, seconds, expected) in [
            (ContainerStatus::default(), 200, [NotRunning; 3]),
            (running(false, false), 200, [Pending, Held, Held]),
            (running(true, false), 116, [Passed, Waiting, Unknown]),
            (running(true, false), 117, [Passed, Failing, Unknown]),
            (running(true, true), 100, [Passed, Passing, Unknown]),
        ] {
            let now = Timestamp::from_secs(seconds);
            let status =
                [Startup, Readiness, Liveness].map(|kind| probe.status(kind, &container, now));
            assert_eq!(status, expected, "{container:?}");
        }
    }

    #[test]
    fn a_probe_is_described_as_in_kubectl() {
        const NUMBERS: &str = " delay=0s timeout=1s period=10s #success=1 #failure=3";
        for (json, expected) in [
            (
                r#"{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"}}"#,
                "http-get http://:8080/healthz",
            ),
            (
                r#"{"httpGet":{"path":"/a b?c=%","port":"web","host":"example.com","scheme":"HTTPS"}}"#,
                "http-get https://example.com:web/a%20b%3Fc=%25",
            ),
            (
                r#"{"httpGet":{"port":80,"host":"fd00::1"}}"#,
                "http-get http://[fd00::1]:80/",
            ),
            (r#"{"tcpSocket":{"port":3306}}"#, "tcp-socket :3306"),
            (
                r#"{"exec":{"command":["cat","/tmp/healthy"]}}"#,
                "exec [cat /tmp/healthy]",
            ),
            (r#"{"grpc":{"port":2379,"service":""}}"#, "grpc <pod>:2379 "),
            (
                r#"{"grpc":{"port":2379,"service":"live"}}"#,
                "grpc <pod>:2379 live",
            ),
            ("{}", "unknown"),
            (r#"{"httpGet":7,"exec":null}"#, "unknown"),
        ] {
            assert_eq!(
                *convert(json).description,
                format!("{expected}{NUMBERS}"),
                "{json}"
            );
        }
    }

    #[test]
    fn missing_probe_fields_have_the_api_servers_defaults() {
        let probe = convert(
            r#"{"tcpSocket":{"port":1},"initialDelaySeconds":5,"periodSeconds":3,"timeoutSeconds":-1,"failureThreshold":0}"#,
        );
        assert_eq!(
            (probe.initial_delay, probe.period, probe.timeout),
            (5, 3, 1)
        );
        assert_eq!((probe.success_threshold, probe.failure_threshold), (1, 3));
        assert_eq!(
            &*probe.description,
            "tcp-socket :1 delay=5s timeout=1s period=3s #success=1 #failure=3"
        );
    }

    #[test]
    fn a_script_is_cut_and_its_numbers_are_not() {
        let script = "x".repeat(5000);
        let probe = convert(&format!(r#"{{"exec":{{"command":["sh","{script}"]}}}}"#));
        assert!(probe.description.len() < 1200 && probe.description.ends_with("#failure=3"));
    }
}
