//! The types of Kubernetes' machinery that objects are made with, and that discovery answers with.

use super::schema::{Field, Holds, Is, Name, Type};

macro_rules! names {
    ($($constant:ident = $name:literal),* $(,)?) => {
        $(pub(crate) const $constant: Name = Name::Machinery($name);)*
    };
}

names! {
    QUANTITY = "api.resource.Quantity",
    API_GROUP = "apis.meta.v1.APIGroup",
    API_GROUP_LIST = "apis.meta.v1.APIGroupList",
    API_RESOURCE = "apis.meta.v1.APIResource",
    API_RESOURCE_LIST = "apis.meta.v1.APIResourceList",
    DURATION = "apis.meta.v1.Duration",
    FIELDS = "apis.meta.v1.FieldsV1",
    GROUP_VERSION = "apis.meta.v1.GroupVersionForDiscovery",
    LIST_META = "apis.meta.v1.ListMeta",
    MANAGED_FIELDS = "apis.meta.v1.ManagedFieldsEntry",
    OBJECT_META = "apis.meta.v1.ObjectMeta",
    OWNER = "apis.meta.v1.OwnerReference",
    SERVER_ADDRESS = "apis.meta.v1.ServerAddressByClientCIDR",
    SHARD = "apis.meta.v1.ShardInfo",
    TIME = "apis.meta.v1.Time",
    INFO = "version.Info",
}

/// A text.
const fn text(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Holds::String, description)
}

pub(crate) const API_VERSION: Field = Field::new(
    "apiVersion",
    Holds::String,
    "The API group and version of this object's form, such as metrics.k8s.io/v1.",
);
pub(crate) const KIND: Field = Field::new("kind", Holds::String, "The name of this object's type.");

const NEVER: &str = "None here.";

/// What objects carry.
pub(crate) const OBJECTS: [Type; 9] = [
    Type::new(
        QUANTITY,
        "An amount with a suffix: 250m is a quarter, 1385106551n are nanos, 4097476Ki are kibibytes. Decimal suffixes \
         are n u m k M G T P E, binary ones Ki Mi Gi Ti Pi Ei, and there are exponents, as in 1e3. An amount is sent \
         with the largest suffix that needs no fraction.",
        Is::TextOrNumber,
    ),
    Type::new(
        DURATION,
        "How long, in Go's words: 15.253s, 1m30s. CPU is averaged over a window of that length.",
        Is::Text(None),
    ),
    Type::new(
        FIELDS,
        "A set of fields. There is none here.",
        Is::AnyObject,
    ),
    Type::new(
        LIST_META,
        "What is said of a list as a whole.",
        Is::Object(&[
            text(
                "continue",
                "Where the rest begins. Lists here are whole, and have none.",
            ),
            Field::new(
                "remainingItemCount",
                Holds::Integer,
                "How many are in the rest. Lists here are whole, and have none.",
            ),
            text(
                "resourceVersion",
                "Where a watch goes on from this list. Metrics have none: they cannot be watched.",
            ),
            text("selfLink", "Not used any more."),
            Field::new(
                "shardInfo",
                Holds::One(SHARD),
                "Which part of all this is. Lists here are whole.",
            ),
        ]),
    ),
    Type::new(
        MANAGED_FIELDS,
        "Which fields somebody manages. Nobody manages what is here.",
        Is::Object(&[
            text("apiVersion", "The version that the fields are of."),
            text("fieldsType", "FieldsV1."),
            Field::new("fieldsV1", Holds::One(FIELDS), "The fields."),
            text("manager", "Who manages them."),
            text("operation", "Apply or Update."),
            text("subresource", "Through which part of the object."),
            Field::new("time", Holds::One(TIME), "Since when."),
        ]),
    ),
    Type::new(
        OBJECT_META,
        "What is said of any object. Metrics carry the name, the namespace and the labels of what was measured, and the \
         time of the answer; vitals those of what they tell of, with its identity and times.",
        Is::Object(&[
            Field::new("annotations", Holds::StringMap, NEVER),
            Field::new(
                "creationTimestamp",
                Holds::One(TIME),
                "When the node or pod was made, or the incident began. Of metrics, when this answer was given: they are \
                 made as they are asked for.",
            ),
            Field::new("deletionGracePeriodSeconds", Holds::Integer, NEVER),
            Field::new(
                "deletionTimestamp",
                Holds::One(TIME),
                "When the deletion of the pod was asked for. Metrics have none.",
            ),
            Field::new("finalizers", Holds::Strings, NEVER)
                .list("set")
                .merged(),
            text("generateName", NEVER),
            Field::new("generation", Holds::Integer, NEVER),
            Field::new(
                "labels",
                Holds::StringMap,
                "The labels of the node or the pod, by which lists can be selected.",
            ),
            Field::new("managedFields", Holds::Many(MANAGED_FIELDS), NEVER).list("atomic"),
            text("name", "The name of the node, the pod or the incident."),
            text("namespace", "The namespace of the pod; a node has none."),
            Field::new("ownerReferences", Holds::Many(OWNER), NEVER)
                .keyed("uid")
                .merged(),
            text(
                "resourceVersion",
                "The version of what is told, for watches. Metrics have none.",
            ),
            text("selfLink", "Not used any more."),
            text(
                "uid",
                "The identity of the node or the pod. Metrics have none.",
            ),
        ]),
    ),
    Type::new(
        OWNER,
        "Another object without which this one is removed. There is none here.",
        Is::Object(&[
            text("apiVersion", "The version of the owner's form.").required(),
            Field::new(
                "blockOwnerDeletion",
                Holds::Boolean,
                "Whether the owner waits for this object.",
            ),
            Field::new(
                "controller",
                Holds::Boolean,
                "Whether the owner controls this object.",
            ),
            text("kind", "The owner's type.").required(),
            text("name", "The owner's name.").required(),
            text("uid", "The owner's identity.").required(),
        ]),
    )
    .atomic(),
    Type::new(
        SHARD,
        "Which part of all objects a list has.",
        Is::Object(&[text("selector", "What selected that part.").required()]),
    ),
    Type::new(
        TIME,
        "A time in RFC 3339, in whole seconds: 2026-11-21T05:13:54Z.",
        Is::Text(Some("date-time")),
    ),
];

/// What discovery says of a version's resources.
pub(crate) const RESOURCES: [Type; 2] = [
    Type::new(
        API_RESOURCE,
        "A resource: a path under which objects of a kind are found.",
        Is::Object(&[
            Field::new(
                "categories",
                Holds::Strings,
                "Groups that it belongs to, such as all.",
            )
            .list("atomic"),
            text(
                "group",
                "The group of the kind, if it is another than the list's.",
            ),
            text("kind", "The kind of its objects.").required(),
            text("name", "Its name in paths: a plural.").required(),
            Field::new(
                "namespaced",
                Holds::Boolean,
                "Whether its objects are in namespaces.",
            )
            .required(),
            Field::new(
                "shortNames",
                Holds::Strings,
                "What kubectl takes for its name too.",
            )
            .list("atomic"),
            text(
                "singularName",
                "Its name for one object; empty for the kind in lower case.",
            )
            .required(),
            text(
                "storageVersionHash",
                "A hash of the version that is stored. Nothing here is stored.",
            ),
            Field::new(
                "verbs",
                Holds::Strings,
                "What can be done: get, list, watch.",
            )
            .required(),
            text(
                "version",
                "The version of the kind, if it is another than the list's.",
            ),
        ]),
    ),
    Type::new(
        API_RESOURCE_LIST,
        "The resources of a version of a group.",
        Is::Object(&[
            API_VERSION,
            text("groupVersion", "The group and version: metrics.k8s.io/v1.").required(),
            KIND,
            Field::new(
                "resources",
                Holds::Many(API_RESOURCE),
                "The resources, by name.",
            )
            .required()
            .list("atomic"),
        ]),
    )
    .kind_of(""),
];

/// What discovery says of a group.
pub(crate) const GROUPS: [Type; 3] = [
    Type::new(
        API_GROUP,
        "An API group: its name and its versions.",
        Is::Object(&[
            API_VERSION,
            KIND,
            text("name", "The group's name.").required(),
            Field::new(
                "preferredVersion",
                Holds::One(GROUP_VERSION),
                "The version that a client takes which knows them all.",
            )
            .always(),
            Field::new(
                "serverAddressByClientCIDRs",
                Holds::Many(SERVER_ADDRESS),
                "Where clients of which networks reach it; the longest network that fits counts.",
            )
            .list("atomic"),
            Field::new("versions", Holds::Many(GROUP_VERSION), "Its versions.")
                .required()
                .list("atomic"),
        ]),
    )
    .kind_of(""),
    Type::new(
        GROUP_VERSION,
        "A version of a group.",
        Is::Object(&[
            text("groupVersion", "With the group: metrics.k8s.io/v1.").required(),
            text("version", "Alone: v1.").required(),
        ]),
    ),
    Type::new(
        SERVER_ADDRESS,
        "Where clients of a network reach the server.",
        Is::Object(&[
            text("clientCIDR", "The network.").required(),
            text("serverAddress", "A host, a port, or both.").required(),
        ]),
    ),
];

/// All groups.
pub(crate) const GROUP_LIST: Type = Type::new(
    API_GROUP_LIST,
    "The API groups that are served.",
    Is::Object(&[
        API_VERSION,
        Field::new("groups", Holds::Many(API_GROUP), "The groups.")
            .required()
            .list("atomic"),
        KIND,
    ]),
)
.kind_of("");

/// The server's version.
pub(crate) const VERSION_INFO: Type = Type::new(
    INFO,
    "What the server was built from, and with.",
    Is::Object(&[
        text("buildDate", "When.").required(),
        text("compiler", "By which compiler.").required(),
        text(
            "emulationMajor",
            "The major version whose behaviour is shown.",
        ),
        text(
            "emulationMinor",
            "The minor version whose behaviour is shown.",
        ),
        text("gitCommit", "From which commit.").required(),
        text("gitTreeState", "Whether anything was changed after it.").required(),
        text("gitVersion", "The version.").required(),
        text("goVersion", "Empty: this server is not written in Go.").required(),
        text("major", "The major version.").required(),
        text(
            "minCompatibilityMajor",
            "The oldest major version that it gets along with.",
        ),
        text(
            "minCompatibilityMinor",
            "The oldest minor version that it gets along with.",
        ),
        text("minor", "The minor version.").required(),
        text("platform", "For which system.").required(),
    ]),
);
