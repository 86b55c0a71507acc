//! The container image: its Dockerfile, as far as it can be followed without a container engine.

use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::process::Command;

use serde_json::Value;

use super::rendered::{Rendered, output, repository};

/// The instructions of the Dockerfile, continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository("Dockerfile")).unwrap();
    text.replace("\\\n", " ")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, rest) = line.split_once(' ').expect("an instruction");
            (name.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// What follows the instructions of a name.
fn all(name: &str) -> Vec<String> {
    let every = instructions().into_iter();
    every
        .filter(|(instruction, _)| instruction == name)
        .map(|(_, rest)| rest)
        .collect()
}

/// Whether a path of the repository is sent to the build: .dockerignore leaves out everything but what it names.
fn is_sent(path: &Path) -> bool {
    let rules = std::fs::read_to_string(repository(".dockerignore")).unwrap();
    let mut names = path.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let top = names.next().expect("a path in the repository");
    rules.lines().any(|rule| rule == format!("!{top}"))
        && names.all(|name| !rules.lines().any(|rule| rule == format!("**/{name}")))
}

/// What cargo knows of the workspace.
pub(super) fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(repository("."));
    serde_json::from_str(&output(&mut command)).expect("JSON")
}

#[test]
fn the_build_context_has_every_file_that_cargo_needs() {
    let metadata = metadata();
    let root = Path::new(metadata["workspace_root"].as_str().unwrap());
    let mut places: BTreeSet<&Path> = [Path::new("Cargo.toml"), Path::new("Cargo.lock")].into();
    // The allocator's options.
    places.insert(Path::new(".cargo/config.toml"));
    for package in metadata["packages"].as_array().unwrap() {
        let targets = package["targets"].as_array().unwrap();
        let sources = targets.iter().map(|target| &target["src_path"]);
        for path in sources.chain([&package["manifest_path"]]) {
            let path = Path::new(path.as_str().unwrap());
            places.insert(path.strip_prefix(root).unwrap());
        }
    }
    for place in places {
        assert!(is_sent(place), "{} is not in the context", place.display());
        assert!(root.join(place).exists(), "{}", place.display());
    }
    assert!(!is_sent(Path::new("target/release/vitals-server")));
    assert!(!is_sent(Path::new("sim/fixtures/scenarios/01/1")));
    assert!(!is_sent(Path::new(".git/config")));
}

#[test]
fn copied_state_is_complete() {
    let step = all("RUN").concat();
    for copy in all("COPY") {
        let words: Vec<&str> = copy.split_whitespace().collect();
        match words.as_slice() {
            [".", "."] => {}
            ["--from=build", built, _] => assert!(step.contains(built), "{step} makes no {built}"),
            [source, _] => assert!(
                repository(source).exists() && is_sent(Path::new(source)),
                "{source}"
            ),
            _ => panic!("COPY {copy}"),
        }
    }
}

/// The commands of the build step for an architecture; none when it refuses.
fn build_commands(architecture: &str) -> Option<Vec<String>> {
    let step = all("RUN").concat();
    let script = step
        .split_whitespace()
        .find(|word| word.starts_with("scripts/"))
        .expect("a script");
    let output = Command::new(repository(script))
        .args(["vitals-server", architecture, "/out/vitals-server"])
        .envs([("PRINT", "1"), ("INSTALL", "1")])
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("the script runs");
    let printed = String::from_utf8(output.stdout).unwrap();
    output
        .status
        .success()
        .then(|| printed.lines().map(str::to_owned).collect())
}

#[test]
fn each_architecture_builds_the_locked_release_of_the_server() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let server = packages
        .iter()
        .find(|package| package["name"] == "kubevitals-server")
        .unwrap();
    let targets = server["targets"].as_array().unwrap();
    assert!(
        targets
            .iter()
            .any(|target| target["name"] == "vitals-server" && target["kind"][0] == "bin")
    );
    for (architecture, triple) in [
        ("amd64", "x86_64-unknown-linux-gnu"),
        ("arm64", "aarch64-unknown-linux-gnu"),
    ] {
        let commands = build_commands(architecture).expect("commands");
        let has = |command: &str| commands.iter().any(|line| line == command);
        assert!(has(&format!("rustup target add {triple}")), "{commands:#?}");
        assert!(
            has(&format!(
                "cargo build --release --locked --target {triple} --package kubevitals-server --bin vitals-server"
            )),
            "{commands:#?}"
        );
        assert!(
            has(&format!(
                "install -D -m 755 target/{triple}/release/vitals-server /out/vitals-server"
            )),
            "{commands:#?}"
        );
    }
    assert_eq!(build_commands("s390x"), None);
}

#[test]
fn the_image_is_one_program_that_runs_without_root() {
    let metadata = metadata();
    let package = &metadata["packages"].as_array().unwrap()[0];
    let stages = all("FROM");
    let rust = package["rust_version"].as_str().unwrap();
    assert!(
        stages[0].contains(&format!(" rust:{rust}.")),
        "{}",
        stages[0]
    );
    assert_eq!(stages.last().map(String::as_str), Some("scratch"));
    let rendered = Rendered::deploy("base");
    let security = &rendered.pod()["spec"]["securityContext"];
    let user = format!("{}:{}", security["runAsUser"], security["runAsGroup"]);
    assert_eq!(all("USER"), [user]);
    let port = rendered.container()["ports"][0]["containerPort"].to_string();
    assert_eq!(all("EXPOSE"), [port]);
    let copied = all("COPY");
    assert!(copied.contains(&"--from=build /out/vitals-server /vitals-server".to_owned()));
    assert_eq!(all("ENTRYPOINT"), [r#"["/vitals-server"]"#]);
    let version = package["version"].as_str().unwrap();
    assert!(all("ARG").contains(&format!("VERSION={version}")));
    let image = rendered.container()["image"].as_str().unwrap();
    assert_eq!(image, format!("vitals-server:{version}"));
}
