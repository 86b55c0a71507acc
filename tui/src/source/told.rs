//! Objects of kubevitals.io as kube's watcher takes them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use kubevitals_proto::vitals::{GROUP, Incident, Meta, NodeVitals, PodVitals, VERSION};
use serde::{Deserialize, Deserializer};

/// A kind of objects.
pub(super) trait Kind {
    /// Its name.
    const KIND: &'static str;
    /// Its resource, as paths have it.
    const RESOURCE: &'static str;

    /// Its metadata.
    fn meta(&self) -> &Meta;
}

macro_rules! kind {
    ($type:ident, $resource:literal) => {
        impl Kind for $type {
            const KIND: &'static str = stringify!($type);
            const RESOURCE: &'static str = $resource;

            fn meta(&self) -> &Meta {
                &self.metadata
            }
        }
    };
}

kind!(PodVitals, "podvitals");
kind!(NodeVitals, "nodevitals");
kind!(Incident, "incidents");

macro_rules! told {
    ($(#[doc = $doc:literal])* $name:ident, $scope:ty) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(super) struct $name<T> {
            metadata: ObjectMeta,
            /// The object.
            pub(super) told: T,
        }

        impl<'de, T: Kind + Deserialize<'de>> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let told = T::deserialize(deserializer)?;
                Ok(Self {
                    metadata: metadata(told.meta()),
                    told,
                })
            }
        }

        impl<T: Kind> kube::Resource for $name<T> {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                T::KIND.into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                GROUP.into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                VERSION.into()
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                T::RESOURCE.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

told!(
    /// An object that is in a namespace.
    Told, NamespaceResourceScope
);
told!(
    /// An object that is in none.
    ToldCluster, ClusterResourceScope
);

/// The part of the metadata that the watcher needs.
fn metadata(meta: &Meta) -> ObjectMeta {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ObjectMeta {
        name: text(&meta.name),
        namespace: text(&meta.namespace),
        resource_version: text(&meta.resource_version),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::Resource;

    #[test]
    fn an_object_has_its_own_metadata() {
        let told: Told<PodVitals> =
            serde_json::from_str(r#"{"kind":"PodVitals","metadata":{"name":"a","namespace":"b","resourceVersion":"7"},"phase":"Running"}"#).unwrap();
        assert_eq!(told.meta().name.as_deref(), Some("a"));
        assert_eq!(told.meta().resource_version.as_deref(), Some("7"));
        assert_eq!(told.told.phase, "Running");
        assert_eq!(
            Told::<PodVitals>::url_path(&(), Some("b")),
            "/apis/kubevitals.io/v1alpha1/namespaces/b/podvitals"
        );
    }
}
