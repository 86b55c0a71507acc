//! The questions of docs/dashboard.md: the keys of each, pressed in a terminal, lead to its answer.

use super::Dashboard;

/// A question: its keys, and what is then on the screen.
struct Question {
    text: String,
    keys: Vec<String>,
    answers: Vec<String>,
}

/// The texts between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The table of questions.
fn questions() -> Vec<Question> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/dashboard.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, table) = document.split_once("<!-- questions -->").unwrap();
    let (table, _) = table.split_once("<!-- end of questions -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    rows.skip(1)
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
            Question {
                text: cells[0].trim().to_owned(),
                keys: quoted(cells[1]),
                answers: quoted(cells[2]),
            }
        })
        .collect()
}

#[test]
fn each_question_is_answered_within_five_keys() {
    let questions = questions();
    assert!(questions.len() >= 10, "{}", questions.len());
    let mut dashboard = Dashboard::start(&[]);
    for Question {
        text,
        keys,
        answers,
    } in questions
    {
        assert!(keys.len() <= 5 && !answers.is_empty(), "{text}");
        for key in &keys {
            dashboard.terminal.press(key);
        }
        dashboard.terminal.wait_for(&text, |screen| {
            answers
                .iter()
                .all(|answer| screen.contains(answer.as_str()))
        });
        // Text pages are closed, and then the overview is shown again.
        if !dashboard.terminal.text().contains(" 1 Overview ") {
            dashboard.terminal.press("q");
        }
        dashboard.show("1", "Overview");
    }
}
