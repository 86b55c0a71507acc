//! `vitals-sim` as it is run beside a server.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn run(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_vitals-sim"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn it_prints_its_addresses_serves_and_ends_on_sigterm() {
    let mut program = run(&["--nodes", "2", "--pods-per-node", "3"]);
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["nodes"], 2);
    for file in ["kubeconfig", "server_kubeconfig", "token", "ca"] {
        let path = ready[file].as_str().unwrap();
        assert!(!std::fs::read_to_string(path).unwrap().is_empty(), "{file}");
    }
    assert!(
        ready["api_url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    assert!(ready["kubelet_port"].as_u64().unwrap() > 0);
    Command::new("kill")
        .arg(program.id().to_string())
        .status()
        .unwrap();
    assert!(program.wait().unwrap().success());
    assert!(!std::path::Path::new(ready["token"].as_str().unwrap()).exists());
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    let mut program = run(&["--replay", "/no/such/folder"]);
    let mut text = String::new();
    program
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(2));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("/no/such/folder: No such file"), "{text}");
}
