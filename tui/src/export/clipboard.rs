//! Copies to the clipboard of the terminal's machine, also over ssh.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest text in bytes. Some terminals refuse longer ones; names are shorter.
const LONGEST: usize = 64 << 10;

/// Returns the escape sequence (OSC 52 of xterm) that copies `text`. `None` if the text is too long.
pub fn osc52(text: &str) -> Option<String> {
    (text.len() <= LONGEST).then(|| format!("\x1b]52;c;{}\x07", STANDARD.encode(text)))
}

#[cfg(test)]
mod tests {
    use super::osc52;

    #[test]
    fn text_is_sent_in_base64() {
        assert_eq!(osc52("web-1").as_deref(), Some("\x1b]52;c;d2ViLTE=\x07"));
        assert_eq!(osc52(&"a".repeat(100_000)), None);
    }
}
