//! What the server says of itself: logs that a person can read at three in the morning.

mod allocator;
mod histogram;
mod logs;
mod process;
mod quiet;

pub use allocator::{Allocator, AskAllocator};
pub use histogram::{Buckets, Histogram};
pub use logs::{LogFormat, init};
pub use process::Process;
pub use quiet::{Budget, Quiet};

/// An error and its causes in one line, each said once. Of a cause that draws a picture below its first line,
/// as YAML's parser does, the first line is taken.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = first_line(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = first_line(error);
        // Many errors print their cause themselves.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

fn first_line(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    text.trim().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the token")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_their_error_on_one_line() {
        assert_eq!(
            super::chain(&Outer(io::Error::other("disk on fire"))),
            "cannot read the token: disk on fire"
        );
    }
}
