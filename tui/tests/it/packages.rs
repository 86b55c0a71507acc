//! `make install`, the packages and the files of a release, made of the program under test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A path of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs a command in the repository, and returns what it prints.
fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.current_dir(repository(".")).output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {said}");
    String::from_utf8(stdout).unwrap()
}

fn script(name: &str) -> Command {
    Command::new(repository("scripts/release").join(name))
}

/// A small program that runs the one under test, which is too large to pack often.
fn stand_in(folder: &Path) -> PathBuf {
    let path = folder.join("program");
    let text = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_vitals"));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

fn make(target: &str, folder: &Path) -> Command {
    let mut command = Command::new("make");
    command
        .args(["--no-print-directory", target])
        .arg(format!("PROGRAM={}", stand_in(folder).display()))
        .arg(format!("DESTDIR={}", folder.join("root").display()))
        .arg("PREFIX=/usr");
    command
}

#[test]
fn make_install_puts_everything_in_its_place_and_uninstall_removes_it() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("root");
    run(&mut make("install", folder.path()));
    let installed = files(&root);
    for name in [
        "usr/bin/vitals",
        "usr/bin/kubectl-vitals",
        "usr/bin/kubectl_complete-vitals",
        "usr/share/bash-completion/completions/vitals",
        "usr/share/zsh/site-functions/_vitals",
        "usr/share/fish/vendor_completions.d/vitals.fish",
        "usr/share/man/man1/vitals.1",
        "usr/share/man/man1/vitals-top-pod.1",
    ] {
        assert!(
            installed.iter().any(|file| file == name),
            "{name} in {installed:?}"
        );
    }
    for (name, line) in [("vitals", "vitals "), ("kubectl-vitals", "vitals ")] {
        let version = run(Command::new(root.join("usr/bin").join(name)).arg("--version"));
        assert!(version.contains(line), "{version}");
    }
    // Twice is as once.
    run(&mut make("install", folder.path()));
    assert_eq!(files(&root), installed);
    let other = root.join("usr/share/man/man1/other.1");
    fs::write(&other, "").unwrap();
    run(&mut make("uninstall", folder.path()));
    assert_eq!(files(&root), ["usr/share/man/man1/other.1"]);
}

#[test]
fn a_prefix_is_an_absolute_path() {
    let folder = TempDir::new().unwrap();
    let output = script("../install.sh")
        .env("PREFIX", "local")
        .env("PROGRAM", stand_in(folder.path()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "install: PREFIX=local: write an absolute path\n");
}

/// Installed into a folder of its own, so that the test leaves the machine alone.
#[test]
fn the_debian_package_is_installed_runs_and_is_removed() {
    let has = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !has("cargo", &["deb", "--version"]) || !has("dpkg", &["--version"]) {
        eprintln!("cargo-deb or dpkg is missing: the Debian package is not checked");
        return;
    }
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("vitals");
    run(Command::new("strip")
        .arg("-o")
        .arg(&program)
        .arg(env!("CARGO_BIN_EXE_vitals")));
    let packages = folder.path().join("packages");
    run(script("deb.sh")
        .arg("--fast")
        .env("PROGRAM", &program)
        .env("OUTPUT", &packages));
    let package = packages.join(&files(&packages)[0]);
    let fields = run(Command::new("dpkg-deb").arg("--field").arg(&package));
    for field in [
        "Package: kubevitals".to_owned(),
        format!("Version: {}-1", env!("CARGO_PKG_VERSION")),
        "Section: admin".to_owned(),
    ] {
        assert!(
            fields.lines().any(|line| line == field),
            "{field} in\n{fields}"
        );
    }

    let root = folder.path().join("root");
    for name in ["updates", "info"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(name)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = |action: &str, what: &Path| {
        let mut command = Command::new("dpkg");
        command
            .arg(format!("--root={}", root.display()))
            // The folder has no libc of its own.
            .args([
                "--force-not-root",
                "--force-depends",
                "--force-bad-path",
                action,
            ])
            .arg(what);
        run(&mut command)
    };
    dpkg("--install", &package);
    for name in ["vitals", "kubectl-vitals", "kubectl_complete-vitals"] {
        let program = root.join("usr/bin").join(name);
        let words = match name {
            "kubectl_complete-vitals" => "wh",
            _ => "--version",
        };
        let said = run(Command::new(program).arg(words));
        let expected = match name {
            "kubectl_complete-vitals" => "why\t",
            _ => "vitals 0",
        };
        assert!(said.contains(expected), "{name}: {said}");
    }
    let installed = files(&root.join("usr"));
    for name in [
        "share/man/man1/vitals.1.gz",
        "share/zsh/vendor-completions/_vitals",
        "share/bash-completion/completions/vitals",
        "share/doc/kubevitals/copyright",
    ] {
        assert!(
            installed.iter().any(|file| file == name),
            "{name} in {installed:?}"
        );
    }
    dpkg("--purge", Path::new("kubevitals"));
    assert!(!root.join("usr").exists(), "{:?}", files(&root));
}

#[test]
fn a_release_has_archives_a_krew_manifest_and_checksums() {
    let folder = TempDir::new().unwrap();
    let dist = folder.path().join("dist");
    let version = env!("CARGO_PKG_VERSION");
    for architecture in ["amd64", "arm64"] {
        run(script("archive.sh")
            .arg(architecture)
            .arg(&dist)
            .env("PROGRAM", stand_in(folder.path())));
    }
    run(script("krew.sh").arg("owner/kubevitals").arg(&dist));
    run(script("checksums.sh").arg(&dist));

    let archive = format!("vitals-{version}-linux-amd64.tar.gz");
    let listed = run(Command::new("tar").arg("-tzf").arg(dist.join(&archive)));
    for name in ["vitals", "LICENSE", "share/man/man1/vitals.1"] {
        assert!(
            listed.lines().any(|line| line == name),
            "{name} in\n{listed}"
        );
    }
    let sums = fs::read_to_string(dist.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 3, "{sums}");
    run(Command::new("sh").arg("-c").arg(format!(
        "cd {} && sha256sum --check --strict SHA256SUMS",
        dist.display()
    )));

    let manifest = fs::read_to_string(dist.join("vitals.yaml")).unwrap();
    assert!(!manifest.contains('@'), "{manifest}");
    assert!(manifest.contains(&format!(
        "uri: https://github.com/owner/kubevitals/releases/download/v{version}/{archive}"
    )));
    for line in sums.lines().filter(|line| line.ends_with(".tar.gz")) {
        let sum = line.split(' ').next().unwrap();
        assert!(
            manifest.contains(&format!("sha256: \"{sum}\"")),
            "{manifest}"
        );
    }
}

/// A release for a tag that Cargo.toml, the chart or the changelog does not know is refused.
#[test]
fn a_tag_is_that_of_the_version() {
    let output = script("version.sh").arg("v9.9.9").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("version.sh: the tag is v9.9.9, and Cargo.toml has {version}\n")
    );
    assert_eq!(run(&mut script("version.sh")), format!("{version}\n"));
}

/// The steps of the release are scripts of this repository, and run with the arguments that they require.
#[test]
fn the_workflow_runs_scripts_that_exist() {
    let workflow = fs::read_to_string(repository(".github/workflows/release.yml")).unwrap();
    let named: Vec<&str> = workflow
        .split_whitespace()
        .filter(|word| word.starts_with("scripts/"))
        .collect();
    assert!(named.len() >= 8, "{named:?}");
    for name in named {
        let mode = fs::metadata(repository(name))
            .expect(name)
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111, "{name}");
    }
    for action in workflow.split("uses: ").skip(1) {
        let action = action.lines().next().unwrap();
        let (_, version) = action.split_once('@').expect(action);
        assert!(version.split('.').count() == 3, "{action} is not pinned");
    }
}

#[test]
fn every_man_page_is_rendered_without_warnings() {
    let folder = TempDir::new().unwrap();
    run(Command::new(env!("CARGO_BIN_EXE_vitals"))
        .args(["man", "--out"])
        .arg(folder.path()));
    let pages = files(folder.path());
    assert!(pages.len() >= 9, "{pages:?}");
    for (program, arguments) in [
        (
            "groff",
            &["-ww", "-z", "-man", "-Kutf8", "-Tutf8"] as &[&str],
        ),
        ("man", &["--warnings", "--local-file", "-Tutf8"]),
        ("lexgrog", &[]),
    ] {
        if Command::new(program).arg("--version").output().is_err() {
            eprintln!("{program} is missing: it does not check the man pages");
            continue;
        }
        for page in &pages {
            let mut command = Command::new(program);
            command.args(arguments).arg(folder.path().join(page));
            let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {page}: {said}");
            assert_eq!(said, "", "{program} {page}");
        }
    }
}
