//! Colours and signs: one palette, for terminals with 24-bit colours down to none.
//!
//! Views use an [`Ink`], never a colour. No information depends on colour alone: a number above a threshold has a mark,
//! the selected row has a pointer, a gap is blank. So the screen is complete without colours and in plain ASCII.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

pub use super::ink::{Depth, Ground, Ink};
use super::palette::Palette;
use crate::model::Tone;

/// Returns the mark after a number of this tone, which needs no colour.
pub const fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Dim | Tone::Plain => "",
        Tone::Warn => "!",
        Tone::Bad => "!!",
    }
}

/// The signs of the views. Each takes one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// The end of shortened text.
    pub ellipsis: &'static str,
    /// The mark of the row under the cursor.
    pub pointer: &'static str,
    /// Sorted with the smallest first.
    pub rising: &'static str,
    /// Sorted with the largest first.
    pub falling: &'static str,
    /// A restart in a chart.
    pub restart: &'static str,
    /// The first pod of a new version in a chart.
    pub rollout: &'static str,
    /// A change of the desired replicas in a chart.
    pub replicas: &'static str,
    /// Beside the first number of a chart that does not begin at zero.
    pub broken: &'static str,
    /// The grid of a chart.
    pub grid: &'static str,
    /// The displayed time in a chart.
    pub cursor: &'static str,
    /// The seam between the history of an engine and that in memory.
    pub seam: &'static str,
    /// A horizontal line in a chart.
    pub line: &'static str,
    /// A horizontal rule.
    pub rule: &'static str,
    /// A vertical rule.
    pub bar: &'static str,
    /// The corners of a box, those above first.
    pub corners: [&'static str; 4],
    /// All is well.
    pub tick: &'static str,
    /// The separator on a line.
    pub dot: &'static str,
    /// Eight heights; the lowest means zero.
    pub heights: [&'static str; 8],
    /// The full and the empty part of a gauge.
    pub gauge: [&'static str; 2],
    /// Whether charts may use braille dots.
    pub braille: bool,
}

/// The signs in Unicode.
const UNICODE: Signs = Signs {
    ellipsis: "…",
    pointer: "▌",
    rising: "▲",
    falling: "▼",
    restart: "▼",
    rollout: "◆",
    replicas: "±",
    broken: "≈",
    grid: "·",
    cursor: "│",
    seam: "┊",
    line: "╌",
    rule: "─",
    bar: "│",
    corners: ["┌", "┐", "└", "┘"],
    tick: "✓",
    dot: "·",
    heights: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    gauge: ["━", "─"],
    braille: true,
};

/// The signs in ASCII.
const ASCII: Signs = Signs {
    ellipsis: "~",
    pointer: ">",
    rising: "^",
    falling: "v",
    restart: "X",
    rollout: "R",
    replicas: "S",
    broken: "~",
    grid: "+",
    cursor: "|",
    seam: ":",
    line: "-",
    rule: "-",
    bar: "|",
    corners: ["+", "+", "+", "+"],
    tick: "+",
    dot: "-",
    heights: ["_", ".", ":", "-", "=", "+", "*", "#"],
    gauge: ["#", "."],
    braille: false,
};

/// The appearance of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The number of colours.
    pub depth: Depth,
    /// The background.
    pub ground: Ground,
    /// The signs.
    pub signs: Signs,
    /// Colours in place of the usual ones, as the terminal can show them.
    palette: Palette,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Depth::default(), Ground::default(), false)
    }
}

impl Theme {
    /// Creates a theme.
    pub const fn new(depth: Depth, ground: Ground, ascii: bool) -> Self {
        Self {
            depth,
            ground,
            signs: if ascii { ASCII } else { UNICODE },
            palette: Palette::NONE,
        }
    }

    /// Replaces colours by those of a palette, or by the nearest ones that the terminal has.
    #[must_use]
    pub fn with(self, palette: &Palette) -> Self {
        Self {
            ground: palette.ground.unwrap_or(self.ground),
            palette: palette.at(self.depth),
            ..self
        }
    }

    /// Detects the abilities of the terminal, from `NO_COLOR`, `COLORTERM`, `TERM`, `STY`, `TMUX`, `COLORFGBG` and the
    /// locale.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let ground = ground(env("COLORFGBG").as_deref());
        Self::new(depth(&env), ground, !unicode(&env))
    }

    /// Whether the screen is drawn in ASCII.
    pub const fn is_ascii(&self) -> bool {
        !self.signs.braille
    }

    /// Returns the style of an ink.
    pub fn style(&self, ink: Ink) -> Style {
        let style = match self.depth {
            Depth::None => Style::new(),
            depth => {
                let own = self.palette.ink(ink).filter(|_| !ink.is_background());
                let color = own.or_else(|| color(ink, depth, self.ground));
                color.map_or(Style::new(), |color| Style::new().fg(color))
            }
        };
        match ink {
            Ink::Heading | Ink::Bad => style.add_modifier(Modifier::BOLD),
            Ink::Selected | Ink::Bar => self.raised(ink),
            // Without colours, dim is the only way to de-emphasize.
            Ink::Muted | Ink::Faint | Ink::Stale if self.depth == Depth::None => {
                style.add_modifier(Modifier::DIM)
            }
            Ink::Stale => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }

    /// Gives cells without a colour of their own the background and the text colour of the palette, if it has them.
    pub(super) fn paint(&self, buffer: &mut Buffer) {
        let (under, text) = (self.palette.background, self.palette.ink(Ink::Plain));
        if under.is_none() && text.is_none() {
            return;
        }
        for cell in &mut buffer.content {
            if let Some(under) = under.filter(|_| cell.bg == Color::Reset) {
                cell.bg = under;
            }
            if let Some(text) = text.filter(|_| cell.fg == Color::Reset) {
                cell.fg = text;
            }
        }
    }

    /// Returns another background, or reversed text if the terminal has too few colours.
    fn raised(&self, ink: Ink) -> Style {
        let under = match (self.depth, self.ground, ink) {
            (Depth::True | Depth::Indexed, ..) if self.palette.ink(ink).is_some() => {
                self.palette.ink(ink).unwrap_or_default()
            }
            (Depth::True, Ground::Dark, Ink::Selected) => Color::Rgb(0x2d, 0x37, 0x48),
            (Depth::True, Ground::Dark, _) => Color::Rgb(0x3a, 0x32, 0x1c),
            (Depth::True, Ground::Light, Ink::Selected) => Color::Rgb(0xdb, 0xe6, 0xf4),
            (Depth::True, Ground::Light, _) => Color::Rgb(0xf5, 0xe9, 0xc8),
            (Depth::Indexed, Ground::Dark, Ink::Selected) => Color::Indexed(237),
            (Depth::Indexed, Ground::Dark, _) => Color::Indexed(58),
            (Depth::Indexed, Ground::Light, Ink::Selected) => Color::Indexed(189),
            (Depth::Indexed, Ground::Light, _) => Color::Indexed(230),
            _ => return Style::new().add_modifier(Modifier::REVERSED),
        };
        Style::new().bg(under).add_modifier(Modifier::BOLD)
    }
}

/// Returns the colour of an ink. `None` is the terminal's default.
fn color(ink: Ink, depth: Depth, ground: Ground) -> Option<Color> {
    use Color::{Blue, Cyan, DarkGray, Gray, Green, Magenta, Red, Yellow};
    // 24-bit, 256-colour and 16-colour values on a dark background, then the same on a light one.
    let (dark, light) = match ink {
        Ink::Plain | Ink::Heading | Ink::Selected | Ink::Bar => return None,
        Ink::Muted | Ink::Stale => ((0x9a_a5_b1, 247, Gray), (0x5b_65_70, 241, DarkGray)),
        Ink::Faint => ((0x4b_55_63, 240, DarkGray), (0xb4_bc_c6, 250, Gray)),
        Ink::Accent => ((0x7d_b4_ff, 111, Cyan), (0x1f_5f_bf, 25, Blue)),
        Ink::Good => ((0x7f_c9_8f, 114, Green), (0x1f_7a_3d, 28, Green)),
        Ink::Warn => ((0xe5_b5_5c, 179, Yellow), (0x9a_64_00, 94, Yellow)),
        Ink::Bad => ((0xf0_71_78, 203, Red), (0xb4_23_2c, 124, Red)),
        Ink::Cpu => ((0x6c_b6_d9, 74, Cyan), (0x1b_6f_93, 24, Cyan)),
        Ink::Memory => ((0xb3_9d_e8, 140, Magenta), (0x6a_46_b0, 61, Magenta)),
        Ink::Request => ((0x8a_a0_8f, 108, Green), (0x4c_7a_58, 65, Green)),
        Ink::Limit => ((0xd9_82_6b, 173, Red), (0xa8_44_2a, 130, Red)),
    };
    let (rgb, index, named): (u32, u8, Color) = match ground {
        Ground::Dark => dark,
        Ground::Light => light,
    };
    Some(match depth {
        Depth::None => return None,
        Depth::Sixteen => named,
        Depth::Indexed => Color::Indexed(index),
        Depth::True => Color::from_u32(rgb),
    })
}

/// Detects the number of colours: <https://no-color.org>, then `COLORTERM`, then the name of the terminal.
fn depth(env: &impl Fn(&str) -> Option<String>) -> Depth {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    if set("NO_COLOR").is_some() || term == "dumb" {
        return Depth::None;
    }
    // GNU screen interprets 24-bit colours as other attributes, whatever the outer terminal supports.
    if set("STY").is_some() || (term.starts_with("screen") && set("TMUX").is_none()) {
        return Depth::Indexed;
    }
    let colorterm = set("COLORTERM").unwrap_or_default();
    if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

/// Parses `COLORFGBG`: `text;background`, each one of the sixteen colours.
fn ground(colorfgbg: Option<&str>) -> Ground {
    let under = colorfgbg.and_then(|pair| pair.rsplit(';').next()?.parse::<u8>().ok());
    match under {
        Some(7 | 9..=15) => Ground::Light,
        _ => Ground::Dark,
    }
}

/// Whether the locale is UTF-8. The Linux console is excluded: its font has no braille.
fn unicode(env: &impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    utf8 && env("TERM").as_deref() != Some("linux")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    /// The theme for these variables: `TERM=xterm LANG=C`.
    fn detected(variables: &str) -> Theme {
        Theme::detect(|name| {
            let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name);
            found.map(|(_, value)| value.to_owned())
        })
    }

    #[test]
    fn the_environment_selects_the_number_of_colours() {
        for (variables, expected) in [
            ("", Depth::Sixteen),
            ("TERM=xterm", Depth::Sixteen),
            ("TERM=xterm-256color", Depth::Indexed),
            ("TERM=xterm-direct", Depth::True),
            // GNU screen, with variables from the outer terminal.
            ("TERM=screen-256color COLORTERM=truecolor", Depth::Indexed),
            ("TERM=screen.xterm-256color COLORTERM=24bit", Depth::Indexed),
            (
                "TERM=xterm-256color COLORTERM=truecolor STY=1.pts-0.host",
                Depth::Indexed,
            ),
            // screen in tmux, and tmux in screen.
            ("TERM=screen TMUX=/tmp/t,1,0 STY=1.x", Depth::Indexed),
            ("TERM=screen", Depth::Indexed),
            // tmux passes 24-bit colours through.
            (
                "TERM=screen-256color COLORTERM=truecolor TMUX=/tmp/t,1,0",
                Depth::True,
            ),
            ("TERM=screen-256color NO_COLOR=1", Depth::None),
            ("COLORTERM=truecolor NO_COLOR=1", Depth::None),
            // An empty NO_COLOR is none.
            ("COLORTERM=24bit NO_COLOR=", Depth::True),
            ("TERM=dumb", Depth::None),
        ] {
            assert_eq!(detected(variables).depth, expected, "{variables}");
        }
    }

    #[test]
    fn the_environment_selects_characters_and_background() {
        for (variables, ascii) in [
            ("", true),
            ("LANG=C", true),
            ("LANG=de_DE.UTF-8", false),
            ("LANG=en_US.utf8 LC_ALL=C", true),
            ("LANG=C LC_ALL=C.UTF-8", false),
            ("LANG=en_US.UTF-8 TERM=linux", true),
        ] {
            assert_eq!(detected(variables).is_ascii(), ascii, "{variables}");
        }
        for (colours, expected) in [
            ("COLORFGBG=15;0", Ground::Dark),
            ("COLORFGBG=0;15", Ground::Light),
            ("COLORFGBG=0;default;15", Ground::Light),
            ("COLORFGBG=12;8", Ground::Dark),
            ("COLORFGBG=x", Ground::Dark),
        ] {
            assert_eq!(detected(colours).ground, expected, "{colours}");
        }
    }

    #[test]
    fn no_colour_means_none() {
        let plain = Theme::new(Depth::None, Ground::Dark, false);
        for (_, ink) in Ink::ALL {
            let style = plain.style(ink);
            assert_eq!(
                (style.fg, style.bg),
                (None, None),
                "{ink:?} has a colour where there is none"
            );
        }
    }

    #[test]
    fn severity_is_visible_without_colours() {
        let marks = [Tone::Plain, Tone::Warn, Tone::Bad].map(mark);
        assert_eq!(marks, ["", "!", "!!"]);
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            let theme = Theme::new(depth, Ground::Dark, false);
            assert_ne!(theme.style(Ink::Selected), theme.style(Ink::Plain));
            assert_ne!(theme.style(Ink::Bad), theme.style(Ink::Plain));
        }
    }

    #[test]
    fn each_sign_takes_one_cell_and_ascii_is_ascii() {
        for signs in [UNICODE, ASCII] {
            let single = [
                signs.ellipsis,
                signs.pointer,
                signs.rising,
                signs.falling,
                signs.restart,
                signs.cursor,
                signs.line,
                signs.rule,
                signs.bar,
                signs.dot,
            ];
            let all = single.iter().chain(&signs.heights).chain(&signs.gauge);
            for sign in all {
                assert_eq!(width(sign), 1, "{sign}");
                assert!(signs.braille || sign.is_ascii(), "{sign}");
            }
        }
    }
}
