//! Discovery in protobuf.

use super::aggregated::{
    ApiGroupDiscovery, ApiGroupDiscoveryList, ApiResourceDiscovery, GroupVersionKind,
};
use super::{ApiGroup, ApiGroupList, ApiResource, ApiResourceList, GroupVersion};
use crate::wire::meta::ListMeta;
use crate::wire::object::{Object, list_meta};
use crate::wire::protobuf::{int, message, string};

impl Object for ApiGroupList {
    fn type_meta(&self) -> (&str, &str) {
        (&self.api_version, &self.kind)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        for group in &self.groups {
            message(out, 1, |out| group.write_protobuf(out));
        }
    }
}

impl Object for ApiGroup {
    fn type_meta(&self) -> (&str, &str) {
        (&self.api_version, &self.kind)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        string(out, 1, &self.name);
        for version in &self.versions {
            message(out, 2, |out| write_version(out, version));
        }
        let preferred = self.preferred_version.clone().unwrap_or_default();
        message(out, 3, |out| write_version(out, &preferred));
        for address in &self.server_address_by_client_cidrs {
            message(out, 4, |out| {
                string(out, 1, &address.client_cidr);
                string(out, 2, &address.server_address);
            });
        }
    }
}

fn write_version(out: &mut Vec<u8>, version: &GroupVersion) {
    string(out, 1, &version.group_version);
    string(out, 2, &version.version);
}

impl Object for ApiResourceList {
    fn type_meta(&self) -> (&str, &str) {
        (&self.api_version, &self.kind)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        string(out, 1, &self.group_version);
        for resource in &self.resources {
            message(out, 2, |out| write_resource(out, resource));
        }
    }
}

fn write_resource(out: &mut Vec<u8>, resource: &ApiResource) {
    string(out, 1, &resource.name);
    int(out, 2, resource.namespaced.into());
    string(out, 3, &resource.kind);
    message(out, 4, |out| strings(out, 1, &resource.verbs));
    strings(out, 5, &resource.short_names);
    string(out, 6, &resource.singular_name);
    strings(out, 7, &resource.categories);
    string(out, 8, &resource.group);
    string(out, 9, &resource.version);
    string(out, 10, ""); // storageVersionHash
}

impl Object for ApiGroupDiscoveryList {
    fn type_meta(&self) -> (&str, &str) {
        (&self.api_version, &self.kind)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        list_meta(out, 1, &ListMeta::default());
        for group in &self.items {
            message(out, 2, |out| write_group(out, group));
        }
    }
}

fn write_group(out: &mut Vec<u8>, group: &ApiGroupDiscovery) {
    message(out, 1, |out| {
        string(out, 1, &group.metadata.name);
        // generateName, namespace, selfLink, uid, resourceVersion, generation, creationTimestamp
        (2..=6).for_each(|field| string(out, field, ""));
        int(out, 7, 0);
        string(out, 8, "");
    });
    for version in &group.versions {
        message(out, 2, |out| {
            string(out, 1, &version.version);
            for resource in &version.resources {
                message(out, 2, |out| write_discovered(out, resource));
            }
            string(out, 3, &version.freshness);
        });
    }
}

fn write_discovered(out: &mut Vec<u8>, resource: &ApiResourceDiscovery) {
    string(out, 1, &resource.resource);
    message(out, 2, |out| write_kind(out, &resource.response_kind));
    string(out, 3, &resource.scope);
    string(out, 4, &resource.singular_resource);
    strings(out, 5, &resource.verbs);
    strings(out, 6, &resource.short_names);
    strings(out, 7, &resource.categories);
    for subresource in &resource.subresources {
        message(out, 8, |out| {
            string(out, 1, &subresource.subresource);
            message(out, 2, |out| write_kind(out, &subresource.response_kind));
            strings(out, 4, &subresource.verbs);
        });
    }
}

fn write_kind(out: &mut Vec<u8>, kind: &GroupVersionKind) {
    string(out, 1, &kind.group);
    string(out, 2, &kind.version);
    string(out, 3, &kind.kind);
}

fn strings(out: &mut Vec<u8>, field: u8, texts: &[String]) {
    for text in texts {
        string(out, field, text);
    }
}
