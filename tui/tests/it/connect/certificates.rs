//! Certificates of servers and clients: `vitals` accepts those that Go accepts.

use super::tls::{base64, der, fixture, pem, serve};
use super::{VITALS, caller, connects_as_kubectl, write_kubeconfig};

#[test]
fn serving_certificates_and_authorities() {
    for (certificate, authority) in [
        ("server", "server-ca"),
        ("server-p521", "server-ca"),
        ("server-of-p521", "ca-p521"),
        // A certificate in the bundle itself is accepted, whether or not it may sign others.
        ("self", "self"),
        ("leaf", "leaf"),
        // The server's own certificate in place of its CA.
        ("server", "server"),
    ] {
        let api = serve(certificate);
        let authority = base64(&format!("{authority}.crt"));
        let cluster = format!(
            "server: https://127.0.0.1:{}\ncertificate-authority-data: {authority}",
            api.port
        );
        write_kubeconfig(&api, &cluster, "token: t");
        let what = format!("{certificate} by {authority}");
        let caller = connects_as_kubectl(&api, &what, &[]);
        assert_eq!(caller.authorization.as_deref(), Some("Bearer t"), "{what}");
    }
}

#[test]
fn a_certificate_in_the_bundle_counts_for_its_names_only() {
    let api = serve("self");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}\ntls-server-name: other.example",
        api.port,
        base64("self.crt")
    );
    write_kubeconfig(&api, &cluster, "token: t");
    for program in ["kubectl", VITALS] {
        let (said, seen) = caller(&api, program, &[]);
        assert!(said.err.contains("x509"), "{program}: {}", said.err);
        assert_eq!((said.code, seen), (Some(1), None), "{program}");
    }
}

#[test]
fn a_leaf_in_place_of_the_authority_is_reported() {
    let api = serve("server");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("leaf.crt")
    );
    write_kubeconfig(&api, &cluster, "token: t");
    let (said, _) = caller(&api, VITALS, &[]);
    assert_eq!(
        said.err,
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown \
         authority (the certificate-authority of the cluster is no CA certificate, but that of a server)\n"
    );
}

#[test]
fn a_damaged_certificate_in_the_bundle_is_skipped() {
    let api = serve("server");
    let damaged = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let bundle = [damaged.as_bytes(), &pem("server-ca.crt")].concat();
    std::fs::write(api.directory().join("bundle.crt"), bundle).unwrap();
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority: bundle.crt",
        api.port
    );
    write_kubeconfig(&api, &cluster, "token: t");
    connects_as_kubectl(&api, "a bundle with a damaged certificate", &[]);
}

#[test]
fn client_certificates() {
    let api = serve("server");
    let cluster = format!(
        "server: https://127.0.0.1:{}\ncertificate-authority-data: {}",
        api.port,
        base64("server-ca.crt")
    );
    for name in [
        "client-v1-rsa",
        "client-v1-p256",
        "client-p521-parameters",
        "client-p521-pkcs8",
        "client-ed25519",
    ] {
        let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
        let files = format!(
            "client-certificate: {}\nclient-key: {}",
            fixture(&certificate).display(),
            fixture(&key).display()
        );
        let data = format!(
            "client-certificate-data: {}\nclient-key-data: {}",
            base64(&certificate),
            base64(&key)
        );
        for user in [files, data] {
            write_kubeconfig(&api, &cluster, &user);
            let caller = connects_as_kubectl(&api, name, &[]);
            assert_eq!(caller.certificate, Some(der(&certificate)), "{name}");
        }
    }
}

#[test]
fn an_unusable_client_key_is_reported_with_user_and_file() {
    let api = serve("server");
    let cluster = format!("server: https://127.0.0.1:{}", api.port);
    let user = format!(
        "client-certificate-data: {}\nclient-key-data: {}",
        base64("client-ed25519.crt"),
        base64("client-ed25519.crt")
    );
    write_kubeconfig(&api, &cluster, &user);
    let (said, _) = caller(&api, VITALS, &[]);
    let expected = format!(
        "error: the client certificate of user \"u\" ({}): its key holds no private key in PEM form\n",
        api.kubeconfig().display()
    );
    assert_eq!((said.err, said.code), (expected, Some(1)));
}
