//! Hides secrets in the error output of a plugin.

use std::sync::LazyLock;

use http::HeaderValue;
use kube::config::ExecConfig;
use regex::{Captures, Regex};

/// Shorter texts are not secret and occur in many words.
const SHORTEST: usize = 4;

/// Secrets with their replacements.
#[derive(Default)]
pub(super) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// Collects the plugin's environment, arguments with secret names, the last credential, and secrets in the output.
    pub(super) fn of(exec: &ExecConfig, last: Option<&HeaderValue>, printed: &[u8]) -> Self {
        static PRINTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r#""(token|clientKeyData)"\s*:\s*"((?:[^"\\]|\\.)*)"#).ok()
        });
        let mut found = Self::default();
        for (name, value) in variables(exec) {
            found.add(value, &format!("${name}"));
        }
        let mut arguments = exec.args.iter().flatten().peekable();
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (
                    argument.as_str(),
                    arguments.peek().map(|next| next.as_str()),
                ),
            };
            if name.starts_with('-') && is_secret(name) {
                found.add(value.unwrap_or_default(), name);
            }
        }
        let last = last.and_then(|header| header.to_str().ok());
        found.add(
            last.and_then(|text| text.strip_prefix("Bearer "))
                .unwrap_or_default(),
            "TOKEN",
        );
        let printed = String::from_utf8_lossy(printed);
        for matched in PRINTED.iter().flat_map(|form| form.captures_iter(&printed)) {
            found.add(matched.get(2).map_or("", |value| value.as_str()), "TOKEN");
        }
        // Longest first: one secret may be part of another.
        found
            .0
            .sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        found
    }

    fn add(&mut self, secret: &str, name: &str) {
        if secret.len() >= SHORTEST {
            self.0.push((secret.to_owned(), name.to_owned()));
        }
    }

    /// Replaces the secrets, and whatever has the form of a token or of a login in a URL.
    pub(super) fn hide(&self, text: &str) -> String {
        static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let forms = [
                // JSON web tokens, and the tokens of Amazon's and Google's plugins.
                r"eyJ[\w-]{8,}(?:\.[\w-]*)*",
                r"k8s-aws-v1\.[\w-]+",
                r"ya29\.[\w.-]+",
                // `token: x`, `"password":"x"`, `Bearer x`.
                r#"((?i:token|password|secret|clientKeyData)"?\s*[:=]\s*"?|(?i:bearer)\s+)([^\s"',;]{4,})"#,
                // The login in a URL.
                r"(://)[^\s/@]+@",
            ];
            Regex::new(&forms.join("|")).ok()
        });
        let hidden = self.0.iter().fold(text.to_owned(), |text, (secret, name)| {
            text.replace(secret.as_str(), name)
        });
        let Some(forms) = FORMS.as_ref() else {
            return String::new();
        };
        let replacement = |found: &Captures<'_>| {
            let part = |at| found.get(at).map(|part| part.as_str());
            match (part(1), part(2), part(3)) {
                (Some(before), Some(value), _) if is_token(value) || is_password(before) => {
                    format!("{before}TOKEN")
                }
                (Some(before), Some(value), _) => format!("{before}{value}"),
                (_, _, Some(_)) => "://LOGIN@".to_owned(),
                _ => "TOKEN".to_owned(),
            }
        };
        forms.replace_all(&hidden, replacement).into_owned()
    }
}

/// Whether the text after `token:` is a token, and not a word about it.
fn is_token(value: &str) -> bool {
    value.len() >= 20 || value.contains(|c: char| c.is_ascii_digit())
}

fn is_password(name: &str) -> bool {
    !name.to_lowercase().contains("token") && !name.to_lowercase().contains("bearer")
}

/// Whether the argument's name says that its value is secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = ["secret", "password", "passwd", "token", "key", "credential"];
    words.iter().any(|word| name.contains(word))
}

/// The environment variables that the kubeconfig sets.
pub(super) fn variables(exec: &ExecConfig) -> impl Iterator<Item = (&String, &String)> {
    let variables = exec.env.iter().flatten();
    variables.filter_map(|variable| Some((variable.get("name")?, variable.get("value")?)))
}

/// The last non-empty line, without escape sequences and control characters.
pub(super) fn last_line(bytes: &[u8]) -> String {
    let text = strip_ansi_escapes::strip_str(String::from_utf8_lossy(bytes));
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(yaml: serde_json::Value) -> ExecConfig {
        serde_json::from_value(yaml).unwrap()
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_stays() {
        let exec = exec(serde_json::json!({
            "apiVersion": "v1", "command": "p",
            "args": ["get-token", "--oidc-client-secret=s3cr3t-of-oidc", "--password", "hunter2", "--region", "eu-1"],
            "env": [{"name": "KEY", "value": "of-the-environment"}, {"name": "DEBUG", "value": "1"}],
        }));
        let last = HeaderValue::from_static("Bearer last-token");
        let printed = br#"{"status":{"token": "new-token", "clientKeyData":"key-data"} broken"#;
        let secrets = Secrets::of(&exec, Some(&last), printed);
        for row in r#"
            exit 1 in eu-1: get-token => exit 1 in eu-1: get-token
            cannot use of-the-environment => cannot use $KEY
            -s s3cr3t-of-oidc -p hunter2 => -s --oidc-client-secret -p --password
            last-token is not new-token => TOKEN is not TOKEN
            key-data => TOKEN
            jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln is old => jwt TOKEN is old
            k8s-aws-v1.aHR0cHM6Ly9zdHM expired => TOKEN expired
            sent Authorization: Bearer abcdefgh1 => sent Authorization: Bearer TOKEN
            {"token":"other-token-2"} => {"token":"TOKEN"}
            cannot refresh token: unexpected end => cannot refresh token: unexpected end
            password=letmein now => password=TOKEN now
            proxy http://bob:pw@proxy:1 refused => proxy http://LOGIN@proxy:1 refused
            refresh token revoked; run 'corp-sso login' => refresh token revoked; run 'corp-sso login'
        "#
        .trim()
        .lines()
        {
            let (text, expected) = row.trim().split_once(" => ").unwrap();
            assert_eq!(secrets.hide(text), expected, "{text}");
        }
    }

    #[test]
    fn the_last_line_has_no_control_characters() {
        for (bytes, expected) in [
            (&b"one\ntwo\n\n  \n"[..], "two"),
            (b"\x1b[2J\x1b[31mFATAL\x1b[0m: no\n", "FATAL: no"),
            (b"\x1b]0;title\x07said\x1b[?1049h", "said"),
            ("a\u{9b}2Jb\u{85}c".as_bytes(), "a2Jbc"),
            (b"50%\r100%\x08\x07", "50%100%"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"", ""),
        ] {
            assert_eq!(last_line(bytes), expected, "{bytes:?}");
        }
    }
}
