//! Tests of the trust.

use super::*;
use kubevitals_sim::pki::Authority;

fn pem() -> String {
    Authority::new("ca").unwrap().pem()
}

/// A reloader without flags.
fn without_flags() -> TrustReloader {
    TrustReloader::new(&Settings::default()).unwrap()
}

fn map(data: &[(&str, &str)]) -> ConfigMap {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ConfigMap {
        data: Some(data.iter().map(own).collect()),
        ..ConfigMap::default()
    }
}

#[test]
fn no_certificate_is_judged_before_the_configmap() {
    let reloader = without_flags();
    assert!(reloader.current().pending);
    let (client, proxy) = (pem(), pem());
    let good = map(&[
        ("client-ca-file", &client),
        ("requestheader-client-ca-file", &proxy),
        ("requestheader-username-headers", r#"["X-Remote-User"]"#),
        ("requestheader-allowed-names", r#"["a","b"]"#),
    ]);
    assert_eq!(reloader.read_configmap(&good), Ok(true));
    assert_eq!(reloader.read_configmap(&good), Ok(false), "nothing new");
    let trust = reloader.current();
    assert!(!trust.pending && trust.client.is_some());
    assert_eq!(trust.proxy.as_ref().unwrap().allowed_names, ["a", "b"]);
}

#[test]
fn an_unusable_change_leaves_the_last_good_value() {
    let reloader = without_flags();
    let (client, proxy) = (pem(), pem());
    let good = [
        ("client-ca-file", client.as_str()),
        ("requestheader-client-ca-file", &proxy),
    ];
    for (key, text) in [
        ("client-ca-file", "no PEM"),
        ("requestheader-client-ca-file", ""),
        ("requestheader-allowed-names", "a"),
        ("requestheader-username-headers", r#"["no header"]"#),
    ] {
        let broken = map(&[&good[..], &[(key, text)]].concat());
        let first = without_flags();
        let error = first.read_configmap(&broken).unwrap_err();
        assert!(error.contains(key) || error.contains("header"), "{error}");
        // The unusable half stays untrusted, and the other half is used.
        let trust = first.current();
        let halves = (trust.client.is_some(), trust.proxy.is_some());
        assert!(!trust.pending, "{key}");
        assert_eq!(halves, (key != "client-ca-file", key == "client-ca-file"));

        let _good = reloader.read_configmap(&map(&good));
        assert!(reloader.read_configmap(&broken).is_err());
        let trust = reloader.current();
        assert!(trust.proxy.is_some() && trust.client.is_some() && !trust.pending);
    }
}

#[test]
fn lists_of_strings_are_parsed_as_in_go() {
    let any: &[&str] = &[];
    for (text, expected) in [
        (None, Some(any)),
        (Some(""), Some(any)),
        (Some("[]"), Some(any)),
        (Some("null"), Some(any)),
        (Some(" null\n"), Some(any)),
        (Some("\n[ ]\t"), Some(any)),
        (Some(r#"["aggregator"]"#), Some(&["aggregator"][..])),
        (Some(r#" [ "a" , "b" ] "#), Some(&["a", "b"][..])),
        (Some(r#"["a",null]"#), Some(&["a", ""][..])),
        (Some(" "), None),
        (Some("\n"), None),
        (Some("Null"), None),
        (Some(r#""aggregator""#), None),
        (Some("aggregator"), None),
        (Some("[1]"), None),
        (Some("{}"), None),
        (Some("false"), None),
        (Some(r#"["a"],"#), None),
    ] {
        for key in [
            "requestheader-allowed-names",
            "requestheader-username-headers",
            "requestheader-uid-headers",
            "requestheader-group-headers",
            "requestheader-extra-headers-prefix",
        ] {
            let data = text.map(|text| (key.to_owned(), text.to_owned()));
            let read = strings(&data.into_iter().collect(), key);
            match expected {
                Some(expected) => assert_eq!(read.unwrap(), expected, "{key}: {text:?}"),
                None => assert!(read.unwrap_err().contains(key), "{key}: {text:?}"),
            }
        }
    }
}

#[test]
fn an_empty_list_of_names_allows_any_name() {
    let ca = pem();
    for text in [None, Some(""), Some("[]"), Some("null")] {
        // At the start, before anything was read.
        let reloader = without_flags();
        let mut data = vec![
            ("client-ca-file", ca.as_str()),
            ("requestheader-client-ca-file", &ca),
            ("requestheader-username-headers", r#"["X-Remote-User"]"#),
        ];
        let lists = ["requestheader-allowed-names", "requestheader-group-headers"];
        data.extend(lists.into_iter().zip(text.into_iter().cycle()));
        assert_eq!(reloader.read_configmap(&map(&data)), Ok(true), "{text:?}");
        let trust = reloader.current();
        let proxy = trust.proxy.as_ref().unwrap();
        assert!(proxy.allowed_names.is_empty(), "{text:?}");
        assert!(reloader.missing().is_empty());
    }
}

#[test]
fn missing_keys_of_the_configmap_are_named() {
    let ca = pem();
    for (key, missing) in [
        ("client-ca-file", PROXY_KEY),
        ("requestheader-client-ca-file", CLIENT_KEY),
    ] {
        let reloader = without_flags();
        assert_eq!(reloader.missing(), [CLIENT_KEY, PROXY_KEY]);
        reloader.read_configmap(&map(&[(key, &ca)])).unwrap();
        assert_eq!(reloader.missing(), [missing]);
    }
}

#[test]
fn a_removed_ca_is_no_longer_trusted() {
    let reloader = without_flags();
    let ca = pem();
    let both = [
        ("client-ca-file", ca.as_str()),
        ("requestheader-client-ca-file", &ca),
    ];
    reloader.read_configmap(&map(&both)).unwrap();
    reloader.read_configmap(&map(&both[..1])).unwrap();
    let trust = reloader.current();
    assert!(trust.proxy.is_none() && trust.client.is_some());
}

#[test]
fn flags_take_precedence_over_the_configmap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    std::fs::write(&path, pem()).unwrap();
    let reloader = TrustReloader::new(&Settings {
        client_ca: Some(path.clone()),
        ..Settings::default()
    })
    .unwrap();
    assert!(reloader.reads_configmap() && reloader.current().pending);
    reloader
        .read_configmap(&map(&[("client-ca-file", "no PEM")]))
        .unwrap();
    let trust = reloader.current();
    assert!(!trust.pending && trust.client.is_some() && trust.proxy.is_none());

    // A half-written file leaves the old value; a complete one replaces it.
    std::fs::write(&path, "-----BEGIN CERTI").unwrap();
    assert!(matches!(reloader.read_files().as_slice(), [Err(_)]));
    assert!(reloader.current().client.is_some());
    std::fs::write(&path, pem()).unwrap();
    assert!(matches!(reloader.read_files().as_slice(), [Ok(true)]));
    assert!(matches!(reloader.read_files().as_slice(), [Ok(false)]));
}

#[test]
fn an_unneeded_configmap_is_not_awaited() {
    for lookup in [Lookup::Skipped, Lookup::Tolerated] {
        let settings = Settings {
            lookup,
            ..Settings::default()
        };
        let reloader = TrustReloader::new(&settings).unwrap();
        assert!(!reloader.current().pending, "{lookup:?}");
        assert_eq!(reloader.reads_configmap(), lookup == Lookup::Tolerated);
    }
}

#[test]
fn an_unusable_file_fails_the_start() {
    let settings = Settings {
        client_ca: Some("/nowhere/ca.crt".into()),
        ..Settings::default()
    };
    let error = TrustReloader::new(&settings).unwrap_err().to_string();
    assert!(
        error.contains("/nowhere/ca.crt") && error.contains(CLIENT_CA),
        "{error}"
    );
}
