//! A history as charts in text.

use std::io::{IsTerminal as _, stdout};

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Amounts, NodeVitals, PodVitals, Quantiles};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::report::Report;
use crate::model::{Resource, format};
use crate::text::clean;
use crate::view::chart::{Chart, Line, Mark, MarkKind};
use crate::view::theme::{Depth, Ground, Ink, Theme};

/// The width without a terminal.
const WIDTH: u16 = 80;

/// The narrowest and the widest chart.
const WIDTHS: (u16, u16) = (20, 400);

/// The rows of one chart, with the times below.
const ROWS: u16 = 10;

/// The width and the signs of charts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) width: u16,
    pub(super) is_ascii: bool,
}

impl Look {
    /// The width of the terminal, and the signs that it can show.
    pub(super) fn detect(ascii: bool) -> Self {
        let terminal = stdout().is_terminal();
        let size = terminal.then(|| crossterm::terminal::size().ok()).flatten();
        let width = size.map_or(WIDTH, |(columns, _)| columns);
        let env = |name: &str| std::env::var(name).ok();
        Self {
            // Some terminals do not report their width.
            width: if width == 0 { WIDTH } else { width },
            is_ascii: ascii || Theme::detect(env).is_ascii(),
        }
    }
}

/// Amounts that a chart has lines for.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds(Vec<(&'static str, Ink, Amounts)>);

impl Bounds {
    /// The limits and requests of a pod, or of its container.
    pub(super) fn of_pod(pod: &PodVitals, container: Option<&str>) -> Self {
        let (limits, requests) = match container {
            None => (&pod.limits, &pod.requests),
            Some(name) => match pod.containers.iter().find(|it| it.name == name) {
                Some(container) => (&container.limits, &container.requests),
                None => return Self::default(),
            },
        };
        Self(vec![
            ("limit", Ink::Limit, limits.clone()),
            ("request", Ink::Request, requests.clone()),
        ])
    }

    /// What pods may use of a node.
    pub(super) fn of_node(node: &NodeVitals) -> Self {
        Self(vec![("allocatable", Ink::Limit, node.allocatable.clone())])
    }

    fn of(&self, resource: Resource) -> impl Iterator<Item = (&'static str, Ink, u64)> {
        self.0.iter().filter_map(move |(word, ink, amounts)| {
            let value = match resource {
                Resource::Cpu => amounts.cpu.map(Quantity::to_nanocores)?.0,
                Resource::Memory => amounts.memory.map(Quantity::to_bytes)?.0,
            };
            Some((*word, *ink, value))
        })
    }
}

impl Report<'_> {
    /// A chart of CPU and one of memory, each below a line with its quantiles.
    pub(super) fn chart(&self, bounds: &Bounds, look: Look) -> String {
        let width = look.width.clamp(WIDTHS.0, WIDTHS.1);
        let theme = Theme::new(Depth::None, Ground::Dark, look.is_ascii);
        let mut text = String::new();
        let container = self.container.map(|name| format!(", container {name}"));
        let title = format!("{}{}", self.subject, container.unwrap_or_default());
        let mut line = |line: &str| {
            text.push_str(&clean(line));
            text.push('\n');
        };
        line(&title);
        for resource in [Resource::Cpu, Resource::Memory] {
            line("");
            let (rows, unlabelled) = self.plot(resource, bounds, width, &theme);
            line(&format!("{}{unlabelled}", self.heading(resource)));
            for row in rows {
                line(&row);
            }
        }
        if !self.marks.is_empty() {
            line("");
        }
        for mark in &self.marks {
            let time = mark.time.to_rfc3339_seconds();
            line(&format!(
                "{} {time} {} restarted: {}",
                theme.signs.restart, mark.container, mark.text
            ));
        }
        text
    }

    fn quantiles(&self, resource: Resource) -> Option<&Quantiles> {
        match resource {
            Resource::Cpu => self.usage.cpu.as_ref(),
            Resource::Memory => self.usage.memory.as_ref(),
        }
    }

    fn heading(&self, resource: Resource) -> String {
        let name = match resource {
            Resource::Cpu => "CPU",
            Resource::Memory => "MEMORY",
        };
        let Some(quantiles) = self.quantiles(resource) else {
            return name.to_owned();
        };
        let Quantiles {
            p50, p95, p99, max, ..
        } = *quantiles;
        let amount = |value: u64| match resource {
            Resource::Cpu => format::cpu(Nanocores(value)),
            Resource::Memory => format::bytes(Bytes(value)),
        };
        let words = [("p50", p50), ("p95", p95), ("p99", p99), ("max", max)];
        let words = words.map(|(word, value)| format!("{word} {}", amount(value)));
        format!("{name}  {}", words.join("  "))
    }

    /// The rows of a chart, and the labels of the lines that have none in it.
    fn plot(
        &self,
        resource: Resource,
        bounds: &Bounds,
        width: u16,
        theme: &Theme,
    ) -> (Vec<String>, String) {
        let points: Vec<Option<u64>> = self
            .points
            .iter()
            .map(|point| {
                point.map(|point| match resource {
                    Resource::Cpu => point.cpu,
                    Resource::Memory => point.memory,
                })
            })
            .collect();
        let labels: Vec<(String, Ink, u64)> = bounds
            .of(resource)
            .map(|(word, ink, value)| {
                let amount = match resource {
                    Resource::Cpu => format::cpu(Nanocores(value)),
                    Resource::Memory => format::bytes(Bytes(value)),
                };
                (format!("{word} {amount}"), ink, value)
            })
            .collect();
        let lines: Vec<Line<'_>> = labels
            .iter()
            .map(|(label, ink, value)| Line {
                value: *value,
                label,
                ink: *ink,
            })
            .collect();
        let steps = self.marks.iter();
        let steps = steps.filter_map(|mark| self.step_of(mark.time));
        let kind = MarkKind::Restart;
        let marks: Vec<Mark> = steps.map(|step| Mark { step, kind }).collect();
        let edges = [self.span.since, self.span.until].map(|time| time.to_rfc3339_seconds());
        let [left, right] = &edges;
        let chart = Chart {
            measure: resource.into(),
            ink: resource.into(),
            points: &points,
            over: None,
            parts: &[],
            peak: self.quantiles(resource).map(|quantiles| quantiles.max),
            lines: &lines,
            marks: &marks,
            seam: self.seam.and_then(|at| self.step_of(at)),
            cursor: None,
            edge_labels: [left, right],
        };
        let area = Rect::new(0, 0, width, ROWS);
        let mut buffer = Buffer::empty(area);
        let labelled = chart.render(area, &mut buffer, theme);
        let labels = labels.iter().filter(|_| !labelled);
        let unlabelled = labels.map(|(label, ..)| format!("  {label}")).collect();
        (rows_of(&buffer), unlabelled)
    }
}

/// The rows of a buffer as text, without blanks at the end.
fn rows_of(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y: u16| {
        let cells = (area.left()..area.right()).filter_map(|x| buffer.cell((x, y)));
        let text: String = cells.map(|cell| cell.symbol()).collect();
        text.trim_end().to_owned()
    };
    (area.top()..area.bottom()).map(row).collect()
}
