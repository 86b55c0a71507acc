//! Formats errors with their causes.

use std::error::Error;

use kube::runtime::watcher;

/// The longest text of one error, in bytes: some contain a response, which may be a page of HTML.
const MAX_QUOTE: usize = 300;

/// Formats an error and its causes in one line, without repetition. Only the first line of each text is used, because
/// some errors, such as those of YAML's parser, draw a picture below it. The type names that kube's client adds, and
/// the structure of a `Status`, are left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = own_text(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let text_of_cause = own_text(error);
        // Many errors print their cause themselves.
        if !text.contains(&text_of_cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&text_of_cause);
        }
        cause = error.source();
    }
    text
}

/// The text of an error; empty if the error only repeats its cause.
fn own_text(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref::<kube::Error>() {
        Some(kube::Error::Api(status)) if status.message.is_empty() => {
            return format!("{} {}", status.code, status.reason)
                .trim_end()
                .to_owned();
        }
        Some(kube::Error::Api(status)) => return first_line(&status.message),
        Some(kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::Auth(_)) => {
            return String::new();
        }
        _ => {}
    }
    if let Some(watcher::Error::NoResourceVersion) = error.downcast_ref() {
        return "the response has no resourceVersion".to_owned();
    }
    // The error above has printed this text.
    let status = error.is::<kube::core::Status>() || error.is::<Box<kube::core::Status>>();
    if status || error.is::<watcher::Error>() {
        return String::new();
    }
    let text = first_line(&error.to_string());
    // hyper's client names the step that failed; the cause says what happened.
    if text.starts_with("client error (") && error.source().is_some() {
        return String::new();
    }
    text
}

/// The first line of a text, cut where it is long.
pub(crate) fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim_end();
    let cut = line.floor_char_boundary(MAX_QUOTE);
    match line.split_at(cut) {
        (whole, "") => whole.to_owned(),
        (beginning, _) => format!("{beginning}…"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the token")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_their_error_on_one_line() {
        assert_eq!(
            chain(&Outer(io::Error::other("disk on fire"))),
            "cannot read the token: disk on fire"
        );
    }

    #[test]
    fn a_status_message_needs_no_context() {
        let status = |message: &str| {
            let status = serde_json::json!({"status": "Failure", "message": message, "reason": "Forbidden", "code": 403});
            kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
        };
        let message = "pods is forbidden: no such role";
        assert_eq!(chain(&status(message)), message);
        assert_eq!(
            chain(&watcher::Error::InitialListFailed(status(message))),
            message
        );
        assert_eq!(
            chain(&watcher::Error::WatchFailed(status(""))),
            "403 Forbidden"
        );
        let page = format!("<html>{}", "x".repeat(5000));
        assert!(chain(&status(&page)).len() < 320);
    }

    #[test]
    fn the_layers_of_a_client_are_left_out() {
        let refused = || Box::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(
            chain(&kube::Error::Service(refused())),
            "connection refused"
        );
    }
}
