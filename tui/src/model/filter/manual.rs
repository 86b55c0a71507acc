//! The manual of the filter language: the table in the help and in docs/dashboard.md.

/// Examples with two blanks between them, and the rows that each selects.
const MANUAL: &str = r#"
web cpu>500m => rows with `web` in any text column, in any case, that use more than half a core: a blank means AND, as do `and`, `&&` and `&`
web, restarts>0 => rows that match one of the two: a comma means OR, as do `or`, `|` and `||`; blanks bind closer than commas
ns=shop,payments  ns!=shop,payments => a list of values, without blanks: one of the two namespaces, or neither
!probe=passing  not ns=shop  !(a, b) => rows that do not match; parentheses group
failing  CrashLoop => a word is found in what the row shows: names, status, probes, the reason of the last restart
status=CrashLoopBackOff => the whole text, in any case; `!=` for all others; `node=""` for an empty one
name=web* => a text in which `*` stands for anything
~^web-\d+  node~(a|b)$  name!~canary => a regular expression on any text column, or on one column
cpu>500m  mem>1Gi  mem%limit>80  restarts>0  age<10m  ready=false => numbers with their units: `=` `!=` `<` `<=` `>` `>=`. CPU and memory need a unit: `cpu>100` is refused, `cpu>100m` and `cpu>1.5` are clear
-l app=web,tier!=db  -l "tier in (a,b)" => labels, as in kubectl
"two words"  name="a,b"  "or" => text with a blank, a special character or a word of the filter in it
"#;

/// The examples of filters, and the rows that each selects.
pub fn manual() -> impl Iterator<Item = (Vec<&'static str>, &'static str)> {
    let rows = MANUAL.lines().filter_map(|line| line.split_once(" => "));
    rows.map(|(examples, meaning)| (examples.split("  ").collect(), meaning))
}

/// The text below the table.
pub static REMARK: &str = "A condition on a number hides rows that do not have it or whose value is unknown; `!cpu>500m` shows them. Every column (`c` lists them) is a field; `ns` and `mem` are short for `namespace` and `memory`. Syntax of other languages is refused with the right spelling: `ns:shop`, `-n shop`, `web.*`, `deployment=web`, `mem>500`.";

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    use crate::model::filter::Filter;

    /// The table of docs/dashboard.md.
    fn markdown() -> String {
        let mut text = "| write | to see |\n|---|---|\n".to_owned();
        for (examples, meaning) in manual() {
            // A bar would end the cell.
            let examples: Vec<String> = examples
                .iter()
                .map(|example| format!("`{}`", example.replace('|', "\\|")))
                .collect();
            // Writing to a string cannot fail.
            let meaning = meaning.replace('|', "\\|");
            let _ = writeln!(text, "| {} | {meaning} |", examples.join(", "));
        }
        let _ = write!(text, "\n{REMARK}\n");
        text
    }

    #[test]
    fn every_example_is_a_filter() {
        for example in manual().flat_map(|(examples, _)| examples) {
            let filter = example.parse::<Filter>();
            assert!(filter.is_ok_and(|filter| !filter.is_empty()), "{example}");
        }
    }

    #[test]
    fn the_manual_has_the_table() {
        let manual = include_str!("../../../../docs/dashboard.md");
        let (_, rest) = manual.split_once("<!-- filter -->\n").unwrap();
        let (table, _) = rest.split_once("<!-- end of filter -->").unwrap();
        let expected = markdown();
        assert!(
            table.trim() == expected.trim(),
            "the text between the comments in docs/dashboard.md must be:\n{expected}"
        );
    }
}
