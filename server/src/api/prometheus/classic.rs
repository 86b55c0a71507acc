//! Converts OpenMetrics to Prometheus' text format, line by line as it is written.
//!
//! prometheus-client writes OpenMetrics only. In the text format, the family of a counter has the name of its samples
//! (`…_total`), there are no units and no end mark, and bounds are written as in Go: `le="1"`.

use std::fmt::{self, Write};

/// A writer that converts what it gets and writes it to `out`.
pub(super) struct Classic<W> {
    out: W,
    line: String,
    /// The help of the current family, which is written with its type: the type decides the family's name.
    help: String,
}

impl<W: Write> Classic<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            line: String::new(),
            help: String::new(),
        }
    }

    fn finish_line(&mut self) -> fmt::Result {
        let line = std::mem::take(&mut self.line);
        let written = self.write_line(&line);
        // Reuse the allocation.
        self.line = line;
        self.line.clear();
        written
    }

    fn write_line(&mut self, line: &str) -> fmt::Result {
        if let Some(help) = line.strip_prefix("# HELP ") {
            self.help = help.to_owned();
            return Ok(());
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let help = std::mem::take(&mut self.help);
            let suffix = if kind.ends_with(" counter") {
                "_total"
            } else {
                ""
            };
            for (mark, text) in [("HELP", help.as_str()), ("TYPE", kind)] {
                let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
                writeln!(self.out, "# {mark} {name}{suffix} {rest}")?;
            }
            return Ok(());
        }
        if line.starts_with('#') {
            return Ok(());
        }
        // A label value may look like a bound, but the bound is a bucket's first label.
        if let Some((name, rest)) = line.split_once("_bucket{le=\"")
            && let Some((bound, rest)) = rest.split_once('"')
        {
            return match bound.parse::<f64>() {
                // The shortest text of this number.
                Ok(number) if number.is_finite() => {
                    writeln!(self.out, "{name}_bucket{{le=\"{number}\"{rest}")
                }
                _ => writeln!(self.out, "{line}"),
            };
        }
        writeln!(self.out, "{line}")
    }
}

impl<W: Write> Write for Classic<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut lines = text.split('\n');
        self.line.push_str(lines.next().unwrap_or_default());
        for next in lines {
            self.finish_line()?;
            self.line.push_str(next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_format_is_gos() {
        let openmetrics = "# HELP a Of a.\n# TYPE a counter\na_total{x=\"\\n\"} 1\n\
            # HELP b Of b.\n# TYPE b histogram\n# UNIT b seconds\nb_sum 1.5\nb_count 2\n\
            b_bucket{le=\"1.0\",n=\"_bucket{le=\\\"2.0\\\"\"} 1\nb_bucket{le=\"2.5\"} 2\nb_bucket{le=\"+Inf\"} 2\n\
            # HELP c Of c.\n# TYPE c gauge\nc 1.0\n# EOF\n";
        let classic = "# HELP a_total Of a.\n# TYPE a_total counter\na_total{x=\"\\n\"} 1\n\
            # HELP b Of b.\n# TYPE b histogram\nb_sum 1.5\nb_count 2\n\
            b_bucket{le=\"1\",n=\"_bucket{le=\\\"2.0\\\"\"} 1\nb_bucket{le=\"2.5\"} 2\nb_bucket{le=\"+Inf\"} 2\n\
            # HELP c Of c.\n# TYPE c gauge\nc 1.0\n";
        // In chunks of any size.
        for size in [1, 2, 7, 1000] {
            let mut out = String::new();
            let mut writer = Classic::new(&mut out);
            for chunk in openmetrics.as_bytes().chunks(size) {
                writer.write_str(str::from_utf8(chunk).unwrap()).unwrap();
            }
            assert_eq!(out, classic);
        }
    }
}
