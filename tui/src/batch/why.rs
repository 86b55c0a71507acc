//! `why`: the steps from the API server to the metrics of a pod or node, or to one of the metrics that a pod exposes
//! itself, and the one that fails.

use std::io::Write;

use kubevitals_proto::metrics::Version;
use kubevitals_proto::objects::{Pod, not_running};
use kubevitals_proto::why::{Container, Explanation, State, StepName, Why};
use kubevitals_proto::words::capital;

use super::{Error, Streams, vitals};
use crate::cli::{Connection, Output, WhyArgs, WhySubject};
use crate::clock::Clock;
use crate::model::{Key, hpa_lines};
use crate::source::kubeconfig::Settings;
use crate::source::{
    self, ApiClient, Failure, MetricsApi, Terminal, VitalsApi, VitalsService, WhyResponse,
    is_not_ours, read_hpa,
};
use crate::text;

/// Runs `why`.
///
/// # Errors
/// The arguments are invalid, the request fails, or the object does not exist.
pub async fn run(
    connection: &Connection,
    args: &WhyArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let settings = Settings::read(connection)?;
    let namespace = settings.namespace()?;
    let subject = args.subject(&namespace).map_err(Error::Flag)?;
    if let Some(namespace) = subject.namespace.filter(|_| subject.is_hpa) {
        return why_hpa(&settings, namespace, &subject, args, streams).await;
    }
    if let (Some(metric), Some(namespace)) = (subject.metric, subject.namespace) {
        let (api, _) = vitals::connect_for(&settings, "metrics that pods expose").await?;
        let pod = (namespace, subject.name);
        return match api.why_metric(pod, metric, args.series.as_deref()).await {
            Ok(response) => subject.report(args, &response, streams),
            Err(error) if is_not_ours(&error) => Err(Error::Failed(
                "this vitals-server is too old to know the metrics that pods expose".to_owned(),
            )),
            Err(error) => Err(subject.explain(error)),
        };
    }
    let clock = Clock::system();
    let client = ApiClient::with_clock(settings.target(&Terminal::default())?, clock.clone())?;
    let api = MetricsApi::new(client, false);
    let Some(version) = api.version().await? else {
        return Err(Error::Failed(
            "Metrics API not available: no server of metrics.k8s.io answers in this cluster; \
             check with: kubectl get apiservices v1beta1.metrics.k8s.io"
                .to_owned(),
        ));
    };
    match api.why(version, subject.namespace, subject.name).await {
        Ok(response) => subject.report(args, &response, streams),
        Err(error) if is_not_ours(&error) => match args.output {
            Some(Output::Json) => Err(Error::Failed(
                "this cluster's metrics server is not vitals-server, so there is no response to print as JSON; \
                 leave out --output"
                    .to_owned(),
            )),
            None => subject.request_other_server(&api, version, &clock, streams).await,
        },
        Err(error) => Err(subject.explain(error)),
    }
}

/// Prints an HPA: each metric with its value, where it comes from and why it is missing; conditions and events.
async fn why_hpa(
    settings: &Settings,
    namespace: &str,
    subject: &WhySubject<'_>,
    args: &WhyArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    if args.output.is_some() {
        let text = "why hpa prints text only; leave out --output".to_owned();
        return Err(Error::Flag(text));
    }
    let clock = Clock::system();
    let client = ApiClient::with_clock(settings.target(&Terminal::default())?, clock.clone())?;
    let has_vitals = VitalsApi::new(client.clone()).service().await? == VitalsService::Served;
    let key = Key::new(&namespace.into(), &subject.name.into());
    let (row, facts, missing) = read_hpa(client, clock.clone(), has_vitals, &key).await?;
    writeln!(streams.out, "{}\n", plain(&subject.to_string()))?;
    for line in hpa_lines(&row, &facts, clock.now()) {
        let facts = line.iter().filter(|fact| !fact.text.is_empty());
        let texts = facts.map(|fact| format!("{} {}", fact.label, fact.text));
        let line = texts.collect::<Vec<_>>().join("  ");
        writeln!(streams.out, "  {}", plain(line.trim_end()))?;
    }
    for missing in missing {
        writeln!(streams.err, "warning: {}", plain(&missing))?;
    }
    Ok(())
}

impl WhySubject<'_> {
    /// Prints a response.
    fn report(
        &self,
        args: &WhyArgs,
        response: &WhyResponse,
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        match args.output {
            Some(Output::Json) => json(response, streams.out)?,
            None => print(&self.to_string(), &response.why, streams.out)?,
        }
        self.check_exists(&response.why)
    }

    /// Fails if the first step failed: the object does not exist, or the server has not seen it yet. Scripts see this
    /// by the exit code.
    fn check_exists(&self, why: &Why) -> Result<(), Error> {
        match why.steps.first() {
            Some(step) if step.state == State::Failed => Err(Error::Failed(format!(
                "{}: {}",
                plain(&self.to_string()),
                plain(&step.message)
            ))),
            _ => Ok(()),
        }
    }

    /// Requests the metrics from a server other than vitals-server, which can only say whether there are any. Why
    /// containers do not run is in the status of the pod.
    async fn request_other_server(
        &self,
        api: &MetricsApi,
        version: Version,
        clock: &Clock,
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        let missing = self.missing_metrics(api, version).await?;
        let pod = match self.pod(api).await {
            Err(_) if missing.is_none() => None,
            pod => pod?,
        };
        let problem = pod.as_ref().and_then(|pod| {
            let of_phase = not_running::phase(pod).map(|(_, problem)| problem);
            of_phase.or_else(|| not_running::pod(pod))
        });
        let containers = pod.as_ref();
        let containers = containers.map(|pod| not_running::listed_containers(pod, clock.now()));
        let containers = containers.unwrap_or_default();
        let is_idle = |container: &Container| !container.message.is_empty();
        let has_idle = containers.iter().any(is_idle);
        let out = &mut *streams.out;
        match (missing, &problem) {
            (None, _) => writeln!(
                out,
                "{self} has metrics. This cluster's metrics server is not vitals-server, so there are no details."
            )?,
            (Some(_), Some(problem)) => {
                let what = plain(&capital(&problem.what));
                writeln!(out, "{self} has no metrics. {what}.")?;
            }
            (Some(_), None) if has_idle => writeln!(out, "{self} has no metrics.")?,
            (Some(error), None) => {
                return Err(Error::Failed(format!(
                    "{self} has no metrics, and this cluster's metrics server, which is not vitals-server, cannot report why; \
                     it returned: {error}"
                )));
            }
        }
        if has_idle {
            print_containers(&containers, out)?;
        }
        if let Some(Explanation { hint, .. }) = problem {
            writeln!(out, "\nWhat to do: {hint}.")?;
        }
        Ok(())
    }

    /// The response of the metrics server that there are no metrics; none if there are.
    async fn missing_metrics(
        &self,
        api: &MetricsApi,
        version: Version,
    ) -> Result<Option<source::Error>, Error> {
        let found = match self.namespace {
            Some(namespace) => api.pod(version, namespace, self.name).await.map(|_| ()),
            None => api.node(version, self.name).await.map(|_| ()),
        };
        match found {
            Ok(()) => Ok(None),
            Err(error) if is_not_ours(&error) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The pod's object; none for a node, and without permission for the pod.
    async fn pod(&self, api: &MetricsApi) -> Result<Option<Pod>, Error> {
        let Some(namespace) = self.namespace else {
            return Ok(None);
        };
        match api.pod_object(namespace, self.name).await {
            Err(source::Error::Server(Failure { code: 404, .. })) => Err(Error::Failed(format!(
                "{self}: the API server has no such pod"
            ))),
            pod => Ok(pod.ok().flatten()),
        }
    }

    /// Adds the missing permission to a denial.
    fn explain(&self, error: source::Error) -> Error {
        let source::Error::Server(Failure { code: 403, .. }) = &error else {
            return error.into();
        };
        let (resource, namespace) = match self.namespace {
            Some(namespace) if self.metric.is_some() => (
                "podvitals/why of API group kubevitals.io",
                format!(", in namespace {namespace}"),
            ),
            Some(namespace) => (
                "pods/why of API group metrics.k8s.io",
                format!(", in namespace {namespace}"),
            ),
            None => ("nodes/why of API group metrics.k8s.io", String::new()),
        };
        Error::Refused(format!(
            "{error}\nyou need permission to get {resource}{namespace}"
        ))
    }
}

fn json(response: &WhyResponse, out: &mut dyn Write) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(&response.json).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(out.write_all(text.as_bytes())?)
}

fn print(subject: &str, why: &Why, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}\n", plain(subject))?;
    for step in &why.steps {
        let state = match step.state {
            State::Ok => "ok",
            State::Warning => "but",
            State::Failed => "NO",
            State::Other => "?",
        };
        let message = plain(&step.message);
        writeln!(out, "  {:<10}{state:<5}{message}", name(step.name))?;
    }
    print_containers(&why.containers, out)?;
    writeln!(out, "\n{}", plain(&why.verdict))?;
    if !why.hint.is_empty() {
        writeln!(out, "What to do: {}.", plain(&why.hint))?;
    }
    Ok(())
}

/// Prints each container: why it does not run, or what its last reading lacks.
fn print_containers(containers: &[Container], out: &mut dyn Write) -> std::io::Result<()> {
    let names = containers
        .iter()
        .map(|container| text::width(&plain(&container.name)));
    let Some(width) = names.max() else {
        return Ok(());
    };
    writeln!(out, "\ncontainers:")?;
    for container in containers {
        let name = plain(&container.name);
        let gap = " ".repeat(width.saturating_sub(text::width(&name)) + 2);
        writeln!(out, "  {name}{gap}{}", plain(state_of(container)))?;
    }
    Ok(())
}

/// The state of a container: `does not run: …`, `whole`, or what its last reading lacks.
fn state_of(container: &Container) -> &str {
    let runs = container
        .state
        .as_ref()
        .is_some_and(|state| state.state == "Running");
    match (&*container.message, &*container.lack) {
        ("", _) if container.whole => "whole",
        ("", "") if runs => "runs",
        ("", "") => "its kubelet has not reported it yet",
        ("", lack) => lack,
        (message, _) => message,
    }
}

fn name(step: StepName) -> &'static str {
    match step {
        StepName::Known => "known",
        StepName::Running => "running",
        StepName::Node => "node",
        StepName::Ready => "ready",
        StepName::Scraped => "scraped",
        StepName::Pages => "pages",
        StepName::Reported => "reported",
        StepName::Whole => "whole",
        StepName::Fresh => "fresh",
        StepName::Enabled => "enabled",
        StepName::Selected => "selected",
        StepName::Kept => "kept",
        StepName::Family => "family",
        StepName::Series => "series",
        StepName::Value => "value",
        StepName::Other => "…",
    }
}

/// Replaces control characters in text from a server.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_aligned_and_end_with_the_hint() {
        let json = r#"{"kind":"PodMetricsWhy","apiVersion":"metrics.k8s.io/v1","metadata":{"name":"web","namespace":"shop"},
            "available":false,"reason":"zero_cpu","verdict":"Container a is idle.","hint":"wait",
            "steps":[{"name":"known","state":"ok","message":"the API server has it"},
                {"name":"scraped","state":"warning","message":"late"},
                {"name":"whole","state":"failed","message":"idle\u001b[31m"}],
            "containers":[{"name":"a","whole":false,"lack":"zero_cpu","message":"it is idle"},
                {"name":"sidecar","whole":true},{"name":"日志","whole":false,"state":{"state":"Running"}}]}"#;
        let mut out = Vec::new();
        print(
            "pod shop/web",
            &serde_json::from_str(json).unwrap(),
            &mut out,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "pod shop/web\n\n  \
               known     ok   the API server has it\n  \
               scraped   but  late\n  \
               whole     NO   idle\u{fffd}[31m\n\n\
             containers:\n  \
               a        it is idle\n  \
               sidecar  whole\n  \
               日志     runs\n\n\
             Container a is idle.\n\
             What to do: wait.\n"
        );
    }
}
