//! Kubeconfig files for the simulated cluster.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::pki::Certified;

/// How a kubeconfig's user proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials<'a> {
    /// A client certificate, embedded.
    Certificate(&'a Certified),
    /// A bearer token, embedded.
    Token(&'a str),
    /// A file that holds a bearer token and may be rewritten.
    TokenFile(&'a Path),
}

/// Writes kubeconfigs for one API server.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    server: String,
    ca_pem: String,
}

impl Kubeconfig {
    /// For the API server at `server` (an URL), trusted by `ca_pem`.
    pub fn new(server: impl Into<String>, ca_pem: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            ca_pem: ca_pem.into(),
        }
    }

    /// The YAML text: one cluster and context named `kubevitals-sim`, and one user.
    pub fn yaml(&self, user: &str, credentials: &Credentials<'_>) -> String {
        let base64 = |text: &str| BASE64_STANDARD.encode(text);
        let credentials = match credentials {
            Credentials::Certificate(certified) => format!(
                "    client-certificate-data: {}\n    client-key-data: {}\n",
                base64(&certified.cert_pem),
                base64(&certified.key_pem)
            ),
            Credentials::Token(token) => format!("    token: {token:?}\n"),
            Credentials::TokenFile(path) => {
                format!("    tokenFile: {:?}\n", path.display().to_string())
            }
        };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: kubevitals-sim\n\
             clusters:\n- name: kubevitals-sim\n  cluster:\n    server: {server}\n    certificate-authority-data: {ca}\n\
             contexts:\n- name: kubevitals-sim\n  context:\n    cluster: kubevitals-sim\n    user: {user:?}\n    namespace: default\n\
             users:\n- name: {user:?}\n  user:\n{credentials}",
            server = self.server,
            ca = base64(&self.ca_pem),
        )
    }
}
