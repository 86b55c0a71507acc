//! The decoder of `/metrics/resource`: made for how kubelets write, correct for how anyone might.
//!
//! A kubelet writes each family's lines in a row, the containers in the same order in each. So
//! after the first family a line is expected to name the next container in that order: if its
//! bytes up to the value are those that container had before, its labels are not read at all. In
//! the first family, or where a container is missing, they are read in the order in which kubelets
//! write them. Any other line is tokenized without expectations.

use super::containers::Containers;
use super::duplicates;
use super::metric::{Field, Metric, POD_SWAP, key, pod};
use super::reading::{ContainerKey, Reading};
use super::scrape::{DecodeLimits, ResourceScrape};
use crate::exposition::lines::{Line, Sample, Scanner, plain_value};
use crate::exposition::number;
use crate::kubelet::names::may_be_pod;
use std::collections::BTreeSet;

/// Decodes `body` with the default [`DecodeLimits`], replacing what was in `into` and keeping its
/// memory.
///
/// Containers come out sorted by [`ContainerKey`], each once; of lines for the same reading the
/// last one counts, and the others are among the duplicates. A line that is not of
/// the format, whose value no reading can have (negative, not a number, too large), or whose names
/// are longer than Kubernetes allows, is skipped and counted. Zero is a reading like any other.
pub fn decode<'a>(body: &'a [u8], into: &mut ResourceScrape<'a>) {
    decode_limited(body, DecodeLimits::default(), into);
}

/// As [`decode`], within `limits`.
pub fn decode_limited<'a>(body: &'a [u8], limits: DecodeLimits, into: &mut ResourceScrape<'a>) {
    let memory = std::mem::take(&mut into.containers);
    let mut decoder = Decoder {
        max_pods: limits.max_series as usize,
        containers: Containers::new(memory, limits.max_series as usize),
        family: None,
        scrape: ResourceScrape::default(),
        repeated: BTreeSet::new(),
        node_repeated: false,
        max_flawed: limits.max_series as usize,
    };
    let mut lines = Scanner::new(body);
    loop {
        while let Some(rest) = decoder
            .usual_line(lines.rest)
            .or_else(|| decoder.usual_pod_swap(lines.rest))
        {
            lines.rest = rest;
        }
        let Some(line) = lines.next_of(|name| Metric::named(name).is_some()) else {
            break;
        };
        decoder.other_line(&line);
    }
    let places = decoder.repeated.iter();
    let repeated = places.filter_map(|place| decoder.containers.key(*place));
    let whose = decoder.node_repeated.then_some(None).into_iter();
    let duplicates = duplicates::find(body, whose.chain(repeated.map(Some)).collect());
    let mut containers = decoder.containers.into_inner();
    containers.sort_unstable_by_key(|(key, _)| *key);
    decoder.scrape.flawed.sort_unstable();
    decoder.scrape.flawed.dedup();
    // Stable, so that of lines for the same pod the last one is the last.
    decoder
        .scrape
        .pod_swap
        .sort_by_key(|(namespace, pod, _)| (*namespace, *pod));
    *into = ResourceScrape {
        containers,
        duplicates,
        ..decoder.scrape
    };
}

/// The family of the line before: what the next line is expected to be of too.
#[derive(Debug, Clone, Copy)]
struct Family<'a> {
    name: &'a [u8],
    field: Field,
}

struct Decoder<'a> {
    /// The maximum number of pods with swap.
    max_pods: usize,
    containers: Containers<'a>,
    family: Option<Family<'a>>,
    scrape: ResourceScrape<'a>,
    /// The places of containers of which a line came more than once.
    repeated: BTreeSet<usize>,
    /// The same of the node.
    node_repeated: bool,
    /// The maximum number of containers with an impossible line.
    max_flawed: usize,
}

impl<'a> Decoder<'a> {
    /// Takes the line at the start of `text` if it is of the same family as the one before and
    /// written as a kubelet writes. Returns what follows it.
    #[inline]
    fn usual_line(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let family = self.family?;
        let text = text.strip_prefix(family.name)?;
        if let Some((head, reading)) = self.containers.expected()
            && let Some(text) = text.strip_prefix(head)
        {
            let (value, timestamp_ms, rest) = numbers(text)?;
            let repeated = reading.set(family.field, value, timestamp_ms)?;
            self.containers.advance();
            self.took(repeated);
            return Some(rest);
        }
        let (key, rest) = usual_labels(text)?;
        let head = text.get(..text.len() - rest.len())?;
        let (value, timestamp_ms, rest) = numbers(rest)?;
        let mut read = Reading::default();
        // A value that cannot be must not bring its container into being.
        read.set(family.field, value, timestamp_ms)?;
        let reading = self.containers.find(key, head)?;
        let repeated = reading.set(family.field, value, timestamp_ms)?;
        self.took(repeated);
        Some(rest)
    }

    /// Takes the line at the start of `text` if it is the swap of a pod, written as a kubelet writes. Returns what
    /// follows it.
    fn usual_pod_swap(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let text = text.strip_prefix(POD_SWAP)?;
        let (namespace, text) = plain_value(text.strip_prefix(b"{namespace=\"")?)?;
        let (pod, text) = plain_value(text.strip_prefix(b",pod=\"")?)?;
        let (value, timestamp_ms, rest) = numbers(text.strip_prefix(b"} ")?)?;
        let pod = may_be_pod(namespace, pod).then_some((namespace, pod))?;
        match self.pod_swap(pod, value, timestamp_ms)? {
            Taken::Yes | Taken::Nothing => Some(rest),
            Taken::OverLimit => None,
        }
    }

    /// A line of the container before the expected one was taken.
    #[inline]
    fn took(&mut self, repeated: bool) {
        self.scrape.series += 1;
        if repeated {
            self.repeated
                .insert(self.containers.place().saturating_sub(1));
        }
    }

    /// Takes any line of the metrics that are needed, and bad ones.
    fn other_line(&mut self, line: &Line<'a>) {
        match line
            .sample
            .and_then(|sample| self.sample(line.text, &sample))
        {
            Some(Taken::Yes | Taken::Nothing) => {}
            Some(Taken::OverLimit) => self.scrape.truncated = true,
            None => {
                self.scrape.skipped_lines = self.scrape.skipped_lines.saturating_add(1);
                self.scrape.first_bad_line.get_or_insert(line.text);
            }
        }
    }

    fn sample(&mut self, line: &'a [u8], sample: &Sample<'a>) -> Option<Taken> {
        match Metric::named(sample.name)? {
            Metric::Node(field) => {
                let node = &mut self.scrape.node;
                let Some(repeated) = node.set(field, sample.value, sample.timestamp_ms) else {
                    self.scrape.node_flawed = true;
                    return None;
                };
                self.node_repeated |= repeated;
                self.scrape.series += 1;
            }
            Metric::PodSwap => {
                return self.pod_swap(pod(sample)?, sample.value, sample.timestamp_ms);
            }
            // Old and new kubelets have different names for it.
            Metric::ScrapeError => {
                self.scrape.scrape_error |= sample.value != 0.0;
                self.scrape.series += 1;
            }
            Metric::Container(field) => {
                if self.family.is_none_or(|family| family.name != sample.name) {
                    self.family = Some(Family {
                        name: sample.name,
                        field,
                    });
                    self.containers.restart();
                }
                let mut reading = Reading::default();
                let possible = reading.set(field, sample.value, sample.timestamp_ms);
                let key = key(sample)?;
                // A value that cannot be must not bring its container into being.
                if possible.is_none() {
                    if self.scrape.flawed.len() < self.max_flawed {
                        self.scrape.flawed.push(key);
                    }
                    return None;
                }
                let Some(reading) = self.containers.find(key, sample.between(line)) else {
                    return Some(Taken::OverLimit);
                };
                let repeated = reading.set(field, sample.value, sample.timestamp_ms)?;
                self.took(repeated);
            }
        }
        Some(Taken::Yes)
    }
}

impl<'a> Decoder<'a> {
    /// Applies the swap of a pod as a whole. Pods without swap are left out.
    fn pod_swap(
        &mut self,
        (namespace, pod): (&'a str, &'a str),
        value: f64,
        timestamp_ms: Option<i64>,
    ) -> Option<Taken> {
        let mut reading = Reading::default();
        reading.set(Field::Swap, value, timestamp_ms)?;
        let Some(bytes) = reading.swap.filter(|bytes| *bytes > 0) else {
            return Some(Taken::Nothing);
        };
        if self.scrape.pod_swap.len() >= self.max_pods {
            return Some(Taken::OverLimit);
        }
        self.scrape.pod_swap.push((namespace, pod, bytes));
        self.scrape.series += 1;
        Some(Taken::Yes)
    }
}

enum Taken {
    Yes,
    /// The value is zero.
    Nothing,
    OverLimit,
}

/// A value, a timestamp if there is one, and the line's end, with single blanks between; and what
/// follows.
#[inline]
fn numbers(text: &[u8]) -> Option<(f64, Option<i64>, &[u8])> {
    let (value, rest) = number::leading_f64(text)?;
    let (timestamp_ms, rest) = match rest.strip_prefix(b" ") {
        Some(rest) => {
            let (millis, rest) = number::leading_i64(rest)?;
            (Some(millis), rest)
        }
        None => (None, rest),
    };
    Some((value, timestamp_ms, rest.strip_prefix(b"\n")?))
}

/// The labels as kubelets write them, with one blank after them, and what follows.
#[inline]
fn usual_labels(text: &[u8]) -> Option<(ContainerKey<'_>, &[u8])> {
    let (container, rest) = plain_value(text.strip_prefix(b"{container=\"")?)?;
    let (namespace, rest) = plain_value(rest.strip_prefix(b",namespace=\"")?)?;
    let (pod, rest) = plain_value(rest.strip_prefix(b",pod=\"")?)?;
    let key = ContainerKey {
        namespace,
        pod,
        container,
    };
    key.is_possible().then_some(())?;
    Some((key, rest.strip_prefix(b"} ")?))
}
