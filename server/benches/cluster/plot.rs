//! The plot of the cost law: CPU and memory per node, over the size of the cluster.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::fit::Line;
use crate::report::Report;

const SIZE: (u32, u32) = (1000, 380);
const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 107, 164),
    RGBColor(200, 82, 0),
    RGBColor(95, 158, 109),
    RGBColor(137, 137, 137),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// A panel: a figure divided by the number of nodes.
struct Panel {
    title: &'static str,
    key: &'static str,
    /// Units of the panel in a unit of the figure.
    scale: f64,
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "CPU per node, scraping every 15 s (µs per s)",
        key: "cpu",
        scale: 1000.0,
    },
    Panel {
        title: "memory (RSS) per node (KiB)",
        key: "rss",
        scale: 1024.0,
    },
];

/// Draws the plot as SVG.
pub(crate) fn svg(reports: &[Report]) -> Result<String, Failure> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    root.fill(&BACKGROUND)?;
    for (area, panel) in root.split_evenly((1, PANELS.len())).iter().zip(&PANELS) {
        draw(area, panel, reports)?;
    }
    root.present()?;
    drop(root);
    Ok(svg)
}

fn draw(area: &Area<'_>, panel: &Panel, reports: &[Report]) -> Result<(), Failure> {
    let names = reports.last().map_or(&[][..], |report| &report.servers);
    let series: Vec<(&String, Vec<(f64, f64)>)> = names
        .iter()
        .enumerate()
        .map(|(server, name)| (name, points(reports, server, panel.key)))
        .collect();
    let per_node = |(nodes, value): (f64, f64)| (nodes, value * panel.scale / nodes);
    let all = || {
        series
            .iter()
            .flat_map(|(_, points)| points.iter().copied().map(per_node))
    };
    let highest = all().map(|(_, value)| value).fold(0.0, f64::max);
    let first = all().map(|(nodes, _)| nodes).fold(f64::INFINITY, f64::min);
    let last = all().map(|(nodes, _)| nodes).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d((first * 0.9..last * 1.1).log_scale(), 0.0..highest * 1.15)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("nodes of 30 pods")
        .x_label_formatter(&|nodes| format!("{nodes:.0}"))
        .draw()?;
    for ((name, points), colour) in series.iter().zip(COLOURS) {
        let Some(line) = Line::through(points) else {
            continue;
        };
        let steps = (0..=60).map(|step| first * (last / first).powf(f64::from(step) / 60.0));
        let law = steps.map(|nodes| per_node((nodes, line.at(nodes))));
        chart
            .draw_series(LineSeries::new(law, colour.stroke_width(2)))?
            .label(&**name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        let measured = points.iter().copied().map(per_node);
        chart.draw_series(measured.map(|point| Circle::new(point, 4, colour.filled())))?;
    }
    if series.len() > 1 {
        chart
            .configure_series_labels()
            .background_style(BACKGROUND.mix(0.8))
            .border_style(TRANSPARENT)
            .draw()?;
    }
    Ok(())
}

/// The values of a figure by the number of nodes.
pub(crate) fn points(reports: &[Report], server: usize, key: &str) -> Vec<(f64, f64)> {
    let points = reports.iter().filter_map(|report| {
        let value = report.get(server, key)?;
        Some((report.nodes as f64, value))
    });
    points.collect()
}
