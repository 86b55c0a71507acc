//! `why`: the steps from the API server to the metrics of a pod or node, and the one that fails.

use std::io::Write;

use kubevitals_proto::metrics::Version;
use kubevitals_proto::why::{State, StepName, Why};

use super::{Error, Streams};
use crate::cli::{Connection, Output, WhyArgs, WhySubject};
use crate::source::kubeconfig::Settings;
use crate::source::{self, ApiClient, Failure, MetricsApi, Terminal, WhyResponse, is_not_ours};

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
    let client = ApiClient::new(settings.target(&Terminal::default())?)?;
    let api = MetricsApi::new(client, false);
    let Some(version) = api.version().await? else {
        return Err(Error::Failed(
            "Metrics API not available: no server of metrics.k8s.io answers in this cluster; \
             check with: kubectl get apiservices v1beta1.metrics.k8s.io"
                .to_owned(),
        ));
    };
    match api.why(version, subject.namespace, subject.name).await {
        Ok(response) => {
            match args.output {
                Some(Output::Json) => json(&response, streams.out)?,
                None => print(&subject.to_string(), &response.why, streams.out)?,
            }
            subject.check_exists(&response.why)
        }
        Err(error) if is_not_ours(&error) => {
            subject.request_other_server(&api, version, streams).await
        }
        Err(error) => Err(subject.explain(error)),
    }
}

impl WhySubject<'_> {
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

    /// Requests the metrics from a server other than vitals-server: it can only say whether there are any.
    async fn request_other_server(
        &self,
        api: &MetricsApi,
        version: Version,
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        let found = match self.namespace {
            Some(namespace) => api.pod(version, namespace, self.name).await.map(|_| ()),
            None => api.node(version, self.name).await.map(|_| ()),
        };
        match found {
            Ok(()) => Ok(writeln!(
                streams.out,
                "{self} has metrics. This cluster's metrics server is not vitals-server, so there are no details."
            )?),
            Err(error) if is_not_ours(&error) => Err(Error::Failed(format!(
                "{self} has no metrics, and this cluster's metrics server, which is not vitals-server, cannot report why; \
                 it returned: {error}"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the missing permission to a denial.
    fn explain(&self, error: source::Error) -> Error {
        let source::Error::Server(Failure { code: 403, .. }) = &error else {
            return error.into();
        };
        let (resource, namespace) = match self.namespace {
            Some(namespace) => ("pods/why", format!(", in namespace {namespace}")),
            None => ("nodes/why", String::new()),
        };
        Error::Refused(format!(
            "{error}\nyou need permission to get {resource} of API group metrics.k8s.io{namespace}"
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
    if !why.containers.is_empty() {
        let names = why.containers.iter().map(|container| container.name.len());
        let width = names.max().unwrap_or_default() + 2;
        writeln!(out, "\ncontainers in the kubelet's last answer:")?;
        for container in &why.containers {
            let state = match (container.whole, container.message.as_str()) {
                (true, _) => "whole",
                (false, "") => &container.lack,
                (false, message) => message,
            };
            let (name, state) = (plain(&container.name), plain(state));
            writeln!(out, "  {name:<width$}{state}")?;
        }
    }
    writeln!(out, "\n{}", plain(&why.verdict))?;
    if !why.hint.is_empty() {
        writeln!(out, "What to do: {}.", plain(&why.hint))?;
    }
    Ok(())
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
                {"name":"sidecar","whole":true}]}"#;
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
             containers in the kubelet's last answer:\n  \
               a        it is idle\n  \
               sidecar  whole\n\n\
             Container a is idle.\n\
             What to do: wait.\n"
        );
    }
}
