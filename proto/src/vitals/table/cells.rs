//! Cells, in the words kubectl's own tables use.

use crate::age;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::vitals::{GpuUsage, Usage};
use crate::wire::gojson::write_str;

/// The cell of a value that is not set.
pub(super) const NONE: &str = "<none>";
/// The cell of a value that is unknown.
pub(super) const UNKNOWN: &str = "<unknown>";

/// A row that is being written.
pub(super) struct Cells<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
    now: Timestamp,
}

impl<'a> Cells<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, now: Timestamp) -> Self {
        Self {
            out,
            begun: false,
            now,
        }
    }

    /// The time that ages are as of.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    fn next(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b',');
        }
    }

    /// A text, or that there is none.
    pub(super) fn text(&mut self, text: &str) {
        self.next();
        write_str(self.out, if text.is_empty() { NONE } else { text });
    }

    /// A whole number.
    pub(super) fn integer(&mut self, number: u64) {
        self.next();
        self.out.extend_from_slice(number.to_string().as_bytes());
    }

    /// The age of a time.
    pub(super) fn age(&mut self, time: Option<Timestamp>) {
        let age = self.ago(time);
        self.text(&age);
    }

    /// The same, as a part of a cell.
    pub(super) fn ago(&self, time: Option<Timestamp>) -> String {
        age::since(time, self.now)
    }

    /// CPU that is used, as `kubectl top` shows it; with a star if it is provisional.
    pub(super) fn cpu_used(&mut self, usage: Option<&Usage>) {
        self.text(&usage.map_or_else(
            || UNKNOWN.to_owned(),
            |usage| cpu(usage.cpu) + if usage.provisional { "*" } else { "" },
        ));
    }

    /// Memory that is used.
    pub(super) fn memory_used(&mut self, usage: Option<&Usage>) {
        self.text(&usage.map_or_else(|| UNKNOWN.to_owned(), |usage| memory(usage.memory)));
    }

    /// An amount of CPU that may not be set.
    pub(super) fn cpu(&mut self, amount: Option<Quantity>) {
        self.text(&amount.map(cpu).unwrap_or_default());
    }

    /// An amount of bytes that may not be set.
    pub(super) fn memory(&mut self, amount: Option<Quantity>) {
        self.text(&amount.map(memory).unwrap_or_default());
    }

    /// The number of GPUs that are requested or exist, their mean utilization, and their memory that is used.
    pub(super) fn gpus(&mut self, count: Option<u64>, usage: Option<&GpuUsage>) {
        let count = count.or(usage.map(|usage| usage.count));
        self.text(&count.map(|count| count.to_string()).unwrap_or_default());
        self.percent(usage.and_then(GpuUsage::mean_utilization));
        self.memory(usage.and_then(|usage| usage.memory));
    }

    /// A part of something, in percent.
    pub(super) fn percent(&mut self, part: Option<f64>) {
        self.text(
            &part
                .map(|part| format!("{:.0}%", part * 100.0))
                .unwrap_or_default(),
        );
    }

    /// For what part of the last minute some tasks waited, in percent.
    pub(super) fn stall(&mut self, percent: Option<f64>) {
        self.text(
            &percent
                .map(|percent| format!("{percent:.2}%"))
                .unwrap_or_default(),
        );
    }
}

fn cpu(cpu: Quantity) -> String {
    format!("{}m", cpu.milli_value())
}

fn memory(bytes: Quantity) -> String {
    format!("{}Mi", bytes.value() >> 20)
}
