//! The configmap with the authorities that aggregated servers trust.

use serde_json::json;

use crate::objects::{Resource, Store};
use crate::pki::Pki;

/// Writes kube-system/extension-apiserver-authentication as the authorities are now.
pub(super) fn publish(store: &Store, pki: &Pki) {
    let data = json!({
        "client-ca-file": pki.cluster().pem(),
        "requestheader-allowed-names": r#"["front-proxy-client"]"#,
        "requestheader-client-ca-file": pki.front_proxy_bundle(),
        "requestheader-extra-headers-prefix": r#"["X-Remote-Extra-"]"#,
        "requestheader-group-headers": r#"["X-Remote-Group"]"#,
        "requestheader-uid-headers": r#"["X-Remote-Uid"]"#,
        "requestheader-username-headers": r#"["X-Remote-User"]"#,
    });
    let metadata =
        json!({"name": "extension-apiserver-authentication", "namespace": "kube-system"});
    store.apply(
        Resource::ConfigMaps,
        json!({"metadata": metadata, "data": data}),
    );
}
