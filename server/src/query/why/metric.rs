//! The chain of one of a pod's own metrics: from what selects the pod for a scrape to the value.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::why::{Freshness, State, Step, StepName};
use kubevitals_proto::words::{capital, decimal};

use super::chain::{Chain, Outcome};
use super::explain::span;
use crate::cluster::PodKey;
use crate::pod_metrics::{
    Demand, Explanation, Family, LastScrape, Reading, Selected, SelectedBy, Value, readings,
};

impl Chain<'_> {
    /// Follows the chain of a metric to its outcome: `Ok` if the pod has a value of it.
    pub(super) fn follow_metric(
        &mut self,
        namespace: &str,
        name: &str,
        metric: &str,
        selector: &LabelSelector,
    ) -> Result<Outcome, Outcome> {
        let sources = self.sources;
        let key = PodKey::new(namespace, name);
        self.add_known(&sources.cluster.pods(), &key)?;
        let Some(metrics) = &sources.pod_metrics else {
            let message = "the server does not scrape pods: it runs without --pod-metrics";
            self.fail(StepName::Enabled, message);
            return Err(Outcome::new(
                "disabled",
                "The server runs without --pod-metrics, so it reads no metrics that pods expose.",
                "start vitals-server with --pod-metrics",
            ));
        };
        self.ok(StepName::Enabled, "the server scrapes pods (--pod-metrics)");
        let found = metrics.explain(&key, metric, selector);
        let mut steps = MetricSteps::new(metric, sources.wall(), found.value.is_ok());
        let outcome = steps.follow(&found);
        self.extend(steps.steps);
        self.freshness = steps.freshness;
        outcome
    }
}

/// The steps between the pod and the value.
struct MetricSteps<'a> {
    metric: &'a str,
    now: Timestamp,
    /// Whether there is a value, so that a step that fails now does not end the chain.
    has_value: bool,
    steps: Vec<Step>,
    freshness: Option<Freshness>,
}

impl<'a> MetricSteps<'a> {
    fn new(metric: &'a str, now: Timestamp, has_value: bool) -> Self {
        Self {
            metric,
            now,
            has_value,
            steps: Vec::new(),
            freshness: None,
        }
    }

    fn follow(&mut self, found: &Explanation) -> Result<Outcome, Outcome> {
        self.add_selected(found)?;
        self.add_scraped(found)?;
        self.add_kept(&found.kept)?;
        self.add_family(found.family.as_ref())?;
        self.add_series(found.series)?;
        self.add_value(found)
    }

    fn add(&mut self, name: StepName, state: State, message: String) {
        self.steps.push(Step {
            name,
            state,
            message,
        });
    }

    /// The time since `at`.
    fn age(&self, at: Timestamp) -> Duration {
        Duration::from_nanos(self.now.since(at).max(0).unsigned_abs())
    }

    fn add_value(&mut self, found: &Explanation) -> Result<Outcome, Outcome> {
        let value = match &found.value {
            Ok(value) => value,
            Err(absence) => {
                let what = absence.to_string();
                self.add(StepName::Value, State::Failed, what.clone());
                let hint = "wait for the next scrape; a rate, mean or quantile needs two within --pod-metrics-window";
                return Err(Outcome::new("no_value", sentence(&what), hint));
            }
        };
        let age = self.age(value.at);
        self.add(StepName::Value, State::Ok, text_of(value));
        self.freshness = Some(Freshness {
            timestamp: value.at,
            window: GoDuration(value.window.map_or(0, nanos)),
            age: GoDuration(nanos(age)),
        });
        let verdict = format!(
            "{} is {}, {} old.",
            self.metric,
            decimal(value.value),
            span(age)
        );
        Ok(Outcome::new("available", verdict, ""))
    }

    fn broken(&mut self, step: StepName, message: String, outcome: Outcome) -> Result<(), Outcome> {
        if self.has_value {
            self.add(step, State::Warning, message);
            return Ok(());
        }
        self.add(step, State::Failed, message);
        Err(outcome)
    }

    fn add_selected(&mut self, found: &Explanation) -> Result<(), Outcome> {
        match &found.selected {
            Ok(Selected { by, url, interval }) => {
                let message = format!(
                    "{} selects it: {url} every {}",
                    selected_by(by),
                    span(*interval)
                );
                self.add(StepName::Selected, State::Ok, message);
                Ok(())
            }
            Err(why) => {
                let hint = "annotate the pods with prometheus.io/scrape: \"true\" and prometheus.io/port, or select them \
                            by a rule in --pod-metrics-config";
                let outcome = Outcome::new("not_selected", sentence(why), hint);
                self.broken(StepName::Selected, why.clone(), outcome)
            }
        }
    }

    fn add_scraped(&mut self, found: &Explanation) -> Result<(), Outcome> {
        let Some(scrape) = &found.scrape else {
            let interval = found.selected.as_ref().map(|it| span(it.interval));
            let within = interval.map_or(String::new(), |interval| format!(" within {interval}"));
            let message = "it has not been scraped yet".to_owned();
            let hint = format!("wait for its first scrape{within}");
            let outcome = Outcome::new("not_scraped", sentence(&message), hint);
            return self.broken(StepName::Scraped, message, outcome);
        };
        let LastScrape {
            at,
            duration,
            bytes,
            samples,
            problems,
            result,
        } = scrape;
        let began = format!(
            "scraped at {} ({} ago), took {}",
            at.to_rfc3339_seconds(),
            span(self.age(*at)),
            span(*duration)
        );
        match result {
            Err((what, hint)) => {
                let outcome = Outcome::new(
                    "scrape_failed",
                    format!("The last scrape failed: {what}."),
                    hint.as_str(),
                );
                self.broken(StepName::Scraped, format!("{began}: {what}"), outcome)
            }
            Ok(()) => {
                let message =
                    format!("{began}: {bytes} bytes, with {samples} samples of kept families");
                match problems.join("; ") {
                    none if none.is_empty() => self.add(StepName::Scraped, State::Ok, message),
                    problems => {
                        let message = format!("{message}; {problems}");
                        self.add(StepName::Scraped, State::Warning, message);
                    }
                }
                Ok(())
            }
        }
    }

    fn add_kept(&mut self, kept: &[Demand]) -> Result<(), Outcome> {
        if kept.is_empty() {
            let message = format!(
                "nothing asks for {}, so the server does not keep it",
                self.metric
            );
            let hint =
                "name it in a HorizontalPodAutoscaler, or under keep in --pod-metrics-config";
            let outcome = Outcome::new("not_kept", sentence(&message), hint);
            return self.broken(StepName::Kept, message, outcome);
        }
        let kept: Vec<String> = kept.iter().map(demand).collect();
        let message = format!("kept because of {}", kept.join(", "));
        self.add(StepName::Kept, State::Ok, message);
        Ok(())
    }

    fn add_family(&mut self, family: Option<&Family>) -> Result<(), Outcome> {
        let Some(Family {
            name,
            kind,
            reading,
        }) = family
        else {
            let names: Vec<String> = readings(self.metric).map(|(name, _)| name).collect();
            let message = format!(
                "the last scrape had none of the families that {} can stand for: {}",
                self.metric,
                names.join(", ")
            );
            let hint = "check the name on the page that the pod serves, and the limits of its rule";
            let outcome = Outcome::new("no_family", sentence(&message), hint);
            return self.broken(StepName::Family, message, outcome);
        };
        let read = match (reading, *kind) {
            (Reading::Plain, "counter") | (Reading::PerSecond, _) => "read as its rate a second",
            (Reading::Plain, "gauge" | "untyped") => "read as it is",
            (Reading::Plain, _) => "read as the rate of its observations",
            (Reading::Mean, _) => "read as the mean of its observations",
            (Reading::Quantile(_), _) => "read as a quantile of its observations",
        };
        let message = format!("{name} is a {kind}, {read}");
        self.add(StepName::Family, State::Ok, message);
        Ok(())
    }

    fn add_series(&mut self, (series, matching): (usize, usize)) -> Result<(), Outcome> {
        if matching > 0 {
            let message = format!("{matching} of its {series} series match");
            self.add(StepName::Series, State::Ok, message);
            return Ok(());
        }
        let (message, hint) = match series {
            0 => (
                "the family has no series".to_owned(),
                "check whether the pod writes one, and the limits on series",
            ),
            series => (
                format!("the selector matches none of its {series} series"),
                "compare the selector with the labels of the series",
            ),
        };
        let outcome = Outcome::new("no_series", sentence(&message), hint);
        self.broken(StepName::Series, message, outcome)
    }
}

/// What selects a pod for a scrape, in words.
pub(in crate::query) fn selected_by(by: &SelectedBy) -> String {
    match by {
        SelectedBy::Annotation(name) => format!("annotation {name}"),
        SelectedBy::Rule(name) => format!("rule {name}"),
        SelectedBy::Exporter(pod) => format!("exporter {}/{}", pod.namespace, pod.name),
    }
}

fn demand(demand: &Demand) -> String {
    match demand {
        Demand::Hpa(hpa) => format!("HPA {}/{}", hpa.namespace, hpa.name),
        Demand::Config(entry) => format!("keep {entry}"),
        Demand::Asked => "a request within the last minutes".to_owned(),
    }
}

fn sentence(clause: &str) -> String {
    format!("{}.", capital(clause))
}

fn text_of(value: &Value) -> String {
    let over = value
        .window
        .map_or(String::new(), |window| format!(", over {}", span(window)));
    format!(
        "{} at {}{over}",
        decimal(value.value),
        value.at.to_rfc3339_seconds()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pod_metrics::Absence;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// A chain that ends with a value.
    fn whole() -> Explanation {
        let at = NOW.plus_nanos(-5_000_000_000);
        Explanation {
            selected: Ok(Selected {
                by: SelectedBy::Annotation("prometheus.io/scrape"),
                url: "http://10.0.0.7:8080/metrics".to_owned(),
                interval: Duration::from_secs(15),
            }),
            scrape: Some(LastScrape {
                at,
                duration: Duration::from_millis(12),
                bytes: 4_096,
                samples: 40,
                problems: Vec::new(),
                result: Ok(()),
            }),
            kept: vec![Demand::Hpa(PodKey::new("shop", "web")), Demand::Asked],
            family: Some(Family {
                name: Arc::from("http_requests_total"),
                kind: "counter",
                reading: Reading::PerSecond,
            }),
            series: (3, 2),
            value: Ok(Value {
                value: 12.5,
                at,
                window: Some(Duration::from_secs(60)),
            }),
        }
    }

    fn failed() -> Option<LastScrape> {
        let what = "the pod refused the connection".to_owned();
        let hint = "check that it listens on this port".to_owned();
        whole().scrape.map(|scrape| LastScrape {
            result: Err((what, hint)),
            ..scrape
        })
    }

    fn follow(found: &Explanation) -> (Vec<String>, Outcome) {
        let mut steps = MetricSteps::new("http_requests_per_second", NOW, found.value.is_ok());
        let outcome = steps.follow(found);
        assert_eq!(outcome.is_ok(), steps.freshness.is_some());
        let (Ok(outcome) | Err(outcome)) = outcome;
        assert!(outcome.verdict.ends_with('.'));
        let texts = steps.steps.iter();
        let texts = texts.map(|it| format!("{:?} {:?}: {}", it.name, it.state, it.message));
        (texts.collect(), outcome)
    }

    #[test]
    fn a_value_has_the_whole_chain() {
        let (steps, outcome) = follow(&whole());
        assert_eq!(
            steps,
            [
                "Selected Ok: annotation prometheus.io/scrape selects it: http://10.0.0.7:8080/metrics every 15s",
                "Scraped Ok: scraped at 2027-01-15T07:59:55Z (5s ago), took 12ms: 4096 bytes, with 40 samples of kept families",
                "Kept Ok: kept because of HPA shop/web, a request within the last minutes",
                "Family Ok: http_requests_total is a counter, read as its rate a second",
                "Series Ok: 2 of its 3 series match",
                "Value Ok: 12.5 at 2027-01-15T07:59:55Z, over 1m0s",
            ]
        );
        assert_eq!(
            outcome,
            Outcome::new("available", "http_requests_per_second is 12.5, 5s old.", "")
        );
    }

    #[test]
    fn the_first_step_that_fails_ends_the_chain_and_has_a_hint() {
        let without_value = || Explanation {
            value: Err(Absence::NoSeries),
            ..whole()
        };
        type Case = (fn(&mut Explanation), &'static str, &'static str);
        let cases: [Case; 8] = [
            (
                |it| it.selected = Err(Absence::NoTarget.to_string()),
                "not_selected",
                "Selected Failed: neither an annotation nor",
            ),
            (
                |it| it.scrape = None,
                "not_scraped",
                "Scraped Failed: it has not been scraped yet",
            ),
            (
                |it| it.scrape = failed(),
                "scrape_failed",
                "Scraped Failed: scraped at 2027-01-15T07:59:55Z (5s ago), took 12ms: the pod refused",
            ),
            (
                |it| it.kept.clear(),
                "not_kept",
                "Kept Failed: nothing asks for http_requests_per_second",
            ),
            (
                |it| it.family = None,
                "no_family",
                "Family Failed: the last scrape had none of the families that http_requests_per_second can stand \
                 for: http_requests_per_second, http_requests, http_requests_total",
            ),
            (
                |it| it.series = (0, 0),
                "no_series",
                "Series Failed: the family has no series",
            ),
            (
                |it| it.series = (3, 0),
                "no_series",
                "Series Failed: the selector matches none of its 3 series",
            ),
            (|_| {}, "no_value", "Value Failed: the pod exposes no such"),
        ];
        for (change, reason, last) in cases {
            let mut found = without_value();
            change(&mut found);
            let (steps, outcome) = follow(&found);
            assert_eq!(outcome.reason, reason);
            assert!(!outcome.hint.is_empty(), "{reason}");
            let end = steps.last().unwrap();
            assert!(end.starts_with(last), "{end}");
            assert_eq!(steps.iter().filter(|it| it.contains("Failed")).count(), 1);
        }
    }

    #[test]
    fn a_value_outlives_a_scrape_that_fails() {
        let mut found = whole();
        found.scrape = failed();
        let (steps, outcome) = follow(&found);
        assert_eq!(outcome.reason, "available");
        assert!(steps[1].starts_with("Scraped Warning: "), "{}", steps[1]);
        let mut found = whole();
        let lines = "3 lines do not parse".to_owned();
        found.scrape.as_mut().unwrap().problems.push(lines);
        let (steps, _) = follow(&found);
        assert!(steps[1].ends_with("kept families; 3 lines do not parse"));
    }
}
