//! The advice as rows: of containers, and of workloads.

use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::Quantiles;

use super::{Line, Report, by_workload, exact_cpu, exact_memory};
use crate::batch::history::cores;
use crate::batch::rightsize::cost::Change;
use crate::batch::rightsize::rules::{Advised, Refusal};
use crate::export::{Datum, Heading, RecordCell, RecordList};
use crate::model::format;

/// A heading and the cell of each row.
struct Column<T: ?Sized> {
    heading: Heading,
    cell: Box<dyn Fn(&T) -> RecordCell>,
}

fn column<T: ?Sized>(heading: Heading, cell: impl Fn(&T) -> RecordCell + 'static) -> Column<T> {
    Column {
        heading,
        cell: Box::new(cell),
    }
}

/// A column with a value for programs only.
fn data<T: ?Sized, D: Into<Datum<'static>>>(
    name: &'static str,
    value: impl Fn(&T) -> D + 'static,
) -> Column<T> {
    column(Heading::of_data(name), move |line: &T| {
        RecordCell::new("", value(line))
    })
}

/// A column of tables only.
fn shown<T: ?Sized>(title: &'static str, text: impl Fn(&T) -> String + 'static) -> Column<T> {
    column(Heading::of_tables(title).right(), move |line: &T| {
        RecordCell::new(text(line), Datum::Null)
    })
}

impl Report {
    /// One row for each container.
    pub fn rows(&self) -> RecordList {
        let mut columns = vec![
            self.namespace(|line: &Line| &line.key.namespace),
            column(Heading::of_tables("WORKLOAD"), |line: &Line| {
                RecordCell::text(line.workload())
            }),
            data("kind", |line: &Line| line.key.kind.clone()),
            data("workload", |line: &Line| line.key.workload.clone()),
            column(Heading::new("container", "CONTAINER"), |line: &Line| {
                RecordCell::text(line.key.container.clone())
            }),
            column(Heading::new("pods", "PODS").right(), |line: &Line| {
                count(line.evidence.replicas)
            }),
            data("past-pods", |line: &Line| line.evidence.past_replicas),
            column(Heading::new("history", "HISTORY").right(), |line: &Line| {
                history(line)
            }),
            data("samples", |line: &Line| line.evidence.samples),
        ];
        columns.extend(cpu_columns());
        columns.extend(memory_columns());
        columns.extend([
            data("restarts", |line: &Line| line.evidence.restarts),
            data("oom-kills", |line: &Line| line.evidence.oom_kills),
            column(
                Heading::new("saved-cpu", "SAVED-CPU").right().wide(),
                |line: &Line| saved_cpu(&line.change),
            ),
            column(
                Heading::new("saved-memory", "SAVED-MEM").right().wide(),
                |line: &Line| saved_memory(&line.change),
            ),
            self.money(|line: &Line| line.change),
            column(Heading::new("note", "NOTE"), |line: &Line| {
                RecordCell::text(notes(line).join(", "))
            }),
        ]);
        list(&columns, self.lines.iter(), |line| {
            format!("{}/{}", line.key.kind.to_lowercase(), line.key.workload)
        })
    }

    /// One row for each workload, with the sums of its containers for one pod.
    pub fn workload_rows(&self) -> RecordList {
        type Lines = [Line];
        let columns = [
            self.namespace(|lines: &Lines| of_first(lines, |line| &line.key.namespace)),
            column(Heading::of_tables("WORKLOAD"), |lines: &Lines| {
                RecordCell::text(lines.first().map(Line::workload).unwrap_or_default())
            }),
            data("kind", |lines: &Lines| {
                of_first(lines, |line| &line.key.kind).to_owned()
            }),
            data("workload", |lines: &Lines| {
                of_first(lines, |line| &line.key.workload).to_owned()
            }),
            column(
                Heading::new("containers", "CONTAINERS").right(),
                |lines: &Lines| count(lines.len() as u64),
            ),
            column(Heading::new("pods", "PODS").right(), |lines: &Lines| {
                count(
                    lines
                        .iter()
                        .map(|line| line.evidence.replicas)
                        .max()
                        .unwrap_or_default(),
                )
            }),
            column(
                Heading::new("history", "HISTORY").right(),
                |lines: &Lines| {
                    let least = lines.iter().min_by_key(|line| line.evidence.history);
                    least.map_or(RecordCell::text(""), history)
                },
            ),
            shown("CPU-REQ", |lines: &Lines| {
                let (now, advised) = sums(lines, |line| {
                    let request = line.evidence.spec.cpu_request.map(|it| it.0);
                    (request, line.advice.cpu.ok().map(|it| it.request.0))
                });
                arrow(exact_cpu(Nanocores(now)), exact_cpu(Nanocores(advised)))
            }),
            shown("MEM-REQ", |lines: &Lines| {
                let (now, advised) = sums(lines, |line| {
                    let request = line.evidence.spec.memory_request.map(|it| it.0);
                    (request, line.advice.memory.ok().map(|it| it.request.0))
                });
                arrow(exact_memory(Bytes(now)), exact_memory(Bytes(advised)))
            }),
            data("cpu-request", |lines: &Lines| {
                lines
                    .iter()
                    .filter_map(|line| line.evidence.spec.cpu_request)
                    .map(cores)
                    .sum::<f64>()
            }),
            data("memory-request", |lines: &Lines| {
                lines
                    .iter()
                    .filter_map(|line| line.evidence.spec.memory_request)
                    .sum::<Bytes>()
                    .0
            }),
            column(
                Heading::new("saved-cpu", "SAVED-CPU").right(),
                |lines: &Lines| saved_cpu(&sum(lines)),
            ),
            column(
                Heading::new("saved-memory", "SAVED-MEM").right(),
                |lines: &Lines| saved_memory(&sum(lines)),
            ),
            self.money(sum),
            column(Heading::new("note", "NOTE"), |lines: &Lines| {
                RecordCell::text(workload_notes(lines))
            }),
        ];
        list(&columns, by_workload(&self.lines), |lines| {
            let kind = of_first(lines, |line| &line.key.kind).to_lowercase();
            format!("{kind}/{}", of_first(lines, |line| &line.key.workload))
        })
    }

    fn namespace<T: ?Sized + 'static>(
        &self,
        namespace: impl Fn(&T) -> &str + 'static,
    ) -> Column<T> {
        let heading = match self.has_namespaces {
            true => Heading::new("namespace", "NAMESPACE"),
            false => Heading::of_data("namespace"),
        };
        column(heading, move |line| RecordCell::text(namespace(line)))
    }

    fn money<T: ?Sized + 'static>(&self, change: impl Fn(&T) -> Change + 'static) -> Column<T> {
        let prices = self.prices;
        let heading = match prices.of_month(&Change::default()) {
            Some(_) => Heading::new("saved-per-month", "SAVED/MONTH").right(),
            None => Heading::of_data("saved-per-month"),
        };
        column(heading, move |line| {
            let money = prices.of_month(&change(line));
            let text = money.map_or_else(String::new, |money| format!("{money:.2}"));
            RecordCell::new(text, money)
        })
    }
}

fn list<'a, T: ?Sized + 'a>(
    columns: &[Column<T>],
    lines: impl Iterator<Item = &'a T>,
    reference: impl Fn(&T) -> String,
) -> RecordList {
    let headings = columns.iter().map(|column| column.heading.clone());
    let mut rows = RecordList::new(headings.collect());
    for line in lines {
        let cells = columns.iter().map(|column| (column.cell)(line));
        rows.push(reference(line), cells.collect());
    }
    rows
}

fn cpu_columns() -> Vec<Column<Line>> {
    let quantile = |name: &'static str, title: &'static str, of: fn(&Quantiles) -> u64| {
        column(Heading::new(name, title).right(), move |line: &Line| {
            let cpu = Nanocores(of(&line.evidence.cpu));
            usage(line, format::cpu(cpu), cores(cpu).into())
        })
    };
    let mut columns = vec![
        quantile("cpu-p50", "CPU-P50", |it| it.p50),
        quantile("cpu-p95", "CPU-P95", |it| it.p95),
        quantile("cpu-p99", "CPU-P99", |it| it.p99),
        quantile("cpu-max", "CPU-MAX", |it| it.max),
        shown("CPU-REQ", |line: &Line| {
            let now = line.evidence.spec.cpu_request.map(exact_cpu);
            advised(now, &line.advice.cpu, |it| Some(exact_cpu(it.request)))
        }),
        shown("CPU-LIM", |line: &Line| {
            let now = line.evidence.spec.cpu_limit.map(exact_cpu);
            advised(now, &line.advice.cpu, |it| it.limit.map(exact_cpu))
        }),
        data("cpu-request", |line: &Line| {
            line.evidence.spec.cpu_request.map(cores)
        }),
        data("cpu-request-advised", |line: &Line| {
            line.advice.cpu.ok().map(|it| cores(it.request))
        }),
        data("cpu-limit", |line: &Line| {
            line.evidence.spec.cpu_limit.map(cores)
        }),
        data("cpu-limit-advised", |line: &Line| {
            line.advice.cpu.ok().and_then(|it| it.limit).map(cores)
        }),
        data("cpu-at-least", |line: &Line| {
            line.advice.cpu.ok().map(|it| it.at_least)
        }),
        data("cpu-refused", |line: &Line| {
            line.advice.cpu.err().map(|it| it.reason())
        }),
    ];
    widen(&mut columns);
    columns
}

fn memory_columns() -> Vec<Column<Line>> {
    let quantile = |name: &'static str, title: &'static str, of: fn(&Quantiles) -> u64| {
        column(Heading::new(name, title).right(), move |line: &Line| {
            let memory = of(&line.evidence.memory);
            usage(line, format::bytes(Bytes(memory)), memory.into())
        })
    };
    let mut columns = vec![
        quantile("memory-p50", "MEM-P50", |it| it.p50),
        quantile("memory-p95", "MEM-P95", |it| it.p95),
        quantile("memory-p99", "MEM-P99", |it| it.p99),
        quantile("memory-max", "MEM-MAX", |it| it.max),
        shown("MEM-REQ", |line: &Line| {
            let now = line.evidence.spec.memory_request.map(exact_memory);
            advised(now, &line.advice.memory, |it| {
                Some(exact_memory(it.request))
            })
        }),
        shown("MEM-LIM", |line: &Line| {
            let now = line.evidence.spec.memory_limit.map(exact_memory);
            match (now, &line.advice.memory) {
                // What is needed is not known, but it is more.
                (Some(now), Err(Refusal::OomKilled { .. })) => {
                    arrow(now.clone(), format!(">{now}"))
                }
                (now, advice) => advised(now, advice, |it| it.limit.map(exact_memory)),
            }
        }),
        data("memory-request", |line: &Line| {
            line.evidence.spec.memory_request.map(|it| it.0)
        }),
        data("memory-request-advised", |line: &Line| {
            line.advice.memory.ok().map(|it| it.request.0)
        }),
        data("memory-limit", |line: &Line| {
            line.evidence.spec.memory_limit.map(|it| it.0)
        }),
        data("memory-limit-advised", |line: &Line| {
            line.advice
                .memory
                .ok()
                .and_then(|it| it.limit)
                .map(|it| it.0)
        }),
        data("memory-refused", |line: &Line| {
            line.advice.memory.err().map(|it| it.reason())
        }),
    ];
    widen(&mut columns);
    columns
}

/// Leaves the median and the 99th percentile to wide tables.
fn widen(columns: &mut [Column<Line>]) {
    for column in columns {
        let name = column.heading.name.as_deref().unwrap_or_default();
        column.heading.is_wide = name.ends_with("-p50") || name.ends_with("-p99");
    }
}

fn usage(line: &Line, text: String, datum: Datum<'static>) -> RecordCell {
    match line.evidence.samples {
        0 => RecordCell::new(format::UNKNOWN, Datum::Null),
        _ => RecordCell::new(text, datum),
    }
}

fn count(count: u64) -> RecordCell {
    RecordCell::new(count.to_string(), count)
}

fn history(line: &Line) -> RecordCell {
    let seconds = line.evidence.history.0 / 1_000_000_000;
    let text = format::duration(u64::try_from(seconds).unwrap_or_default());
    RecordCell::new(text, seconds)
}

fn saved_cpu(change: &Change) -> RecordCell {
    let text = match change.cpu {
        ..0 => format!("-{}", exact_cpu(change.added().0)),
        _ => exact_cpu(change.saved().0),
    };
    RecordCell::new(text, change.cores())
}

fn saved_memory(change: &Change) -> RecordCell {
    let text = match change.memory {
        ..0 => format!("-{}", format::bytes(change.added().1)),
        _ => format::bytes(change.saved().1),
    };
    let bytes = i64::try_from(change.memory).unwrap_or(i64::MAX);
    RecordCell::new(text, bytes)
}

/// The present and the advised amount: `100m`, `100m -> 52m`, `- -> 52m`, `100m -> >=120m`, `100m -> ?`.
fn advised<T>(
    now: Option<String>,
    advice: &Result<Advised<T>, Refusal>,
    amount: impl Fn(&Advised<T>) -> Option<String>,
) -> String {
    let is_set = now.is_some();
    let now = now.unwrap_or_else(|| format::UNKNOWN.to_owned());
    match advice {
        Err(_) if is_set => arrow(now, "?".to_owned()),
        Err(_) => now,
        Ok(advised) => match amount(advised) {
            None => now,
            Some(amount) if amount != now && advised.at_least => arrow(now, format!(">={amount}")),
            Some(amount) => arrow(now, amount),
        },
    }
}

fn arrow(now: String, advised: String) -> String {
    if now == advised {
        now
    } else {
        format!("{now} -> {advised}")
    }
}

/// Short notes on a container.
fn notes(line: &Line) -> Vec<String> {
    let mut notes = Vec::new();
    let (cpu, memory) = (line.advice.cpu.err(), line.advice.memory.err());
    match (cpu, memory) {
        (Some(cpu), Some(memory)) if cpu == memory => notes.push(cpu.word()),
        (cpu, memory) => notes.extend(cpu.into_iter().chain(memory).map(|it| it.word())),
    }
    if line.is_throttled() {
        notes.push("CPU at its limit".to_owned());
    }
    let evidence = &line.evidence;
    if evidence.restarts > 0 && cpu.is_none() {
        let plural = if evidence.restarts == 1 { "" } else { "s" };
        notes.push(format!("{} restart{plural}", evidence.restarts));
    }
    if evidence.differs {
        notes.push("pods differ".to_owned());
    }
    notes
}

fn workload_notes(lines: &[Line]) -> String {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        all.extend(
            notes(line)
                .into_iter()
                .map(|note| format!("{}: {note}", line.key.container)),
        );
    }
    all.join(", ")
}

fn of_first(lines: &[Line], of: impl Fn(&Line) -> &str) -> &str {
    lines.first().map_or("", of)
}

fn sum(lines: &[Line]) -> Change {
    let mut sum = Change::default();
    lines.iter().for_each(|line| sum += line.change);
    sum
}

/// The sums of requests now and as advised. What is not advised stays.
fn sums(lines: &[Line], of: impl Fn(&Line) -> (Option<u64>, Option<u64>)) -> (u64, u64) {
    let mut sums = (0_u64, 0_u64);
    for line in lines {
        let (now, advised) = of(line);
        let now = now.unwrap_or_default();
        sums.0 = sums.0.saturating_add(now);
        sums.1 = sums.1.saturating_add(advised.unwrap_or(now));
    }
    sums
}
