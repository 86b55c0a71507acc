//! The results: a table for people, JSON for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::{BUSY, CONDITIONS, FIGURES, Figure};

/// The results for one cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) nodes: usize,
    pub(crate) pods_per_node: usize,
    /// Seconds of history with which the servers started.
    pub(crate) history_seconds: u64,
    /// Seconds for which scraping was measured.
    pub(crate) window_seconds: u64,
    /// The names of the servers under test.
    pub(crate) servers: Vec<String>,
    /// The figures of each server, in the order of the servers.
    pub(crate) figures: BTreeMap<String, Vec<Option<f64>>>,
    /// The figures of the simulator and the machine.
    pub(crate) conditions: BTreeMap<String, f64>,
}

impl Report {
    /// Sets a figure of a server.
    pub(crate) fn set(&mut self, server: usize, key: &str, value: impl Into<Option<f64>>) {
        assert!(FIGURES.iter().any(|figure| figure.key == key), "{key}");
        let values = self.figures.entry(key.to_owned()).or_default();
        values.resize(self.servers.len(), None);
        values[server] = value.into();
    }

    /// Sets a figure of the simulator or the machine.
    pub(crate) fn set_condition(&mut self, key: &str, value: f64) {
        assert!(CONDITIONS.iter().any(|figure| figure.key == key), "{key}");
        self.conditions.insert(key.to_owned(), value);
    }

    /// The figure of a server.
    pub(crate) fn get(&self, server: usize, key: &str) -> Option<f64> {
        self.figures.get(key)?.get(server).copied().flatten()
    }

    /// The title, the table and the conditions, in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let Self {
            nodes,
            pods_per_node,
            ..
        } = self;
        let mut out = format!(
            "{nodes} nodes, {} pods, resolution 15 s, TLS, {} of history, measured for {} s:\n\n",
            nodes * pods_per_node,
            match self.history_seconds {
                0 => "no time".to_owned(),
                seconds => format!("{} min", seconds / 60),
            },
            self.window_seconds
        );
        let mut head = vec!["", "target", "at the latest"];
        for (server, name) in self.servers.iter().enumerate() {
            head.push(name);
            head.push(if server == 0 { "verdict" } else { "ratio" });
        }
        out += &row(head.iter().map(|text| (*text).to_owned()));
        out += &row(head.iter().map(|_| "---".to_owned()));
        for figure in FIGURES {
            if self.figures.contains_key(figure.key) {
                out += &row(self.cells(figure));
            }
        }
        let conditions = CONDITIONS.iter().filter_map(|figure| {
            let value = self.conditions.get(figure.key)?;
            Some(format!("{} {}", figure.label, figure.with_unit(*value)))
        });
        out += &format!(
            "\nConditions: {}.",
            conditions.collect::<Vec<_>>().join("; ")
        );
        if self.is_busy() {
            out += " **The machine was busy with other programs: only ratios can be relied on.**";
        }
        out + "\n"
    }

    /// Whether other programs used the machine while scraping was measured.
    pub(crate) fn is_busy(&self) -> bool {
        let other = self.conditions.get("otherCpu");
        other.is_none_or(|millicores| *millicores > BUSY)
    }

    fn cells(&self, figure: &Figure) -> Vec<String> {
        let budget = figure.budget(self.nodes, self.pods_per_node);
        let mut cells = vec![
            figure.label.to_owned(),
            budget.map_or_else(String::new, |budget| figure.with_unit(budget.target)),
            budget.map_or_else(String::new, |budget| figure.with_unit(budget.at_latest)),
        ];
        let first = self.get(0, figure.key);
        for server in 0..self.servers.len() {
            let value = self.get(server, figure.key);
            cells.push(value.map_or_else(|| "–".to_owned(), |value| figure.with_unit(value)));
            cells.push(match (server, value, first) {
                (0, Some(value), _) => budget.map_or_else(String::new, |it| it.verdict(value)),
                (0, ..) => String::new(),
                (_, Some(value), Some(first)) if first != 0.0 => format!("{:.2}", value / first),
                _ => String::new(),
            });
        }
        cells
    }
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    format!(
        "| {} |\n",
        cells.into_iter().collect::<Vec<_>>().join(" | ")
    )
}

/// Pads the cells of Markdown tables, so that a terminal shows columns.
pub(crate) fn aligned(markdown: &str) -> String {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_start_matches("| ").trim_end_matches(" |");
        line.split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut widths: Vec<usize> = Vec::new();
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let cells = cells(line);
        widths.resize(widths.len().max(cells.len()), 3);
        for (width, cell) in widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let padded = |(cell, width): (&String, &usize)| {
        let filler = if cell == "---" { "-" } else { " " };
        cell.clone() + &filler.repeat(width.saturating_sub(cell.chars().count()))
    };
    let lines = markdown.lines().map(|line| {
        if !line.starts_with('|') {
            return line.to_owned();
        }
        let cells: Vec<String> = cells(line).iter().zip(&widths).map(padded).collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
