//! A page of logs.

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use crate::model::log::{LogBatch, LogRequest, LogTarget, Ring, StreamState, as_number};
use crate::model::name::Name;
use crate::model::object::Object;
use crate::text::{cut_middle, width};

/// The cells of a mark of a level, and a blank.
const MARK: usize = 3;

/// The cells of a time, and a blank.
const TIME: usize = 10;

/// The most cells of the name of a container in front of a line.
const MAX_LABEL: usize = 24;

/// Logs of one container or several.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// The object whose logs these are, and the container if one was selected.
    pub object: Object,
    /// The selected container; none for all.
    pub container: Option<Name>,
    /// The request.
    pub request: LogRequest,
    /// How many containers are left out because there are too many.
    pub left_out: usize,
    /// The lines.
    pub ring: Ring,
    /// The states of the streams, in the order of the request.
    pub states: Vec<StreamState>,
    /// How many lines arrived faster than they can be shown.
    pub flooded: u64,
    /// How many bytes were cut off long lines.
    pub cut_bytes: u64,
    /// Whether times are shown.
    pub times: bool,
    /// Whether JSON is shown with a member in each row.
    pub pretty: bool,
    /// The time to go to once its lines have arrived.
    pub jump: Option<Timestamp>,
    /// What distinguishes each stream from the others.
    labels: Vec<String>,
    /// The cells of the longest label.
    label_cells: usize,
}

impl LogPage {
    /// A page for a request.
    #[must_use]
    pub fn new(object: Object, container: Option<Name>, request: LogRequest) -> Self {
        let mut page = Self {
            object,
            container,
            states: vec![StreamState::Requested; request.targets.len()],
            jump: request.since,
            request,
            left_out: 0,
            ring: Ring::default(),
            flooded: 0,
            cut_bytes: 0,
            times: true,
            pretty: false,
            labels: Vec::new(),
            label_cells: 0,
        };
        page.set_labels();
        page
    }

    /// Adds what the source sent. Returns where lines were inserted, and how many.
    pub fn add(&mut self, batch: LogBatch) -> Option<(u64, u64)> {
        for (stream, state) in batch.states {
            if let Some(old) = self.states.get_mut(usize::from(stream)) {
                *old = state;
            }
        }
        self.flooded += batch.dropped;
        self.cut_bytes += batch.cut_bytes;
        self.ring.add(batch.lines)
    }

    /// Lines that are not on the page: the ring and the source dropped them.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.ring.dropped() + self.flooded
    }

    /// Adds containers, and requests their logs too. Returns whether there are new ones.
    pub fn extend(&mut self, targets: impl IntoIterator<Item = LogTarget>) -> bool {
        let before = self.request.targets.len();
        for target in targets {
            if !self.request.targets.contains(&target) {
                self.request.targets.push(target);
                self.states.push(StreamState::Requested);
            }
        }
        let has_new = self.request.targets.len() > before;
        if has_new {
            self.set_labels();
        }
        has_new
    }

    /// What distinguishes a stream from the others: nothing, a container, the end of a pod's name, or both.
    #[must_use]
    pub fn label(&self, stream: u16, cells: usize) -> String {
        let label = self.labels.get(usize::from(stream));
        cut_middle(label.map_or("", String::as_str), cells, "~").into_owned()
    }

    /// The cells of the labels on a screen of this width, without the blank after them.
    #[must_use]
    pub fn label_width(&self, screen: usize) -> usize {
        self.label_cells.min(MAX_LABEL).min(screen / 4)
    }

    fn set_labels(&mut self) {
        self.labels = labels(&self.request.targets);
        self.label_cells = self
            .labels
            .iter()
            .map(|label| width(label))
            .max()
            .unwrap_or(0);
    }

    /// The cells in front of each line.
    pub(super) fn prefix(&self, screen: usize) -> usize {
        let label = self.label_width(screen);
        let label = if label > 0 { label + 3 } else { 0 };
        MARK + if self.times { TIME } else { 0 } + label
    }

    /// The texts of a line.
    pub(super) fn texts(&self, number: u64) -> Vec<String> {
        let Some(line) = self.ring.get(number) else {
            return Vec::new();
        };
        if self.pretty
            && let Some(rows) = pretty(&line.text)
        {
            return rows;
        }
        let mark = if line.is_cut { " [cut]" } else { "" };
        vec![format!("{}{mark}", line.text)]
    }

    /// The line for which streams have no log now: how many, and the first reason.
    #[must_use]
    pub fn failure(&self) -> Option<(usize, &str, Option<Timestamp>)> {
        let mut failures = self.states.iter().filter_map(|state| match state {
            StreamState::Failed { why, retry_at } => Some((why.as_str(), *retry_at)),
            _ => None,
        });
        let (why, retry_at) = failures.next()?;
        Some((failures.count() + 1, why, retry_at))
    }

    /// Whether new lines are followed.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !self.request.previous && self.request.since.is_none()
    }

    /// Whether every stream has answered, or failed.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        !self.states.contains(&StreamState::Requested)
    }

    /// The number of lines.
    #[must_use]
    pub fn count(&self) -> u64 {
        as_number(self.ring.len())
    }
}

/// What distinguishes each container from the others. A single one needs nothing.
fn labels(targets: &[LogTarget]) -> Vec<String> {
    if targets.len() < 2 {
        return vec![String::new(); targets.len()];
    }
    let is_one = |name: fn(&LogTarget) -> &Name| {
        targets
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if name(a) == name(b)))
    };
    let (one_pod, one_container) = (
        is_one(|target| &target.pod),
        is_one(|target| &target.container),
    );
    let shared = shared_start(targets);
    let label = |target: &LogTarget| {
        let pod = target.pod.get(shared..).unwrap_or_default();
        match (one_pod, one_container) {
            (true, _) => target.container.to_string(),
            (false, true) => pod.to_owned(),
            (false, false) => format!("{pod}/{}", target.container),
        }
    };
    targets.iter().map(label).collect()
}

/// The bytes that the names of all pods share, up to a hyphen.
fn shared_start(targets: &[LogTarget]) -> usize {
    let mut pods = targets.iter().map(|target| &*target.pod);
    let Some(first) = pods.next() else { return 0 };
    let shared = pods.fold(first.len(), |shared, pod| {
        let same = first
            .bytes()
            .zip(pod.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        shared.min(same)
    });
    first
        .get(..shared)
        .and_then(|start| start.rfind('-'))
        .map_or(0, |at| at + 1)
}

/// A JSON object with a member in each row. `None` for other text.
fn pretty(text: &str) -> Option<Vec<String>> {
    let start = text.find('{')?;
    let (before, json) = text.split_at_checked(start)?;
    let value: Value = serde_json::from_str(json).ok().filter(Value::is_object)?;
    let json = serde_json::to_string_pretty(&value).ok()?;
    let mut rows: Vec<String> = json.lines().map(str::to_owned).collect();
    if let Some(first) = rows.first_mut() {
        first.insert_str(0, before);
    }
    Some(rows)
}
