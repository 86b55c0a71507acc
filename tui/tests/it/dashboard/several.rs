//! Several clusters in one dashboard.

use std::fmt::Write;

use super::clusters::Lab;

/// A kubeconfig with the clusters of these kubeconfigs as the contexts `one`, `two`, …, and one that does not answer.
fn merged(kubeconfigs: &[&str]) -> String {
    let mut clusters = String::from("clusters:\n");
    let mut users = String::from("users:\n");
    let mut contexts = String::from("contexts:\n");
    for (name, kubeconfig) in ["one", "two"].into_iter().zip(kubeconfigs) {
        let value = |key: &str| {
            let line = kubeconfig
                .lines()
                .find(|line| line.trim_start().starts_with(key));
            line.unwrap_or_else(|| panic!("{key} in {kubeconfig}"))
                .trim()
                .to_owned()
        };
        let (server, ca) = (value("server:"), value("certificate-authority-data:"));
        writeln!(
            clusters,
            "- name: {name}\n  cluster:\n    {server}\n    {ca}"
        )
        .unwrap();
        let (cert, key) = (value("client-certificate-data:"), value("client-key-data:"));
        writeln!(users, "- name: {name}\n  user:\n    {cert}\n    {key}").unwrap();
        writeln!(
            contexts,
            "- name: {name}\n  context: {{cluster: {name}, user: {name}}}"
        )
        .unwrap();
    }
    clusters.push_str("- name: dead\n  cluster: {server: 'https://127.0.0.1:1'}\n");
    contexts.push_str("- name: dead\n  context: {cluster: dead, user: one}\n");
    format!("apiVersion: v1\nkind: Config\n{clusters}{users}{contexts}current-context: two\n")
}

#[test]
fn several_clusters_are_one_list_and_enter_goes_in() {
    let labs = [Lab::start(), Lab::start()];
    let kubeconfig = merged(&labs.each_ref().map(|lab| lab.cluster.kubeconfig()));
    let mut terminal = labs[0].open(&kubeconfig, &["--contexts", "two,*e*"]);
    let row = |text: &str, context: &str, part: &str| {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['▌', ' ']));
        lines.any(|line| line.starts_with(context) && line.contains(part))
    };
    terminal.wait_for("a row for each cluster", |text| {
        text.contains("3 clusters")
            && row(text, "dead ", "no answer")
            && row(text, "one ", "2/2")
            && row(text, "two ", "2/2")
    });
    // The one that does not answer is the first.
    terminal.press("enter");
    terminal.wait_for_text("Cannot reach the cluster");
    terminal.press("X");
    terminal.wait_for_text("3 clusters");
    terminal.press("/");
    for letter in "name=one".chars() {
        terminal.press(&letter.to_string());
    }
    terminal.press("enter");
    terminal.press("g");
    terminal.press("enter");
    terminal.wait_for("the overview of that cluster", |text| {
        let title = text.lines().next().unwrap_or_default();
        title.contains("· one ·") && title.contains("LIVE") && text.contains("1 Overview")
    });
    terminal.press("3");
    terminal.wait_for("its pods", |text| text.contains("Running"));
    // A cluster that is not on the screen is followed too.
    labs[1].cluster.cut_api(true);
    labs[0].cluster.cut_api(true);
    terminal.press("X");
    terminal.wait_for("that neither answers", |text| {
        row(text, "one ", "no answer") || text.contains("name=one")
    });
    terminal.press("backspace");
    terminal.wait_for("both", |text| {
        row(text, "one ", "no answer") && row(text, "two ", "no answer")
    });
    labs[1].cluster.cut_api(false);
    terminal.wait_for("that one is back", |text| !row(text, "two ", "no answer"));
    terminal.press("q");
    terminal.wait_for_end();
}

#[test]
fn a_context_that_does_not_exist_is_said_before_the_screen_is_drawn() {
    let lab = Lab::start();
    let kubeconfig = merged(&[lab.cluster.kubeconfig()]);
    let terminal = lab.open(&kubeconfig, &["--contexts", "one,thre"]);
    terminal
        .wait_for_text("--contexts thre: no context and no group of the configuration has this");
}
