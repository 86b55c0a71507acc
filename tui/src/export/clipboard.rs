//! The clipboard of the terminal's own machine, also through ssh.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longer texts are refused by some terminals, and no name is.
const LONGEST: usize = 64 << 10;

/// What is written to the terminal to put `text` on the clipboard: OSC 52 of xterm. Nothing for what is too long.
pub fn osc52(text: &str) -> Option<String> {
    (text.len() <= LONGEST).then(|| format!("\x1b]52;c;{}\x07", STANDARD.encode(text)))
}

#[cfg(test)]
mod tests {
    use super::osc52;

    #[test]
    fn the_terminal_is_told_in_base64() {
        assert_eq!(osc52("web-1").as_deref(), Some("\x1b]52;c;d2ViLTE=\x07"));
        assert_eq!(osc52(&"a".repeat(100_000)), None);
    }
}
