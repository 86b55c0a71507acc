//! Why something cannot be had, in the few words that a row has room for.

use super::Error;

/// The first line of an error.
pub(super) fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

/// An error in a line; of what is forbidden what that is.
pub(super) fn explained(error: &Error) -> String {
    let forbidden = match error {
        Error::Server(failure) => may_not(&failure.message),
        _ => None,
    };
    forbidden.unwrap_or_else(|| first_line(&error.to_string()))
}

/// Whether it is a right that is missing.
pub(super) fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::Server(failure) if failure.code == 403)
}

/// What may not be done, by Kubernetes' words for it: `you may not list pods in shop`, of `pods is forbidden: User "jane"
/// cannot list resource "pods" in API group "" in the namespace "shop"`.
pub(super) fn may_not(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once("\" in API group \"")?;
    let (group, rest) = rest.split_once('"')?;
    let namespace = rest
        .strip_prefix(" in the namespace \"")
        .and_then(|rest| rest.split('"').next());
    let mut text = format!("you may not {verb} {resource}");
    if !group.is_empty() {
        text.push_str(&format!(".{group}"));
    }
    if let Some(namespace) = namespace {
        text.push_str(&format!(" in {namespace}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_is_said_in_a_few_words() {
        for (message, text) in [
            (
                r#"pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop""#,
                Some("you may not list pods in shop"),
            ),
            (
                r#"nodevitals.kubevitals.io is forbidden: User "jane" cannot watch resource "nodevitals" in API group "kubevitals.io" at the cluster scope: RBAC: …"#,
                Some("you may not watch nodevitals.kubevitals.io"),
            ),
            ("forbidden: no reason", None),
        ] {
            assert_eq!(may_not(message).as_deref(), text);
        }
    }
}
