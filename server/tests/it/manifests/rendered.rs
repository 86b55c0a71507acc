//! What `kubectl kustomize` makes of a folder, as objects.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Objects as they would be applied.
#[derive(Debug)]
pub(crate) struct Rendered(Vec<Value>);

/// A path of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What a command prints.
///
/// # Panics
/// When it cannot be run, or fails.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).expect("text")
}

impl Rendered {
    /// What a folder under deploy/ renders to.
    pub(crate) fn deploy(folder: &str) -> Self {
        Self::kustomize(&repository("deploy").join(folder))
    }

    /// What a folder with a kustomization renders to.
    pub(crate) fn kustomize(folder: &Path) -> Self {
        Self::yaml(&output(
            Command::new("kubectl").arg("kustomize").arg(folder),
        ))
    }

    /// What the base renders to with these components.
    pub(crate) fn components(components: &[&str]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // Kustomize takes relative paths only.
        let place = folder.path().canonicalize().unwrap();
        let up = "../".repeat(place.components().count() - 1);
        let deploy = repository("deploy").canonicalize().unwrap();
        let deploy = format!("{up}{}", deploy.strip_prefix("/").unwrap().display());
        let paths = components
            .iter()
            .map(|component| format!("{deploy}/components/{component}"));
        let paths: Vec<String> = paths.collect();
        let kustomization = json!({"resources": [format!("{deploy}/base")], "components": paths});
        let file = place.join("kustomization.yaml");
        std::fs::write(file, kustomization.to_string()).unwrap();
        Self::kustomize(&place)
    }

    /// The objects of some YAML.
    pub(crate) fn yaml(text: &str) -> Self {
        let mut objects: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
        // A template of Helm may render nothing.
        objects.retain(|object| !object.is_null());
        Self(objects)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    /// All of a kind.
    pub(crate) fn kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// The only one of its kind.
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let all: Vec<_> = self.kind(kind).collect();
        match all.as_slice() {
            [one] => one,
            _ => panic!("{} objects of kind {kind}", all.len()),
        }
    }

    /// The pod template of the only Deployment or, of shards, StatefulSet.
    pub(crate) fn pod(&self) -> &Value {
        let sharded = self.kind("Deployment").next().is_none();
        let kind = if sharded { "StatefulSet" } else { "Deployment" };
        &self.only(kind)["spec"]["template"]
    }

    /// Its container.
    pub(crate) fn container(&self) -> &Value {
        let containers = &self.pod()["spec"]["containers"];
        assert_eq!(containers.as_array().map(Vec::len), Some(1));
        &containers[0]
    }

    /// The arguments of that container.
    pub(crate) fn arguments(&self) -> Vec<String> {
        texts(&self.container()["args"])
    }
}

/// A list of strings; empty when there is none.
pub(crate) fn texts(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().expect("a string").to_owned())
        .collect()
}

#[test]
fn yaml_is_read_as_kubernetes_reads_it() {
    let read = Rendered::yaml("kind: A\nn: 1\ns: \"1\"\nb: true\n---\nkind: B\nl: []\n");
    assert_eq!(
        read.only("A"),
        &json!({"kind": "A", "n": 1, "s": "1", "b": true})
    );
    assert_eq!(read.all().count(), 2);
}
