//! Writes results into the documents: the tables of docs/benchmarks.md and docs/scaling.md, and the plot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Results;
use crate::figures::FIGURES;
use crate::fit::Line;
use crate::plot::{points, svg};
use crate::report::Report;

/// The text of a document between these two lines is replaced.
const BEGIN: &str = "<!-- begin: written by make bench-scaling -->\n";
const END: &str = "<!-- end -->\n";

/// The largest cluster of Kubernetes that operators report, for the law on paper.
const ON_PAPER: f64 = 65_000.0;

/// The figures with a law.
const LAWS: [&str; 9] = [
    "cpu",
    "rss",
    "peak",
    "firstAnswers",
    "allAnswers",
    "startCpu",
    "jsonCpu",
    "protobufCpu",
    "watchCpu",
];

/// Writes the documents in `folder`.
pub(crate) fn write(results: &Results, folder: &Path) {
    let Results {
        taken,
        machine,
        clusters,
    } = results;
    let from = format!("Measured until {taken}: {machine}.\n");
    let mut tables = from.clone();
    // The sizes of the design's budgets.
    for report in clusters
        .iter()
        .filter(|it| [1000, 5000].contains(&it.nodes))
    {
        let _written = write!(tables, "\n{}", report.markdown());
    }
    replace(&folder.join("benchmarks.md"), &tables);
    let laws =
        from + "\n" + &measured(clusters) + "\n" + &laws(clusters) + "\n" + &capacity(clusters);
    replace(&folder.join("scaling.md"), &laws);
    let svg = svg(clusters).expect("a plot");
    fs::write(folder.join("pictures/scaling.svg"), svg).expect("space on the disk");
}

fn replace(path: &Path, text: &str) {
    let document = fs::read_to_string(path).expect("a document");
    let (before, rest) = document.split_once(BEGIN).expect("the first marker");
    let (_, after) = rest.split_once(END).expect("the second marker");
    let document = format!("{before}{BEGIN}{text}{END}{after}");
    fs::write(path, document).expect("space on the disk");
}

/// The first server's figures, with a column for each size.
fn measured(clusters: &[Report]) -> String {
    let mut out = "| nodes |".to_owned();
    for report in clusters {
        let _written = write!(out, " {} |", report.nodes);
    }
    out += "\n|---|";
    out.extend(clusters.iter().map(|_| "---|"));
    out.push('\n');
    let keys = LAWS
        .iter()
        .chain(&["cpuPerScrape", "missed", "latencyP99", "selectorP99"]);
    for figure in keys.filter_map(|key| FIGURES.iter().find(|figure| figure.key == *key)) {
        let _written = write!(out, "| {} |", figure.label);
        for report in clusters {
            let value = report.get(0, figure.key);
            let cell = value.map_or_else(|| "–".to_owned(), |value| figure.with_unit(value));
            let _written = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    out += "| machine |";
    for report in clusters {
        out += if report.is_busy() {
            " **busy** |"
        } else {
            " idle otherwise |"
        };
    }
    out + "\n"
}

/// The laws, and their values for a cluster on paper.
fn laws(clusters: &[Report]) -> String {
    let mut out =
        format!("| | law for n nodes | R² | {ON_PAPER} nodes, on paper |\n|---|---|---|---|\n");
    for key in LAWS {
        let figure = FIGURES.iter().find(|figure| figure.key == key);
        let law = law(clusters, key);
        if let (Some(figure), Some(law)) = (figure, law) {
            let _written = writeln!(
                out,
                "| {} | {} + {} per 1,000 nodes | {:.3} | {} |",
                figure.label,
                figure.with_unit(law.fixed),
                figure.with_unit(law.slope * 1000.0),
                law.explained,
                figure.with_unit(law.at(ON_PAPER))
            );
        }
    }
    out
}

fn law(clusters: &[Report], key: &str) -> Option<Line> {
    Line::through(&points(clusters, 0, key))
}

/// What one instance carries by the laws.
fn capacity(clusters: &[Report]) -> String {
    let mut out = "| one instance with | carries |\n|---|---|\n".to_owned();
    let mut line = |with: &str, carries: String| {
        let _written = writeln!(out, "| {with} | {carries} |");
    };
    if let Some(memory) = law(clusters, "rss") {
        for gibibytes in [1.0, 4.0] {
            let nodes = memory.reaches(gibibytes * 1024.0 * 0.8);
            line(
                &format!("{gibibytes} GiB, 20 % of it free"),
                format!("{} nodes", hundreds(nodes)),
            );
        }
    }
    if let Some(cpu) = law(clusters, "cpu") {
        let nodes = cpu.reaches(500.0);
        line(
            "half a processor for scraping",
            format!("{} nodes", hundreds(nodes)),
        );
    }
    let largest = clusters
        .iter()
        .rev()
        .find(|it| it.get(0, "selectorCpu").is_some());
    if let Some(report) = largest {
        let selector = report.get(0, "selectorCpu").unwrap_or_default();
        if selector > 0.0 {
            line(
                &format!("half a processor for HPAs, {} nodes", report.nodes),
                format!(
                    "{} HPAs, each with a list every 15 s",
                    hundreds(500.0 / selector * 15.0)
                ),
            );
        }
        let watch = report.get(0, "watchCpu").unwrap_or_default();
        if watch > 0.0 {
            line(
                &format!(
                    "half a processor for watches of all pods, {} nodes",
                    report.nodes
                ),
                format!("{:.0} such watches", (500.0 / watch).floor()),
            );
        }
    }
    out
}

/// Rounds down to a hundred.
fn hundreds(number: f64) -> String {
    format!("{:.0}", (number / 100.0).floor() * 100.0)
}
