//! The sign, the colour and the words of each state of the map. A sign alone tells the state, so the map needs no colour.

use crate::model::map::Mark;
use crate::model::{Thresholds, format};
use crate::view::theme::{Ink, Theme};

/// The sign of a state: squares and triangles for pods that run, letters for all others, capitals for the worst.
pub(in crate::view) const fn sign(mark: Mark, theme: &Theme) -> &'static str {
    let (unicode, ascii) = match mark {
        Mark::Finished => ("□", "-"),
        Mark::Well => ("■", "o"),
        Mark::Restarted => ("r", "r"),
        Mark::Terminating => ("t", "t"),
        Mark::Cordoned => ("c", "c"),
        Mark::Starting => ("s", "s"),
        Mark::NearLimit => ("▲", "^"),
        Mark::Pending => ("p", "p"),
        Mark::NotReady => ("n", "n"),
        Mark::Unknown => ("?", "?"),
        Mark::Pressure => ("u", "u"),
        Mark::AtLimit => ("!", "!"),
        Mark::Failing => ("F", "F"),
        Mark::Broken => ("X", "X"),
        Mark::Down => ("D", "D"),
    };
    if theme.is_ascii() { ascii } else { unicode }
}

/// The sign of a pod that does not match the filter.
pub(super) const fn dimmed(theme: &Theme) -> &'static str {
    if theme.is_ascii() { "." } else { "·" }
}

/// The colour of a state.
pub(in crate::view) fn ink(mark: Mark) -> Ink {
    match mark {
        Mark::Well => Ink::Good,
        mark => mark.tone().into(),
    }
}

/// The words of a state, in the legend and in the help.
pub(in crate::view) fn words(mark: Mark, thresholds: Thresholds) -> String {
    let over = |part| format!("over {}", format::percent(part));
    match mark {
        Mark::Finished => "finished",
        Mark::Well => "ok",
        Mark::Restarted => "restarted",
        Mark::Terminating => "terminating",
        Mark::Cordoned => "cordoned",
        Mark::Starting => "starting",
        Mark::NearLimit => return over(thresholds.warn),
        Mark::Pending => "not scheduled",
        Mark::NotReady => "not ready",
        Mark::Unknown => "unknown",
        Mark::Pressure => "pressure",
        Mark::AtLimit => return over(thresholds.bad),
        Mark::Failing => "failing probe",
        Mark::Broken => "failed",
        Mark::Down => "node not ready",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;
    use crate::view::theme::{Depth, Ground};
    use std::collections::HashSet;

    #[test]
    fn each_state_has_a_sign_of_its_own() {
        for ascii in [false, true] {
            let theme = Theme::new(Depth::None, Ground::Dark, ascii);
            let signs = Mark::ALL.map(|mark| sign(mark, &theme));
            let signs: HashSet<&str> = signs.into_iter().chain([dimmed(&theme)]).collect();
            assert_eq!(signs.len(), Mark::ALL.len() + 1);
            assert!(signs.iter().all(|sign| width(sign) == 1));
            assert!(!ascii || signs.iter().all(|sign| sign.is_ascii()));
        }
        let words = Mark::ALL.map(|mark| words(mark, Thresholds::default()));
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
    }
}
