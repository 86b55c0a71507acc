//! The rows and columns of a query, from the data of a cluster.

use super::query::{Columns, Query};
use crate::batch::Error;
use crate::cli::OutputFormat;
use crate::export::{Records, TableRecords, Texts};
use crate::model::columns::{self, ColumnChoice};
use crate::model::filter::Filter;
use crate::model::row::GroupRow;
use crate::model::{
    self, AnyTable, Column, Field, Grouping, Key, Limits, ListQuery, Scope, State, Table, Unit,
    View, Width,
};
use crate::text::width;

/// The blanks of a gap in a printed table that the layout of the dashboard does not have.
const WIDER_GAP: u16 = 2;

/// The columns of `--gpu`.
const GPU_FIELDS: [Field; 4] = [
    Field::Gpus,
    Field::Gpu,
    Field::GpuMemory,
    Field::GpuMemoryPercent,
];

/// The rows of a query, in order.
pub(super) struct Listing<'a> {
    query: &'a Query,
    state: &'a State,
    order: Vec<u32>,
    groups: Option<Table<GroupRow>>,
}

impl<'a> Listing<'a> {
    /// Selects and sorts rows.
    ///
    /// # Errors
    /// An object that the query names does not exist.
    pub(super) fn new(query: &'a Query, state: &'a mut State) -> Result<Self, Error> {
        let list = &mut state.screen_mut().list;
        list.filter = query.filter.clone();
        list.sort = if query.by.is_some() {
            query.view.sort()
        } else {
            query.order()
        };
        model::refresh(state);
        let mut order = state.screen().list.order.clone();
        let table = state.world().table(query.view);
        if !query.names.is_empty() {
            let name = |at: u32| table.text(at, name_field(query.view), state.status_time());
            query.check_names(&order, name)?;
            order.retain(|at| {
                name(*at).is_some_and(|name| query.names.iter().any(|it| **it == *name))
            });
        }
        let groups = query
            .by
            .as_ref()
            .map(|by| groups(by, query.view, state, &order));
        if let Some(groups) = &groups {
            let of_all = ListQuery {
                limits: Limits {
                    scope: &Scope::All,
                    namespaces: &[],
                    now: state.status_time(),
                    names_probe: false,
                },
                filter: &Filter::default(),
                sort: query.order(),
            };
            order = groups.order(&of_all, None);
        }
        if let Some(limit) = query.limit {
            order.truncate(limit);
        }
        Ok(Self {
            query,
            state,
            order,
            groups,
        })
    }

    /// Whether there are no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The object of each row with a hash of its values, without those that change with time alone.
    pub(super) fn fingerprints(&self) -> Vec<(Key, u64)> {
        let records = self.of_columns(&self.columns());
        let rows = self.order.iter().enumerate();
        rows.filter_map(|(row, at)| Some((self.table().key_at(*at)?, records.fingerprint(row))))
            .collect()
    }

    /// Keeps only these rows.
    pub(super) fn keep(&mut self, rows: &[usize]) {
        let kept = rows.iter().filter_map(|row| self.order.get(*row).copied());
        self.order = kept.collect();
    }

    /// Keeps the rows that a terminal of this height has space for, beside the headings and a line below. Returns the
    /// number of the others.
    pub(super) fn cut_to(&mut self, height: u16) -> usize {
        // The headings, the row of totals, the line below, and the line of the cursor.
        let others = 3 + u16::from(self.query.total);
        let space = usize::from(height.saturating_sub(others)).max(1);
        let hidden = self.order.len().saturating_sub(space);
        if height > 0 && hidden > 0 {
            self.order.truncate(space);
            return hidden;
        }
        0
    }

    /// The rows as records. `width` is that of the terminal; `None` if the output is no terminal.
    pub(super) fn records(&self, width: Option<u16>) -> TableRecords<'_> {
        let columns = self.columns();
        let is_cut = self.query.output.format() == OutputFormat::Table
            && !matches!(self.query.columns, Columns::Chosen(_));
        match width.filter(|width| *width > 0 && is_cut) {
            Some(width) => self.fitted(&columns, width),
            None => self.of_columns(&columns),
        }
    }

    fn of_columns(&self, columns: &[Column]) -> TableRecords<'_> {
        let now = self.state.status_time();
        let is_top = matches!(self.query.columns, Columns::Usage { .. });
        let texts = if is_top {
            Texts::KubectlTop
        } else {
            Texts::Words
        };
        let records = match self.query.columns {
            Columns::Chosen(_) => TableRecords::exactly(columns, self.table(), &self.order, now),
            _ => TableRecords::new(columns, self.table(), &self.order, now),
        };
        let mut records = records.with_texts(texts);
        if self.query.total {
            records = records.with_total();
        }
        if let Some(by) = &self.query.by {
            records.rename(Field::Name, by.title());
        }
        if is_top {
            for (field, title) in [
                (Field::Cpu, "CPU(cores)"),
                (Field::CpuPercent, "CPU(%)"),
                (Field::Memory, "MEMORY(bytes)"),
                (Field::MemoryPercent, "MEMORY(%)"),
                (Field::Swap, "SWAP(bytes)"),
            ] {
                records.rename(field, title);
            }
        }
        if self.query.availability.is_some() {
            records.rename(Field::Availability, "AVAILABILITY");
        }
        if let Some((stat, _)) = self.query.span {
            records.rename(Field::Cpu, format!("CPU {}", stat.word()));
            records.rename(Field::Memory, format!("MEM {}", stat.word()));
        }
        records
    }

    /// The records with as many columns as fit into the width of a terminal, as in the dashboard.
    fn fitted(&self, columns: &[Column], terminal: u16) -> TableRecords<'_> {
        let all = self.of_columns(columns);
        let widest = |at: usize| {
            let title = all
                .headings()
                .get(at)
                .and_then(|heading| heading.title.as_deref());
            let cells = (0..all.len()).map(|row| width(&all.text(row, at)));
            let widest = cells.max().unwrap_or_default().max(title.map_or(0, width));
            u16::try_from(widest).unwrap_or(u16::MAX)
        };
        let widths: Vec<u16> = (0..columns.len()).map(widest).collect();
        let sized = columns.iter().zip(&widths).map(|(column, widest)| Column {
            width: match column.field.unit() {
                // Names and numbers are not cut: other columns are left out for them.
                Unit::Text | Unit::Flag
                    if !column.is_identity() && column.field != Field::Namespace =>
                {
                    Width {
                        least: column.width.least.min(*widest) + WIDER_GAP,
                        most: column.width.most.max(*widest).saturating_add(WIDER_GAP),
                    }
                }
                _ => Width {
                    least: widest.saturating_add(WIDER_GAP),
                    most: widest.saturating_add(WIDER_GAP),
                },
            },
            // Without the namespace, the name of an object says little; without the container, a probe is ambiguous.
            priority: match column.field {
                Field::Namespace => 0,
                Field::Container => column.priority.min(1),
                _ => column.priority,
            },
            ..*column
        });
        let sized: Vec<Column> = sized.collect();
        let fields: Vec<Field> = columns.iter().map(|column| column.field).collect();
        let choice = ColumnChoice {
            selected: Some(&fields),
            sorted: self
                .query
                .sort
                .map(|sort| sort.field)
                .filter(|field| fields.contains(field)),
            distinguishing: &[],
        };
        let wide = |field: Field| {
            let at = fields.iter().position(|other| *other == field);
            let wide = at.and_then(|at| widths.get(at)).copied();
            wide.unwrap_or_default().saturating_add(WIDER_GAP)
        };
        let terminal = terminal.saturating_add(WIDER_GAP);
        let placed = columns::layout(&sized, choice, terminal, wide);
        let shown: Vec<Column> = placed
            .iter()
            .filter_map(|placed| columns.iter().find(|it| it.field == placed.column.field))
            .copied()
            .collect();
        let mut records = self.of_columns(&shown);
        let widths: Vec<usize> = placed
            .iter()
            .map(|placed| usize::from(placed.width.saturating_sub(WIDER_GAP)))
            .collect();
        records.set_widths(&widths);
        records
    }

    /// The table of the rows.
    fn table(&self) -> &dyn AnyTable {
        match &self.groups {
            Some(groups) => groups,
            None => self.state.world().table(self.query.view),
        }
    }

    /// The columns in order.
    fn columns(&self) -> Vec<Column> {
        let mut all = self.query.all_columns();
        all.retain(|column| !column.is_trend());
        let fields = match &self.query.columns {
            Columns::Chosen(fields) => fields.clone(),
            Columns::Usage {
                swap,
                requests,
                limits,
                gpu,
            } if self.query.output.format() != OutputFormat::Wide => {
                let mut fields = self.usage(*swap, *requests, *limits);
                if *gpu {
                    fields.retain(|field| !GPU_FIELDS.contains(field));
                    fields.extend(GPU_FIELDS);
                }
                fields
            }
            _ => self.usual(&all),
        };
        let column = |field: Field| {
            let column = all.iter().find(|column| column.field == field);
            column.copied().unwrap_or(Column::of_field(field))
        };
        fields.into_iter().map(column).collect()
    }

    /// The columns of a table without a choice. Wide tables and data have all.
    fn usual(&self, all: &[Column]) -> Vec<Field> {
        let is_complete = self.query.output.format() != OutputFormat::Table;
        let mut fields: Vec<Field> = if is_complete {
            all.iter().map(|column| column.field).collect()
        } else {
            let shown = all.iter().filter(|column| {
                let is_shown = column.priority != Column::ON_DEMAND;
                is_shown && (!column.optional || self.has_value(column.field))
            });
            shown.map(|column| column.field).collect()
        };
        if let Some(sort) = self.query.sort {
            columns::insert(&mut fields, all, sort.field);
        }
        fields.retain(|field| match (&self.query.by, field) {
            (Some(Grouping::Workload), _) => true,
            (Some(_), field) => !matches!(field, Field::Namespace | Field::Kind),
            (None, Field::Namespace) => is_complete || self.query.has_several_namespaces(),
            _ => true,
        });
        fields
    }

    /// The columns of `top`.
    fn usage(&self, swap: bool, requests: bool, limits: bool) -> Vec<Field> {
        let is_data = self.query.output.format() != OutputFormat::Table;
        let is_node = self.query.view == View::Nodes;
        let mut fields = match (&self.query.by, self.query.view) {
            (Some(Grouping::Workload), _) => {
                vec![Field::Namespace, Field::Kind, Field::Name, Field::Pods]
            }
            (Some(_), _) => vec![Field::Name, Field::Pods],
            (None, View::Nodes) => vec![Field::Name],
            (None, view) => {
                let is_shown = is_data || self.query.has_several_namespaces();
                let mut fields = Vec::from_iter(is_shown.then_some(Field::Namespace));
                fields.push(name_field(view));
                fields.extend((view == View::Containers).then_some(Field::Container));
                fields
            }
        };
        let resource = |usage, percent, request, of_request, limit, of_limit| {
            let shown = [
                (true, usage),
                (is_node, percent),
                (requests, request),
                (requests, of_request),
                (limits, limit),
                (limits, of_limit),
            ];
            shown
                .into_iter()
                .filter_map(|(is_shown, field)| is_shown.then_some(field))
        };
        fields.extend(resource(
            Field::Cpu,
            Field::CpuPercent,
            Field::CpuRequest,
            Field::CpuOfRequest,
            Field::CpuLimit,
            Field::CpuOfLimit,
        ));
        fields.extend(resource(
            Field::Memory,
            Field::MemoryPercent,
            Field::MemoryRequest,
            Field::MemoryOfRequest,
            Field::MemoryLimit,
            Field::MemoryOfLimit,
        ));
        fields.extend((swap && self.query.by.is_none()).then_some(Field::Swap));
        if let Some(sort) = self.query.sort
            && !fields.contains(&sort.field)
        {
            fields.push(sort.field);
        }
        fields
    }

    /// Whether a row has a value for a field.
    fn has_value(&self, field: Field) -> bool {
        let (table, now) = (self.table(), self.state.status_time());
        let value = |at: &u32| table.value(*at, field)?.number(now);
        self.order.iter().any(|at| value(at).is_some())
    }
}

/// The field with the name of an object.
fn name_field(view: View) -> Field {
    if matches!(view, View::Containers | View::Probes) {
        Field::Pod
    } else {
        Field::Name
    }
}

/// The groups of the listed pods or containers.
fn groups(by: &Grouping, view: View, state: &State, order: &[u32]) -> Table<GroupRow> {
    let world = state.world();
    let mut rows = order.to_vec();
    // Containers of a pod are neighbours in the order of the table.
    rows.sort_unstable();
    if view == View::Containers {
        by.of_containers(rows.iter().filter_map(|at| world.containers.row(*at)))
    } else {
        by.of_pods(rows.iter().filter_map(|at| world.pods.row(*at)))
    }
}

impl Query {
    /// Fails if an object that is named does not exist.
    fn check_names<'a>(
        &self,
        order: &[u32],
        name: impl Fn(u32) -> Option<std::borrow::Cow<'a, str>>,
    ) -> Result<(), Error> {
        let exists = |wanted: &&String| order.iter().any(|at| name(*at).as_deref() == Some(wanted));
        let missing: Vec<String> = self
            .names
            .iter()
            .filter(|name| !exists(name))
            .map(|name| format!("{name:?}"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Refused(format!(
            "Error from server (NotFound): {} {} not found",
            self.view.info().rows,
            missing.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};
    use crate::export::{TableLook, write_table};
    use crate::model::row::PodRow;
    use crate::model::{Batch, Message, SourceKind, apply};

    fn query(line: &str) -> Query {
        let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
        match cli.command {
            Some(Command::Get(args)) => Query::of_get(&cli.connection, &args).unwrap(),
            _ => panic!("not get"),
        }
    }

    fn state() -> State {
        let mut state = State::default();
        let _ = model::act(&mut state, model::Action::Show(View::Pods));
        let source = Message::Source(SourceKind::Vitals, String::new());
        let pod = |name: &str| PodRow {
            namespace: "shop".into(),
            name: name.into(),
            status: "CreateContainerConfigError".into(),
            node: "node-1".into(),
            ..PodRow::default()
        };
        let pods = vec![pod("checkout-7d9f8c6b5-x2x4z"), pod("web-1")];
        for message in [source, Message::Pods(Batch::All(pods))] {
            apply(&mut state, message);
        }
        state
    }

    fn printed(line: &str, width: Option<u16>) -> String {
        let (query, mut state) = (query(line), state());
        let listing = Listing::new(&query, &mut state).unwrap();
        let mut out = Vec::new();
        write_table(&listing.records(width), TableLook::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_watched_table_has_as_many_rows_as_the_terminal() {
        let (query, mut state) = (query("vitals get pods -A"), state());
        // No space, space for one row, for both; an unknown height.
        for (height, hidden) in [(1, 1), (4, 1), (5, 0), (0, 0)] {
            let mut listing = Listing::new(&query, &mut state).unwrap();
            assert_eq!(listing.cut_to(height), hidden, "{height}");
            assert_eq!(listing.order.len(), 2 - hidden);
        }
    }

    #[test]
    fn a_table_fits_the_terminal_and_does_not_cut_names() {
        let whole = printed("vitals get pods -A", None);
        assert!(whole.starts_with("NAMESPACE   NAME  "), "{whole}");
        for columns in 1..250 {
            let table = printed("vitals get pods -A", Some(columns));
            for line in table.lines() {
                assert!(width(line) <= usize::from(columns), "{columns}: {line}");
            }
            assert!(
                columns < 36 || table.contains("checkout-7d9f8c6b5-x2x4z"),
                "{table}"
            );
        }
        let narrow = printed("vitals get pods -A", Some(60));
        assert!(
            narrow.contains("STATUS") && !narrow.contains("NODE"),
            "{narrow}"
        );
        // What does not depend on the width: a pipe, a terminal of unknown width, chosen columns.
        assert_eq!(printed("vitals get pods -A", Some(0)), whole);
        let chosen = "vitals get pods -A --columns node,name,status";
        assert_eq!(printed(chosen, Some(20)), printed(chosen, None));
    }
}
