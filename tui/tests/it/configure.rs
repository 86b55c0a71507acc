//! `vitals config`, `completion` and `man`, as a user runs them.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The program with a home of its own and nothing of ours in its environment.
fn vitals(home: &Path) -> Command {
    let mut command = Command::cargo_bin("vitals").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VITALS_")) {
        command.env_remove(name);
    }
    command
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .current_dir(home);
    command
}

fn said(command: &mut Command) -> (String, String, Option<i32>) {
    let output = command.output().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
        output.status.code(),
    )
}

#[test]
fn config_init_writes_and_prints_and_never_overwrites() {
    let home = TempDir::new().unwrap();
    let path = home.path().join(".config/kubevitals/config.toml");
    let (out, err, code) = said(vitals(home.path()).args(["config", "init"]));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert_eq!(
        out,
        format!(
            "wrote {}: all lines are comments, so nothing changes until you edit it\n",
            path.display()
        )
    );
    let (out, _, _) = said(vitals(home.path()).args(["config", "show"]));
    assert!(out.starts_with("theme = \"auto\"\n"), "{out}");
    fs::write(&path, "fps = 3\n").unwrap();
    let (_, err, code) = said(vitals(home.path()).args(["config", "init"]));
    assert_eq!(code, Some(2));
    assert!(
        err.starts_with(&format!("error: {} already exists", path.display())),
        "{err}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "fps = 3\n");
}

#[test]
fn flags_hold_over_the_environment_and_that_over_the_file() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("mine.toml");
    fs::write(&file, "fps = 3\ntheme = \"light\"\nview = \"pods\"\n").unwrap();
    let (out, err, _) = said(
        vitals(home.path())
            .args(["config", "show", "--fps", "7", "--config"])
            .arg(&file)
            .env("VITALS_FPS", "5")
            .env("VITALS_VIEW", "nodes"),
    );
    for line in ["fps = 7\n", "view = \"nodes\"\n", "theme = \"light\"\n"] {
        assert!(out.contains(line), "{line} is missing in\n{out}{err}");
    }
}

#[test]
fn flags_before_the_command_hold_too() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("mine.toml"), "fps = 3\n").unwrap();
    for (line, shown) in [
        ("--theme light config show", "theme = \"light\"\n"),
        ("--config mine.toml config show", "fps = 3\n"),
        (
            "--config mine.toml --fps 4 config show --ascii",
            "fps = 4\n",
        ),
        ("--time-zone local config show", "time-zone = \"local\"\n"),
    ] {
        let (out, err, code) = said(vitals(home.path()).args(line.split_whitespace()));
        assert_eq!((err.as_str(), code), ("", Some(0)), "{line}");
        assert!(out.contains(shown), "{line}: {out}");
    }
    let (_, err, code) = said(vitals(home.path()).args(["--view", "pods", "top", "pods"]));
    assert_eq!(
        (err.as_str(), code),
        (
            "error: unknown flag: --view\nSee 'vitals top pod --help' for usage.\n",
            Some(1)
        )
    );
}

#[test]
fn a_configuration_error_names_file_and_line() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("c.toml"), "fps = 3\n\ntheme = \"pink\"\n").unwrap();
    let (out, err, code) = said(vitals(home.path()).args(["config", "show", "--config", "c.toml"]));
    assert_eq!((out.as_str(), code), ("", Some(2)));
    assert_eq!(
        err,
        "error: c.toml:3: theme is auto, dark, light, catppuccin-mocha, catppuccin-latte, solarized-dark, solarized-light, nord, high-contrast or deuteranopia, or a file like mine.toml, not \"pink\"\n"
    );
}

#[test]
fn every_shell_has_completions() {
    let home = TempDir::new().unwrap();
    for (shell, word) in [
        ("bash", "complete -F _vitals vitals"),
        ("zsh", "#compdef vitals"),
        ("fish", "complete --command"),
        ("elvish", "sort-by"),
        ("powershell", "sort-by"),
    ] {
        let (out, err, code) = said(vitals(home.path()).args(["completion", shell]));
        assert_eq!((err.as_str(), code), ("", Some(0)), "{shell}");
        assert!(out.contains(word), "{shell} has no {word}");
    }
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let home = TempDir::new().unwrap();
    let (page, err, _) = said(vitals(home.path()).arg("man"));
    assert!(
        page.contains(".TH vitals 1") && page.contains("kubeconfig"),
        "{page}{err}"
    );
    assert!(
        page.contains("[default: 60]"),
        "the frames a second: {page}"
    );
    let (_, err, code) = said(vitals(home.path()).args(["man", "--out", "pages"]));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    for page in [
        "vitals.1",
        "vitals-top.1",
        "vitals-top-pod.1",
        "vitals-why.1",
        "vitals-demo.1",
        "vitals-config-init.1",
    ] {
        assert!(
            home.path().join("pages").join(page).exists(),
            "{page} is missing"
        );
    }
}
