//! Colours and signs: one restrained palette, in as many colours as the terminal has, down to none.
//!
//! Views ask for a [`Ink`], never for a colour. Nothing is told by an ink alone: a number that is too high has a mark, a selection a
//! pointer, a gap a blank, so that the screen says the same in one colour and in plain ASCII.

use ratatui::style::{Color, Modifier, Style};

use crate::model::{Resource, Tone};

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: bold, underlined and reversed text remain.
    None,
    /// The terminal's own sixteen, which its user chose.
    #[default]
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

/// What lies under the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

/// What a piece of text is, from which follows how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What is to be read.
    Plain,
    /// Units, ages, what stands beside.
    Muted,
    /// Rules and grids, what is hardly to be seen.
    Faint,
    /// Headings of columns, names of panes.
    Heading,
    /// Names, keys: what leads on.
    Accent,
    /// As it should be.
    Good,
    /// Near a limit; soon to be looked at.
    Warn,
    /// Over it, failed, killed.
    Bad,
    /// CPU in a chart.
    Cpu,
    /// Memory in a chart.
    Memory,
    /// The line of a request.
    Request,
    /// The line of a limit.
    Limit,
    /// Old data, shown for want of new.
    Stale,
    /// The row under the cursor.
    Selected,
    /// The bar of a mode: paused, a time in the past, an input.
    Bar,
}

impl From<Resource> for Ink {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::Cpu => Self::Cpu,
            Resource::Memory => Self::Memory,
        }
    }
}

impl From<Tone> for Ink {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Dim => Self::Muted,
            Tone::Plain => Self::Plain,
            Tone::Good => Self::Good,
            Tone::Warn => Self::Warn,
            Tone::Bad => Self::Bad,
        }
    }
}

/// What stands behind a number of this tone, so that no colour is needed to see it.
pub const fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Dim | Tone::Plain | Tone::Good => "",
        Tone::Warn => "!",
        Tone::Bad => "!!",
    }
}

/// Signs that a view is drawn with. Each takes one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Where text was cut.
    pub ellipsis: &'static str,
    /// Before the row under the cursor.
    pub pointer: &'static str,
    /// Sorted with the smallest first.
    pub rising: &'static str,
    /// Sorted with the largest first.
    pub falling: &'static str,
    /// A restart in a chart.
    pub restart: &'static str,
    /// The moment that is shown.
    pub moment: &'static str,
    /// A horizontal line in a chart.
    pub line: &'static str,
    /// A horizontal rule.
    pub rule: &'static str,
    /// A vertical rule.
    pub bar: &'static str,
    /// The corners of a box, those above first.
    pub corners: [&'static str; 4],
    /// Between things on a line.
    pub dot: &'static str,
    /// From one to another: `500m → 1`.
    pub arrow: &'static str,
    /// Eight heights, the lowest of which says zero.
    pub heights: [&'static str; 8],
    /// A full and an empty part of a gauge.
    pub gauge: [&'static str; 2],
    /// Steps of something that is waited for.
    pub spinner: &'static [&'static str],
    /// Whether charts may use braille dots.
    pub braille: bool,
}

/// With Unicode.
const UNICODE: Signs = Signs {
    ellipsis: "…",
    pointer: "▌",
    rising: "▲",
    falling: "▼",
    restart: "▼",
    moment: "│",
    line: "╌",
    rule: "─",
    bar: "│",
    corners: ["┌", "┐", "└", "┘"],
    dot: "·",
    arrow: "→",
    heights: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    gauge: ["━", "─"],
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    braille: true,
};

/// Without.
const ASCII: Signs = Signs {
    ellipsis: "~",
    pointer: ">",
    rising: "^",
    falling: "v",
    restart: "X",
    moment: "|",
    line: "-",
    rule: "-",
    bar: "|",
    corners: ["+", "+", "+", "+"],
    dot: "-",
    arrow: ">",
    heights: ["_", ".", ":", "-", "=", "+", "*", "#"],
    gauge: ["#", "."],
    spinner: &["|", "/", "-", "\\"],
    braille: false,
};

/// How everything looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// How many colours.
    pub depth: Depth,
    /// On which ground.
    pub ground: Ground,
    /// With which signs.
    pub signs: Signs,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Depth::default(), Ground::default(), false)
    }
}

impl Theme {
    /// A theme of these.
    pub const fn new(depth: Depth, ground: Ground, ascii: bool) -> Self {
        Self {
            depth,
            ground,
            signs: if ascii { ASCII } else { UNICODE },
        }
    }

    /// What the environment says that the terminal can do, by `NO_COLOR`, `COLORTERM`, `TERM`, `STY`, `TMUX`,
    /// `COLORFGBG` and the locale.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let ground = ground(env("COLORFGBG").as_deref());
        Self::new(depth(&env), ground, !unicode(&env))
    }

    /// Whether only ASCII is drawn.
    pub const fn is_ascii(&self) -> bool {
        !self.signs.braille
    }

    /// How an ink looks.
    pub fn style(&self, ink: Ink) -> Style {
        let style = match self.depth {
            Depth::None => Style::new(),
            depth => color(ink, depth, self.ground).map_or(Style::new(), |c| Style::new().fg(c)),
        };
        match ink {
            Ink::Heading | Ink::Bad => style.add_modifier(Modifier::BOLD),
            Ink::Selected | Ink::Bar => self.raised(ink),
            // Without colour, dim is all that is left to set things back.
            Ink::Muted | Ink::Faint | Ink::Stale if self.depth == Depth::None => {
                style.add_modifier(Modifier::DIM)
            }
            Ink::Stale => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }

    /// Another ground, where the terminal has the colours for it; else reversed.
    fn raised(&self, ink: Ink) -> Style {
        let under = match (self.depth, self.ground, ink) {
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

/// The colour of an ink; nothing for the terminal's own.
fn color(ink: Ink, depth: Depth, ground: Ground) -> Option<Color> {
    // On dark as 24 bits, of 256, of 16; then the same on light.
    let (dark, light) = match ink {
        Ink::Plain | Ink::Heading | Ink::Selected | Ink::Bar => return None,
        Ink::Muted | Ink::Stale => (
            (0x9a_a5_b1, 247, Color::Gray),
            (0x5b_65_70, 241, Color::DarkGray),
        ),
        Ink::Faint => (
            (0x4b_55_63, 240, Color::DarkGray),
            (0xb4_bc_c6, 250, Color::Gray),
        ),
        Ink::Accent => (
            (0x7d_b4_ff, 111, Color::Cyan),
            (0x1f_5f_bf, 25, Color::Blue),
        ),
        Ink::Good => (
            (0x7f_c9_8f, 114, Color::Green),
            (0x1f_7a_3d, 28, Color::Green),
        ),
        Ink::Warn => (
            (0xe5_b5_5c, 179, Color::Yellow),
            (0x9a_64_00, 94, Color::Yellow),
        ),
        Ink::Bad => ((0xf0_71_78, 203, Color::Red), (0xb4_23_2c, 124, Color::Red)),
        Ink::Cpu => ((0x6c_b6_d9, 74, Color::Cyan), (0x1b_6f_93, 24, Color::Cyan)),
        Ink::Memory => (
            (0xb3_9d_e8, 140, Color::Magenta),
            (0x6a_46_b0, 61, Color::Magenta),
        ),
        Ink::Request => (
            (0x8a_a0_8f, 108, Color::Green),
            (0x4c_7a_58, 65, Color::Green),
        ),
        Ink::Limit => ((0xd9_82_6b, 173, Color::Red), (0xa8_44_2a, 130, Color::Red)),
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

/// <https://no-color.org>; `COLORTERM` as terminals set it; else what the terminal's name says.
fn depth(env: &impl Fn(&str) -> Option<String>) -> Depth {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    if set("NO_COLOR").is_some() || term == "dumb" {
        return Depth::None;
    }
    // GNU screen reads 24-bit colours as other attributes, whatever the terminal around it can do.
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

/// `COLORFGBG` is `text;ground`, each one of the sixteen colours.
fn ground(colorfgbg: Option<&str>) -> Ground {
    let under = colorfgbg.and_then(|pair| pair.rsplit(';').next()?.parse::<u8>().ok());
    match under {
        Some(7 | 9..=15) => Ground::Light,
        _ => Ground::Dark,
    }
}

/// Whether the locale is UTF-8. The Linux console is, but its font has no braille.
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

    const INKS: [Ink; 15] = [
        Ink::Plain,
        Ink::Muted,
        Ink::Faint,
        Ink::Heading,
        Ink::Accent,
        Ink::Good,
        Ink::Warn,
        Ink::Bad,
        Ink::Cpu,
        Ink::Memory,
        Ink::Request,
        Ink::Limit,
        Ink::Stale,
        Ink::Selected,
        Ink::Bar,
    ];

    fn detected(pairs: &[(&str, &str)]) -> Theme {
        Theme::detect(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_how_many_colours() {
        for (pairs, expected) in [
            (&[][..], Depth::Sixteen),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "xterm-256color")], Depth::Indexed),
            (&[("TERM", "xterm-direct")], Depth::True),
            // GNU screen, with what it inherited from the terminal around it.
            (
                &[("TERM", "screen-256color"), ("COLORTERM", "truecolor")],
                Depth::Indexed,
            ),
            (
                &[("TERM", "screen.xterm-256color"), ("COLORTERM", "24bit")],
                Depth::Indexed,
            ),
            (
                &[
                    ("TERM", "xterm-256color"),
                    ("COLORTERM", "truecolor"),
                    ("STY", "1.pts-0.host"),
                ],
                Depth::Indexed,
            ),
            // screen in tmux, and tmux in screen.
            (
                &[("TERM", "screen"), ("TMUX", "/tmp/t,1,0"), ("STY", "1.x")],
                Depth::Indexed,
            ),
            (&[("TERM", "screen")], Depth::Indexed),
            // tmux passes 24 bits on.
            (
                &[
                    ("TERM", "screen-256color"),
                    ("COLORTERM", "truecolor"),
                    ("TMUX", "/tmp/t,1,0"),
                ],
                Depth::True,
            ),
            (
                &[("TERM", "screen-256color"), ("NO_COLOR", "1")],
                Depth::None,
            ),
            (
                &[("COLORTERM", "truecolor"), ("NO_COLOR", "1")],
                Depth::None,
            ),
            // An empty NO_COLOR is none.
            (&[("COLORTERM", "24bit"), ("NO_COLOR", "")], Depth::True),
            (&[("TERM", "dumb")], Depth::None),
        ] {
            assert_eq!(detected(pairs).depth, expected, "{pairs:?}");
        }
    }

    #[test]
    fn the_environment_says_which_signs_and_ground() {
        for (pairs, ascii) in [
            (&[][..], true),
            (&[("LANG", "C")], true),
            (&[("LANG", "de_DE.UTF-8")], false),
            (&[("LANG", "en_US.utf8"), ("LC_ALL", "C")], true),
            (&[("LANG", "C"), ("LC_ALL", "C.UTF-8")], false),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux")], true),
        ] {
            assert_eq!(detected(pairs).is_ascii(), ascii, "{pairs:?}");
        }
        for (pair, expected) in [
            ("15;0", Ground::Dark),
            ("0;15", Ground::Light),
            ("0;default;15", Ground::Light),
            ("12;8", Ground::Dark),
            ("x", Ground::Dark),
        ] {
            assert_eq!(detected(&[("COLORFGBG", pair)]).ground, expected, "{pair}");
        }
    }

    #[test]
    fn no_colour_means_none() {
        let plain = Theme::new(Depth::None, Ground::Dark, false);
        for ink in INKS {
            let style = plain.style(ink);
            assert_eq!(
                (style.fg, style.bg),
                (None, None),
                "{ink:?} has a colour where there is none"
            );
        }
    }

    #[test]
    fn what_is_grave_is_told_without_colour() {
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
                signs.moment,
                signs.line,
                signs.rule,
                signs.bar,
                signs.dot,
                signs.arrow,
            ];
            let all = single
                .iter()
                .chain(&signs.heights)
                .chain(&signs.gauge)
                .chain(signs.spinner);
            for sign in all {
                assert_eq!(width(sign), 1, "{sign}");
                assert!(signs.braille || sign.is_ascii(), "{sign}");
            }
        }
    }
}
