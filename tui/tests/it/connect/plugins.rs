//! Credential plugins.

use std::os::unix::fs::PermissionsExt;

use super::tls::{base64, der, serve};
use super::{VITALS, caller, connects_as_kubectl, write_kubeconfig};
use crate::api::Api;

const API_VERSION: &str = "client.authentication.k8s.io/v1beta1";

/// A cluster whose user has a plugin: a shell script, with further fields of `exec`.
fn with_plugin(script: &str, fields: &str) -> Api {
    let api = serve("server");
    write_plugin(&api, script);
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("server-ca.crt")
    );
    let command = api.directory().join("plugin");
    let fields: String = fields.lines().map(|line| format!("  {line}\n")).collect();
    let user = format!(
        "exec:\n  apiVersion: {API_VERSION}\n  command: {}\n{fields}",
        command.display()
    );
    write_kubeconfig(&api, &cluster, &user);
    api
}

/// Writes the script, which logs each run.
fn write_plugin(api: &Api, script: &str) {
    let path = api.directory().join("plugin");
    std::fs::write(
        &path,
        format!("#!/bin/sh\necho run >> \"$(dirname \"$0\")/runs\"\n{script}\n"),
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn runs(api: &Api) -> usize {
    let path = api.directory().join("runs");
    let runs = std::fs::read_to_string(&path)
        .unwrap_or_default()
        .lines()
        .count();
    let _ = std::fs::remove_file(path);
    runs
}

/// A script that prints a credential with these members of `status`.
fn credential(status: &str) -> String {
    format!(
        "cat <<'EOF'\n{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"ExecCredential\",\"status\":{{{status}}}}}\nEOF"
    )
}

#[test]
fn a_token_or_a_certificate_is_used_as_by_kubectl() {
    let pem = |name: &str| {
        serde_json::to_string(&String::from_utf8(super::tls::pem(name)).unwrap()).unwrap()
    };
    let certificate = format!(
        "\"clientCertificateData\":{},\"clientKeyData\":{}",
        pem("client-ed25519.crt"),
        pem("client-ed25519.key")
    );
    for (status, has_token, has_certificate) in [
        ("\"token\":\"good\"".to_owned(), true, false),
        (certificate.clone(), false, true),
        (format!("{certificate},\"token\":\"good\""), true, true),
        (
            "\"token\":\"good\",\"expirationTimestamp\":\"2126-01-01T00:00:00Z\"".to_owned(),
            true,
            false,
        ),
    ] {
        let api = with_plugin(&credential(&status), "");
        let caller = connects_as_kubectl(&api, &status, &[]);
        let token = has_token.then(|| "Bearer good".to_owned());
        assert_eq!(caller.authorization, token);
        assert_eq!(
            caller.certificate,
            has_certificate.then(|| der("client-ed25519.crt"))
        );
    }
}

#[test]
fn one_command_runs_the_plugin_once() {
    for status in [
        "\"token\":\"good\"",
        "\"token\":\"good\",\"expirationTimestamp\":\"2126-01-01T00:00:00Z\"",
        // A credential that is expired on arrival is used, and the plugin does not run for each request.
        "\"token\":\"good\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"",
    ] {
        let api = with_plugin(&credential(status), "");
        let (said, _) = caller(&api, VITALS, &[]);
        assert_eq!(
            (said.code, runs(&api)),
            (Some(0), 1),
            "{status}: {}",
            said.err
        );
    }
}

#[test]
fn the_plugin_gets_the_same_environment_as_from_kubectl() {
    let script = "printf '%s' \"$KUBERNETES_EXEC_INFO\" > \"$(dirname \"$0\")/info\"\nprintf '%s' \"$GREETING $1\" > \"$(dirname \"$0\")/arguments\"\n";
    for fields in [
        "args: [login]\nenv: [{name: GREETING, value: hello}]",
        "args: [login]\nenv: [{name: GREETING, value: hello}]\nprovideClusterInfo: true\ninteractiveMode: Never",
    ] {
        let api = with_plugin(
            &format!("{script}{}", credential("\"token\":\"good\"")),
            fields,
        );
        let inputs = |program: &str| {
            let (said, _) = caller(&api, program, &[]);
            assert_eq!(said.code, Some(0), "{}", said.err);
            let read = |name: &str| std::fs::read_to_string(api.directory().join(name)).unwrap();
            let info: serde_json::Value = serde_json::from_str(&read("info")).unwrap();
            (info, read("arguments"))
        };
        assert_eq!(inputs(VITALS), inputs("kubectl"), "{fields}");
    }
}

#[test]
fn a_failure_is_reported_in_one_line_without_secrets() {
    const SECRET: &str = "SECRET-TOKEN-123";
    for (script, fields, expected) in [
        (
            "echo 'session expired' >&2; exit 7".to_owned(),
            "",
            "failed with exit code 7: session expired",
        ),
        (
            "printf 'noise\\n\\033[2J\\033[31mFATAL\\033[0m: log in again\\n\\n' >&2; exit 1"
                .to_owned(),
            "",
            "failed with exit code 1: FATAL: log in again",
        ),
        (
            format!("{}\nexit 1", credential(&format!("\"token\":\"{SECRET}\""))),
            "",
            "failed with exit code 1",
        ),
        (
            "echo \"cannot use $KEY\" >&2; exit 1".to_owned(),
            "env: [{name: KEY, value: SECRET-TOKEN-123}]",
            "failed with exit code 1: cannot use $KEY",
        ),
        (
            "echo no json".to_owned(),
            "",
            "its output is not an ExecCredential in JSON",
        ),
        (
            "echo '{}'".to_owned(),
            "",
            "exec plugin is configured to use API version client.authentication.k8s.io/v1beta1",
        ),
        (
            format!("echo '{{\"apiVersion\":\"{API_VERSION}\"}}'"),
            "",
            "exec plugin didn't return a status field",
        ),
        (
            credential(""),
            "",
            "exec plugin didn't return a token or cert/key pair",
        ),
        (
            credential("\"clientCertificateData\":\"x\""),
            "",
            "exec plugin returned only certificate or key, not both",
        ),
        (
            credential(&format!("\"token\":\"{SECRET}\\n{SECRET}\"")),
            "",
            "its token has characters that a header cannot carry",
        ),
        (
            "kill -9 $$".to_owned(),
            "",
            "failed with signal: 9 (SIGKILL)",
        ),
        (
            "true".to_owned(),
            "interactiveMode: Always",
            "needs a terminal: standard input is not a terminal",
        ),
    ] {
        // Unlike kubectl, which passes the standard error to the terminal.
        let fields = format!("interactiveMode: Never\n{fields}");
        let fields = if fields.contains("Always") {
            "interactiveMode: Always"
        } else {
            &fields
        };
        let api = with_plugin(&script, fields);
        let (said, seen) = caller(&api, VITALS, &[]);
        assert_eq!((said.code, seen), (Some(1), None), "{script}");
        assert!(said.err.contains(expected), "{script}: {}", said.err);
        assert!(!said.err.contains(SECRET), "{script}: {}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{script}: {}", said.err);
        assert!(
            said.err.contains("getting credentials: exec: executable"),
            "{}",
            said.err
        );
    }
}

#[test]
fn a_missing_plugin_is_reported_with_its_install_hint() {
    let api = serve("server");
    let cluster = format!("server: https://127.0.0.1:{}", api.port);
    let user = format!(
        "exec:\n  apiVersion: {API_VERSION}\n  command: no-such-plugin\n  installHint: brew install no-such-plugin"
    );
    write_kubeconfig(&api, &cluster, &user);
    let (said, _) = caller(&api, VITALS, &[]);
    assert_eq!(said.code, Some(1));
    for part in [
        "exec: executable no-such-plugin not found",
        "brew install no-such-plugin",
    ] {
        assert!(said.err.contains(part), "{}", said.err);
    }
}

#[test]
fn children_of_a_plugin_do_not_delay_the_command() {
    let script = format!("sleep 20 &\n{}", credential("\"token\":\"good\""));
    let api = with_plugin(&script, "interactiveMode: Never");
    let (said, seen) = caller(&api, VITALS, &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        seen.unwrap_or_default().authorization.as_deref(),
        Some("Bearer good")
    );
}
