//! Forms of kubeconfigs that occur in practice.

use super::tls::{base64, der, fixture, serve};
use super::{VITALS, caller, connects_as_kubectl, write_kubeconfig};
use crate::api::Api;

/// Wraps the text in lines of 76 letters, as `base64` does.
fn wrapped(text: &str, end: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(76)
        .map(|line| line.iter().collect::<String>() + end)
        .collect()
}

/// A field as a literal block.
fn block(field: &str, text: &str) -> String {
    let lines: String = wrapped(text, "\n")
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    format!("{field}: |\n{lines}")
}

fn quoted(field: &str, text: &str) -> String {
    format!("{field}: {}", serde_json::to_string(text).unwrap())
}

#[test]
fn data_fields_may_have_line_breaks() {
    let api = serve("server");
    let server = format!("server: https://127.0.0.1:{}\n", api.port);
    let authority = base64("server-ca.crt");
    let field = "certificate-authority-data";
    for cluster in [
        block(field, &authority),
        quoted(field, &format!("{authority}\n")),
        quoted(field, &wrapped(&authority, "\r\n")),
        quoted(field, &wrapped(&authority, "\r")),
    ] {
        write_kubeconfig(&api, &format!("{server}{cluster}"), "token: t");
        connects_as_kubectl(&api, &cluster, &[]);
    }
    let cluster = format!("{server}{field}: {authority}");
    let (certificate, key) = (base64("client-ed25519.crt"), base64("client-ed25519.key"));
    for user in [
        block("client-certificate-data", &certificate) + &format!("client-key-data: {key}"),
        format!("client-certificate-data: {certificate}\n") + &block("client-key-data", &key),
        quoted("client-certificate-data", &wrapped(&certificate, "\r\n"))
            + "\n"
            + &quoted("client-key-data", &format!("{key}\n\n")),
    ] {
        write_kubeconfig(&api, &cluster, &user);
        let caller = connects_as_kubectl(&api, &user, &[]);
        assert_eq!(caller.certificate, Some(der("client-ed25519.crt")));
    }
}

#[test]
fn invalid_kubeconfigs_are_refused_as_by_kubectl() {
    let api = serve("server");
    let server = format!("server: https://127.0.0.1:{}\n", api.port);
    let authority = base64("server-ca.crt");
    let with_blank = format!("certificate-authority-data: {}", wrapped(&authority, " "));
    write_kubeconfig(&api, &format!("{server}{with_blank}"), "token: t");
    for program in ["kubectl", VITALS] {
        let (said, seen) = caller(&api, program, &[]);
        assert_eq!(
            (said.code, seen),
            (Some(1), None),
            "{program}: {}",
            said.err
        );
    }
}

#[test]
fn empty_values_count_as_absent() {
    let api = serve("server");
    let server = format!("server: https://127.0.0.1:{}\n", api.port);
    let path = |field: &str, file: &str| format!("{field}: {}\n", fixture(file).display());
    let authority = path("certificate-authority", "server-ca.crt");
    let certificate = path("client-certificate", "client-ed25519.crt");
    let key = path("client-key", "client-ed25519.key");
    for (cluster, user) in [
        ("certificate-authority-data: ''", "token: t".to_owned()),
        ("proxy-url: ''\ntls-server-name: ''", "token: t".to_owned()),
        ("", format!("{certificate}{key}client-certificate-data: ''")),
        ("", format!("{certificate}{key}client-key-data: ''")),
        ("", format!("{certificate}{key}client-key-data: \"\\n\"")),
        ("", format!("{certificate}{key}token: ''")),
        ("", "token: t\nusername: ''\npassword: ''".to_owned()),
        ("", "token: t\ntokenFile: ''".to_owned()),
        ("", "token: t\nas: ''\nas-uid: ''".to_owned()),
    ] {
        write_kubeconfig(&api, &format!("{server}{authority}{cluster}"), &user);
        connects_as_kubectl(&api, &format!("{cluster} {user}"), &[]);
    }
}

#[test]
fn a_token_file_precedes_a_token_and_is_trimmed() {
    let api = serve("server");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("server-ca.crt")
    );
    let write = |text: &str| std::fs::write(api.directory().join("token"), text).unwrap();
    for (text, user, expected) in [
        ("file\n", "tokenFile: token", "Bearer file"),
        ("file\r\n\n", "tokenFile: token", "Bearer file"),
        (" file ", "tokenFile: token", "Bearer file"),
        ("file\n", "token: inline\ntokenFile: token", "Bearer file"),
        ("file", "token: inline\ntokenFile: none", "Bearer inline"),
    ] {
        write(text);
        write_kubeconfig(&api, &cluster, user);
        let caller = connects_as_kubectl(&api, &format!("{text:?} {user}"), &[]);
        assert_eq!(caller.authorization.as_deref(), Some(expected), "{user}");
    }
}

#[test]
fn missing_and_empty_files_are_skipped() {
    let api = serve("server");
    let cluster = |name: &str, port: u16| {
        format!(
            "clusters: [{{name: {name}, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority-data: {}}}}}]\n",
            base64("server-ca.crt")
        )
    };
    let write = |name: &str, text: String| {
        let path = api.directory().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let context = "contexts: [{name: x, context: {cluster: c, user: u}}]\n";
    write("empty.yaml", String::new());
    write("comment.yaml", "# nothing\n".to_owned());
    write(
        "first.yaml",
        format!(
            "current-context: ''\nusers: [{{name: u, user: {{token: first}}}}]\n{}",
            cluster("other", 1)
        ),
    );
    write(
        "sub/second.yaml",
        format!(
            "current-context: x\n{context}users: [{{name: u, user: {{token: second}}}}]\n{}",
            cluster("c", api.port)
        ),
    );
    for list in [
        "/nope:first.yaml::sub/second.yaml",
        "empty.yaml:comment.yaml:first.yaml:sub/second.yaml",
        "::first.yaml:sub/second.yaml:",
    ] {
        let caller = connects_as_kubectl(&api, list, &[("KUBECONFIG", list)]);
        assert_eq!(caller.authorization.as_deref(), Some("Bearer first"));
    }
}

#[test]
fn a_type_error_names_its_field() {
    let api: Api = serve("server");
    let server = format!("server: https://127.0.0.1:{}\n", api.port);
    for (cluster, user, expected) in [
        (
            "certificate-authority-data: '?'",
            "token: t",
            "error: certificate-authority-data is not base64: ",
        ),
        (
            "",
            "client-certificate-data: '?'\nclient-key-data: aGVsbG8=",
            "client-certificate-data is not base64: ",
        ),
    ] {
        write_kubeconfig(&api, &format!("{server}{cluster}"), user);
        let (said, _) = caller(&api, VITALS, &[]);
        assert!(said.err.contains(expected), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
}
