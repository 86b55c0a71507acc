//! What a table shows, from the flags. Everything that can be wrong in them is found before the first request.

use std::collections::BTreeSet;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::{FieldSelector, LabelSelector};
use kubevitals_proto::time::Timestamp;

use crate::batch::Error;
use crate::cli::{Connection, GetArgs, OutputArgs, OutputFormat, TableArgs};
use crate::model::filter::Filter;
use crate::model::row::{GroupRow, Row};
use crate::model::{Column, Field, Grouping, Name, Sort, SourceKind, Stat, View, World};

/// The namespaces of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Namespaces {
    /// All.
    All,
    /// The one of the kubeconfig.
    Own,
    /// These.
    These(Vec<Name>),
}

/// A time in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A point in time.
    Time(Timestamp),
    /// So many nanoseconds before now.
    Before(i64),
}

/// Which columns are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    /// Those that the table has without a choice.
    Usual,
    /// The usage that `top` shows.
    Usage {
        /// Also swap.
        swap: bool,
        /// Also requests, and usage as a part of them.
        requests: bool,
        /// Also limits, and usage as a part of them.
        limits: bool,
        /// Also GPUs.
        gpu: bool,
    },
    /// These.
    Chosen(Vec<Field>),
}

/// What a table shows.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) view: View,
    pub(super) by: Option<Grouping>,
    pub(super) namespaces: Namespaces,
    /// The names of the objects; empty for all.
    pub(super) names: Vec<String>,
    pub(super) labels: String,
    pub(super) fields: String,
    pub(super) filter: Filter,
    pub(super) sort: Option<Sort>,
    pub(super) columns: Columns,
    pub(super) limit: Option<usize>,
    pub(super) total: bool,
    pub(super) at: Option<At>,
    /// The statistic that is shown as the usage, and its span.
    pub(super) span: Option<(Stat, GoDuration)>,
    /// The span of the availability of workloads, if it is shown.
    pub(super) availability: Option<GoDuration>,
    pub(super) watch: bool,
    pub(super) output: OutputArgs,
    /// The required source; `None` for the best one.
    pub(super) source: Option<SourceKind>,
}

impl Query {
    /// The query of `get`.
    ///
    /// # Errors
    /// A flag is invalid.
    pub(super) fn of_get(connection: &Connection, args: &GetArgs) -> Result<Self, Error> {
        let mut query = match args.availability {
            true => Self::of_availability(args)?,
            false => Self::of_table(args.resource.view(), &args.table)?,
        };
        query.namespaces = namespaces(connection, args.all_namespaces);
        query.names.clone_from(&args.names);
        query.select(args.selector.as_deref(), args.field_selector.as_deref())?;
        query.sort = query.sort_by(args.sort_by.as_deref())?.or(query.sort);
        query.output = OutputArgs {
            output: args.output,
            no_headers: args.no_headers,
        };
        query.source = args.source.unwrap_or_default().kind();
        query.check()?;
        query.add_namespace();
        Ok(query)
    }

    /// The query of a table, with the flags that `get` and `top` have in common.
    pub(super) fn of_table(view: View, args: &TableArgs) -> Result<Self, Error> {
        let mut query = Self {
            view,
            by: args.by.clone(),
            namespaces: Namespaces::Own,
            names: Vec::new(),
            labels: String::new(),
            fields: String::new(),
            filter: filter(args.filter.as_deref())?,
            sort: None,
            columns: Columns::Usual,
            limit: args.limit,
            total: args.total,
            at: args
                .at
                .as_deref()
                .map(|text| at("--at", text))
                .transpose()?,
            span: span(args)?,
            availability: None,
            watch: args.watch,
            output: OutputArgs::default(),
            source: None,
        };
        if query.by.is_some() && !matches!(view, View::Pods | View::Containers) {
            return Err(Error::Flag(format!(
                "--by sums pods or containers, not {}",
                view.info().rows
            )));
        }
        if !args.columns.is_empty() {
            let fields = args
                .columns
                .iter()
                .map(|name| query.field(name, "--columns"));
            let mut chosen: Vec<Field> = Vec::new();
            for field in fields {
                let field = field?;
                if !chosen.contains(&field) {
                    chosen.push(field);
                }
            }
            query.columns = Columns::Chosen(chosen);
        }
        Ok(query)
    }

    /// Sets the selectors.
    pub(super) fn select(
        &mut self,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<(), Error> {
        self.labels = labels.unwrap_or_default().to_owned();
        self.fields = fields.unwrap_or_default().to_owned();
        self.labels
            .parse::<LabelSelector>()
            .map_err(|error| Error::Flag(error.to_string()))?;
        self.fields
            .parse::<FieldSelector>()
            .map_err(|error| Error::Flag(error.to_string()))?;
        Ok(())
    }

    /// Parses `--sort-by`.
    pub(super) fn sort_by(&self, flag: Option<&str>) -> Result<Option<Sort>, Error> {
        let Some(flag) = flag.filter(|flag| !flag.is_empty()) else {
            return Ok(None);
        };
        let (name, direction) = match flag.rsplit_once(':') {
            Some((name, direction)) => (name, Some(direction)),
            None => (flag, None),
        };
        let sort = Sort::by(self.field(name, "--sort-by")?);
        Ok(Some(match direction {
            None => sort,
            Some("asc") => Sort {
                descending: false,
                ..sort
            },
            Some("desc") => Sort {
                descending: true,
                ..sort
            },
            Some(other) => {
                return Err(Error::Flag(format!(
                    "--sort-by {flag}: the direction is asc or desc, not {other:?}"
                )));
            }
        }))
    }

    /// Refuses flags that contradict each other.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_selected = !self.labels.is_empty() || !self.fields.is_empty();
        let problem = if !self.names.is_empty() && is_selected {
            "only one of NAME or selector can be provided"
        } else if self.watch && self.at.is_some() {
            "--watch and --at exclude each other: the past does not change"
        } else if self.at.is_some() && self.view == View::Hpas {
            "--at: HPAs have no history"
        } else if self.at.is_some() && self.view == View::Volumes {
            "--at: volumes have no history"
        } else if self.span.is_some() && self.watch {
            "--watch and --span exclude each other"
        } else if self.span.is_some() && (self.by.is_some() || self.total) {
            "--span excludes --by and --total: a sum of percentiles is no percentile of the sum"
        } else if self.span.is_some()
            && !matches!(self.view, View::Pods | View::Containers | View::Nodes)
        {
            "--span works for pods, containers and nodes"
        } else if self.needs_availability() && self.availability.is_none() {
            "columns and filters of availability need --availability"
        } else if self.output.format() == OutputFormat::Name && self.by.is_some() {
            "-o name and --by exclude each other: a group is no object"
        } else {
            return Ok(());
        };
        Err(Error::Flag(problem.to_owned()))
    }

    /// The field of the table with this name.
    fn field(&self, name: &str, flag: &str) -> Result<Field, Error> {
        let fields = self.all_fields();
        let name = name.trim();
        let field = Field::named(name).filter(|field| fields.contains(field));
        field.ok_or_else(|| {
            let names: BTreeSet<&str> = fields.iter().map(|field| field.name()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            Error::Flag(format!(
                "{flag}: {} have no column {name:?}; there are {}",
                self.rows(),
                names.join(", ")
            ))
        })
    }

    /// The name of the rows in a sentence.
    fn rows(&self) -> &'static str {
        match &self.by {
            Some(_) => "groups",
            None => self.view.info().rows,
        }
    }

    /// All fields of the rows. A trend is a drawing of the usage, which has a field of its own.
    pub(super) fn all_fields(&self) -> Vec<Field> {
        let mut fields = match self.by {
            Some(_) => GroupRow::fields(),
            None => World::default().table(self.view).fields(),
        };
        fields.retain(|field| !matches!(field, Field::CpuTrend | Field::MemoryTrend));
        fields
    }

    /// All columns of the rows.
    pub(super) fn all_columns(&self) -> Vec<Column> {
        let mut columns = match self.by {
            Some(_) => GroupRow::columns(),
            None => self.view.columns(),
        };
        columns.retain(|it| self.availability.is_some() || !it.field.is_of_availability());
        columns
    }

    /// The order: that of the flag, or else by namespace and name; incidents as in the dashboard.
    pub(super) fn order(&self) -> Sort {
        let fields = self.all_fields();
        self.sort.unwrap_or_else(|| match (&self.by, self.view) {
            (None, View::Incidents) => self.view.sort(),
            _ if fields.contains(&Field::Namespace) && self.view != View::Namespaces => {
                Sort::by(Field::Namespace)
            }
            _ => Sort::by(Field::Name),
        })
    }

    /// Whether rows of several namespaces can be listed.
    pub(super) fn has_several_namespaces(&self) -> bool {
        match &self.namespaces {
            Namespaces::All => true,
            Namespaces::Own => false,
            Namespaces::These(names) => names.len() > 1,
        }
    }
}

/// The namespaces of the flags.
pub(super) fn namespaces(connection: &Connection, all: bool) -> Namespaces {
    let mut names: Vec<Name> = connection.all_namespaces().map(Name::from).collect();
    names.sort_unstable();
    names.dedup();
    match (all, names.is_empty()) {
        (true, _) => Namespaces::All,
        (false, true) => Namespaces::Own,
        (false, false) => Namespaces::These(names),
    }
}

/// Parses `--filter`. The error names the position in characters, from 1.
fn filter(text: Option<&str>) -> Result<Filter, Error> {
    let text = text.unwrap_or_default();
    text.parse::<Filter>().map_err(|error| {
        let before = text.get(..error.span.start).unwrap_or(text);
        let at = before.chars().count() + 1;
        let wrong = match text.get(error.span.clone()).unwrap_or_default() {
            "" => String::new(),
            wrong => format!(" {wrong:?}"),
        };
        Error::Flag(format!("--filter: at character {at}{wrong}: {error}"))
    })
}

/// Parses `--span` and `--stat`.
fn span(args: &TableArgs) -> Result<Option<(Stat, GoDuration)>, Error> {
    let Some(text) = &args.span else {
        return match args.stat {
            None => Ok(None),
            Some(_) => Err(Error::Flag("--stat needs --span".to_owned())),
        };
    };
    match crate::cli::span(text) {
        Some(span) if span.0 > 0 => Ok(Some((args.stat.unwrap_or_default(), span))),
        _ => Err(Error::Flag(format!(
            "--span {text:?}: expected a duration like 15m or 1h"
        ))),
    }
}

/// Parses a time in the past, of this flag.
pub(super) fn at(flag: &str, text: &str) -> Result<At, Error> {
    if let Some(before) = text.strip_prefix('-')
        && let Some(before) = crate::cli::span(before)
        && before.0 > 0
    {
        return Ok(At::Before(before.0));
    }
    text.parse::<Timestamp>().map(At::Time).map_err(|_| {
        Error::Flag(format!(
            "{flag} {text:?}: expected a time before now like -5m, or an RFC 3339 time like 2026-07-08T14:05:00Z"
        ))
    })
}
