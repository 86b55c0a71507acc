//! The examples in the documents: commands in blocks of the kind `console`, each with the lines that it prints.

/// The commands of a page, without their `$`, and what the page says that each prints.
pub(crate) fn examples(page: &str) -> Vec<(String, Vec<String>)> {
    let mut examples: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            examples.push((command.to_owned(), Vec::new()));
        } else if inside && let Some((_, printed)) = examples.last_mut() {
            printed.push(line.to_owned());
        }
    }
    examples
}

/// Whether a line is the heading of a table.
pub(crate) fn is_heading(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let upper = |word: &&str| !word.chars().any(|c| c.is_ascii_lowercase() || c == ':');
    words.len() > 1 && words.iter().all(upper)
}
