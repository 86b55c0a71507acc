//! `get workloads --availability`: when workloads were up and down, the worst first.

use kubevitals_proto::vitals::availability;

use super::query::{Columns, Query};
use crate::batch::Error;
use crate::cli::{GetArgs, OutputFormat, TableArgs};
use crate::model::{Field, Sort, View};

/// The span of availability without `--span`.
const AVAILABILITY_SPAN: &str = "30d";

/// The columns of `--availability`.
const AVAILABILITY_FIELDS: [Field; 8] = [
    Field::Kind,
    Field::Name,
    Field::Availability,
    Field::Down,
    Field::Outages,
    Field::Mttr,
    Field::Mtbf,
    Field::Unknown,
];

impl Query {
    /// The query of `get workloads --availability`, whose `--span` is that of the availability.
    ///
    /// # Errors
    /// A flag is invalid, or excludes `--availability`.
    pub(super) fn of_availability(args: &GetArgs) -> Result<Self, Error> {
        let view = args.resource.view();
        if view != View::Workloads {
            return Err(Error::Flag(format!(
                "--availability works for workloads, not for {}",
                view.info().rows
            )));
        }
        let table = &args.table;
        if table.stat.is_some() || table.at.is_some() {
            let flag = if table.stat.is_some() { "stat" } else { "at" };
            return Err(Error::Flag(format!(
                "--availability and --{flag} exclude each other"
            )));
        }
        let text = table.span.as_deref().unwrap_or(AVAILABILITY_SPAN);
        let span = availability::span(text).filter(|span| span.0 >= 1_000_000_000);
        let span = span.ok_or_else(|| {
            Error::Flag(format!(
                "--span {text:?}: expected a duration or days like 1h, 24h or 7d"
            ))
        })?;
        let table = TableArgs {
            span: None,
            ..table.clone()
        };
        let mut query = Self::of_table(view, &table)?;
        query.availability = Some(span);
        if query.columns == Columns::Usual {
            query.columns = Columns::Chosen(AVAILABILITY_FIELDS.to_vec());
        }
        query.sort = Some(Sort {
            descending: false,
            ..Sort::by(Field::Availability)
        });
        Ok(query)
    }

    /// Adds the namespace to the columns of availability where rows of several are listed, and in data.
    pub(super) fn add_namespace(&mut self) {
        let is_shown = self.has_several_namespaces() || self.output.format() != OutputFormat::Table;
        if let Columns::Chosen(fields) = &mut self.columns
            && self.availability.is_some()
            && is_shown
            && *fields == AVAILABILITY_FIELDS
        {
            fields.insert(0, Field::Namespace);
        }
    }

    /// Whether a column or the order is about availability.
    pub(super) fn needs_availability(&self) -> bool {
        let columns = match &self.columns {
            Columns::Chosen(fields) => fields.as_slice(),
            Columns::Usual | Columns::Usage { .. } => &[],
        };
        let sorted = self.sort.map(|sort| sort.field);
        let mut fields = columns.iter().copied().chain(sorted);
        fields.any(Field::is_of_availability)
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::vitals::{Availability, AvailabilitySpan};

    use super::super::listing::Listing;
    use super::*;
    use crate::cli::{Command, parse};
    use crate::export::{TableLook, write_table};
    use crate::model::row::{AvailabilityCells, PodRow, Workload};
    use crate::model::{self, Batch, Key, Message, SourceKind, State, apply};

    fn parsed(line: &str) -> Result<Query, Error> {
        let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
        match cli.command {
            Some(Command::Get(args)) => Query::of_get(&cli.connection, &args),
            _ => panic!("not get"),
        }
    }

    /// The availability of a workload over a day with so many seconds down in so many outages.
    fn availability(name: &str, down_seconds: u64, outages: u64) -> (Key, AvailabilityCells) {
        let span = AvailabilitySpan {
            up_seconds: 86_400 - down_seconds,
            down_seconds,
            outages,
            mttr_seconds: down_seconds.checked_div(outages),
            mtbf_seconds: (86_400 - down_seconds).checked_div(outages),
            ..AvailabilitySpan::default()
        };
        let object = Availability {
            spans: vec![span],
            ..Availability::default()
        };
        let key = Key::new(&"shop".into(), &name.into()).part(&"Deployment".into());
        (key, AvailabilityCells::of(&object))
    }

    fn with_workloads() -> State {
        let mut state = State::default();
        let _ = model::act(&mut state, model::Action::Show(View::Workloads));
        let pods = ["api", "cart", "web"].map(|name| PodRow {
            namespace: "shop".into(),
            name: format!("{name}-1").as_str().into(),
            workload: Some(Workload::new("Deployment", name)),
            ..PodRow::default()
        });
        let all = vec![availability("api", 0, 0), availability("web", 43, 2)];
        for message in [
            Message::Source(SourceKind::Vitals, String::new()),
            Message::Pods(Batch::All(pods.into())),
            Message::Availability(all),
        ] {
            apply(&mut state, message);
        }
        state
    }

    fn printed_workloads(line: &str) -> String {
        let (query, mut state) = (parsed(line).unwrap(), with_workloads());
        let listing = Listing::new(&query, &mut state).unwrap();
        let mut out = Vec::new();
        write_table(&listing.records(None), TableLook::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn availability_is_a_table_of_its_own_with_the_worst_first() {
        let table = printed_workloads("vitals get workloads -A --availability");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let rows: Vec<String> = table.lines().map(words).collect();
        assert_eq!(
            rows,
            [
                "NAMESPACE KIND NAME AVAILABILITY DOWN OUTAGES MTTR MTBF UNKNOWN",
                "shop Deployment web 99.95 % 43s 2 21s 11h 0s",
                "shop Deployment api 100 % 0s 0 <none> <none> 0s",
                "shop Deployment cart <none> <none> <none> <none> <none> <none>",
            ]
        );
        let worst = printed_workloads("vitals get workloads --availability --filter down>30s");
        assert!(worst.contains("web") && !worst.contains("api"), "{worst}");
        let usual = printed_workloads("vitals get workloads -A -o wide");
        assert!(!usual.contains("OUTAGES"), "{usual}");
    }

    #[test]
    fn flags_of_availability_are_checked() {
        for (flags, error) in [
            (
                "pods --availability",
                "--availability works for workloads, not for pods",
            ),
            (
                "workloads --availability --at -5m",
                "--availability and --at exclude each other",
            ),
            (
                "workloads --availability --stat p99 --span 1h",
                "--availability and --stat exclude",
            ),
            (
                "workloads --availability --span week",
                "expected a duration or days like 1h",
            ),
            (
                "workloads --availability --span 0d",
                "expected a duration or days like 1h",
            ),
            ("workloads --columns name,mttr", "need --availability"),
            ("workloads --sort-by down", "need --availability"),
        ] {
            let line = format!("vitals get {flags}");
            let refused = parsed(&line).unwrap_err();
            assert!(refused.to_string().contains(error), "{flags}: {refused}");
        }
        let week = parsed("vitals get workloads --availability --span 7d").unwrap();
        assert_eq!(
            week.availability.map(|span| span.0 / 1_000_000_000),
            Some(604_800)
        );
    }
}
