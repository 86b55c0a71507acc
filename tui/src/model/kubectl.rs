//! Commands of kubectl that the terminal is handed over to.

use std::fmt;

use super::name::Name;
use super::object::Object;

/// A shell that most images have: bash if there is one, else sh.
const SHELL: &str = "command -v bash >/dev/null && exec bash || exec sh";

/// A command of kubectl. No name can be read as a flag: names of objects follow their kind, and values follow `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubectl {
    /// The arguments.
    pub args: Vec<String>,
}

impl Kubectl {
    /// The arguments that all commands have: the flags of the dashboard's own command line, the context and the namespace.
    fn new(flags: &[String], context: &str, namespace: &str) -> Self {
        let mut args = flags.to_vec();
        let mut set = |flag: &str, value: &str| {
            if !value.is_empty() {
                args.push(format!("--{flag}={value}"));
            }
        };
        set("context", context);
        set("namespace", namespace);
        Self { args }
    }

    /// Runs a shell in a container.
    #[must_use]
    pub fn shell(
        flags: &[String],
        context: &str,
        object: &Object,
        container: Option<&Name>,
    ) -> Self {
        let mut command = Self::new(flags, context, &object.namespace);
        command
            .args
            .extend(["exec", "--stdin", "--tty"].map(str::to_owned));
        if let Some(container) = container {
            command.args.push(format!("--container={container}"));
        }
        command.args.push(target(object));
        command
            .args
            .extend(["--", "sh", "-c", SHELL].map(str::to_owned));
        command
    }

    /// Forwards a port of this machine to an object.
    #[must_use]
    pub fn port_forward(flags: &[String], context: &str, object: &Object, ports: Ports) -> Self {
        let mut command = Self::new(flags, context, &object.namespace);
        let Ports { local, remote } = ports;
        let ports = format!("{local}:{remote}");
        command
            .args
            .extend(["port-forward".to_owned(), target(object), ports]);
        command
    }
}

/// `pod/web-1`.
fn target(object: &Object) -> String {
    format!("{}/{}", object.kind.name().to_lowercase(), object.name)
}

impl fmt::Display for Kubectl {
    /// As a person types it into a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kubectl")?;
        for arg in &self.args {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
            if !arg.is_empty() && arg.chars().all(is_plain) {
                write!(f, " {arg}")?;
            } else {
                write!(f, " '{}'", arg.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// A port of this machine, and the port of a container to which it is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    local: u16,
    remote: u16,
}

impl std::str::FromStr for Ports {
    type Err = String;

    /// `8080`, or `LOCAL:REMOTE`. A remark may follow after a blank.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("ports are like 8080 or 9000:8080, not {text:?}");
        let ports = text.split_whitespace().next().unwrap_or_default();
        let (local, remote) = ports.split_once(':').unwrap_or((ports, ports));
        let port = |text: &str| text.parse::<u16>().map_err(|_| wrong());
        let (local, remote) = (port(local)?, port(remote)?);
        if remote == 0 {
            return Err(wrong());
        }
        Ok(Self { local, remote })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::object::Kind;

    fn pod(name: &str) -> Object {
        Object {
            kind: Kind::Pod,
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    #[test]
    fn commands_name_the_cluster_and_quote_what_a_shell_would_read() {
        let flags = ["--kubeconfig=/home/a b/config".to_owned()];
        let shell = Kubectl::shell(&flags, "it's $HOME", &pod("web-1"), Some(&"app".into()));
        assert_eq!(
            shell.to_string(),
            r"kubectl '--kubeconfig=/home/a b/config' '--context=it'\''s $HOME' --namespace=shop exec --stdin --tty --container=app pod/web-1 -- sh -c 'command -v bash >/dev/null && exec bash || exec sh'"
        );
        let forward = Kubectl::port_forward(&[], "", &pod("web-1"), "9000:8080".parse().unwrap());
        assert_eq!(
            forward.to_string(),
            "kubectl --namespace=shop port-forward pod/web-1 9000:8080"
        );
    }

    #[test]
    fn no_name_is_a_flag() {
        let name = "--as=system:admin";
        let object = pod(name);
        for command in [
            Kubectl::shell(&[], name, &object, Some(&name.into())),
            Kubectl::port_forward(&[], name, &object, "1".parse().unwrap()),
        ] {
            let before = command.args.iter().take_while(|arg| *arg != "--");
            assert!(
                before.into_iter().all(|arg| !arg.starts_with("--as")),
                "{command}"
            );
        }
    }

    #[test]
    fn ports_are_one_or_two_numbers() {
        for (text, ports) in [
            ("8080", Some((8080, 8080))),
            ("9000:80 http", Some((9000, 80))),
            ("0:80", Some((0, 80))),
            ("80:0", None),
            ("http", None),
            ("70000", None),
            ("1:2:3", None),
            ("", None),
        ] {
            let parsed: Option<Ports> = text.parse().ok();
            assert_eq!(parsed.map(|it| (it.local, it.remote)), ports, "{text}");
        }
    }
}
