//! A first walk through the dashboard: the keys, and the screen after each.
//!
//! `scripts/pictures.sh` writes docs/walk.md from this test, which otherwise compares it. The wide screens are
//! snapshots.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kubevitals::export::export_view;
use kubevitals::model::ExportAs;
use kubevitals::view::theme::{Depth, Ground, Theme};

use crate::ask::{At, vitals};
use crate::picture::{draw, text};
use crate::pictures::WRITE;
use crate::running::Running;

/// The sizes of the screens in the document and in the snapshots.
const NARROW: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (140, 40);

/// The document, and the dashboard that it describes.
struct Walk {
    running: Running,
    page: String,
    step: usize,
}

/// The path of the broken kubeconfig.
struct Home(tempfile::TempDir);

impl At for Home {
    fn kubeconfig(&self) -> PathBuf {
        self.0.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }
}

impl Walk {
    fn heading(&mut self, heading: &str) {
        let _ = writeln!(self.page, "\n## {heading}\n");
    }

    /// Presses keys, separated by blanks, and adds the screen to the document.
    async fn press(&mut self, keys: &str, what: &str) {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self.running.press_key(key).await;
        }
        let pressed: Vec<String> = keys
            .split(' ')
            .filter(|key| !key.is_empty())
            .map(|key| format!("`{key}`"))
            .collect();
        self.see(&pressed.join(" "), what);
    }

    /// Types text into the open line.
    async fn write(&mut self, line: &str, what: &str) {
        for letter in line.chars() {
            let key = if letter == ' ' {
                "space".to_owned()
            } else {
                letter.to_string()
            };
            self.running.press_key(&key).await;
        }
        self.see(&format!("type `{line}`"), what);
    }

    /// Moves the cursor down to the row with this text.
    async fn select(&mut self, part: &str) {
        for _ in 0..20 {
            let screen_text = self.screen(WIDE);
            let mut rows = screen_text.lines();
            if rows.any(|row| row.starts_with('▌') && row.contains(part)) {
                return;
            }
            self.running.press_key("down").await;
        }
        panic!("no row with {part}:\n{}", self.screen(WIDE));
    }

    fn screen(&self, (columns, rows): (u16, u16)) -> String {
        let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
        text(&draw(&self.running.state, &theme, columns, rows))
    }

    fn see(&mut self, pressed: &str, what: &str) {
        self.step += 1;
        let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
        let screen = |(columns, rows)| text(&draw(&self.running.state, &theme, columns, rows));
        insta::assert_snapshot!(
            format!("walk-{:02}-{}x{}", self.step, WIDE.0, WIDE.1),
            screen(WIDE)
        );
        let pressed = if pressed.is_empty() {
            String::new()
        } else {
            format!("{pressed}: ")
        };
        let _ = writeln!(
            self.page,
            "{pressed}{what}\n\n```text\n{}```\n",
            screen(NARROW)
        );
    }
}

/// Returns the error of `vitals` for a kubeconfig, as in the document.
fn connect(page: &mut String, home: &Home, cluster: &str, what: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\n\
         clusters: [{{name: lab, cluster: {{{cluster}}}}}]\n\
         users: [{{name: me, user: {{token: t}}}}]\n\
         contexts: [{{name: lab, context: {{cluster: lab, user: me}}}}]\n"
    );
    std::fs::write(home.kubeconfig(), text).unwrap();
    let output = vitals(home, &["top", "nodes"]);
    assert_ne!(output.code, Some(0));
    let error = output
        .err
        .replace(&home.0.path().display().to_string(), "~");
    let _ = writeln!(
        page,
        "{what}\n\n```console\n$ vitals top nodes\n{error}```\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_finds_the_way() {
    let home = Home(tempfile::TempDir::new().unwrap());
    let mut page = String::from(
        "# A first walk\n\n\
         Every key, and the screen after it, at 80×24. The cluster is the recording of a real node \
         that the tests use. A test presses these keys and compares the screens.\n\n\
         ## A broken kubeconfig\n\n",
    );
    connect(
        &mut page,
        &home,
        "server: 'https://127.0.0.1:1', certificate-authority: ca.crt",
        "The kubeconfig names a CA file that does not exist:",
    );
    connect(
        &mut page,
        &home,
        "server: 'https://127.0.0.1:1'",
        "The file exists now, but nothing listens at the server's address:",
    );
    page.push_str(
        "The message names the address. With the right address in `server`, `vitals` connects.\n",
    );
    let mut running = Running::recorded().await;
    running.open().await;
    let mut walk = Walk {
        running,
        page,
        step: 0,
    };
    walk.heading("Find the problem");
    walk.press(
        "",
        "The overview opens: the verdict, the problems by severity, and what has changed.",
    )
    .await;
    walk.press("?", "All keys.").await;
    walk.running.press_key("esc").await;
    walk.heading("Find out why a pod was killed");
    walk.press("8", "The incidents.").await;
    walk.press("N", "Sorted by name, so that the rows keep their places.")
        .await;
    walk.select("leak").await;
    walk.see(
        "`down`",
        "`leak` was killed for its memory. Below the list you see since when, and the evidence.",
    );
    walk.press(
        "enter",
        "Its page at the moment of the last kill. The title says that this is a past time.",
    )
    .await;
    walk.heading("Go back in time, and return to now");
    walk.press(
        "left left left",
        "Before the kill: the usage of the pod at that time.",
    )
    .await;
    walk.press("end", "`end` returns to now.").await;
    walk.press("esc", "`esc` goes back to the incidents.").await;
    walk.heading("Correct a filter");
    walk.press("3 /", "The pods, and the line for the filter.")
        .await;
    walk.write(
        "mem>440",
        "The amount of memory has no unit; the line says so.",
    )
    .await;
    walk.write("Ki", "With a unit the filter is valid.").await;
    walk.press("enter", "Pods that use more than 440Ki.").await;
    walk.heading("Export, and quit");
    let mut csv = Vec::new();
    export_view(&walk.running.state, ExportAs::Csv, &mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let lines: Vec<&str> = csv.lines().take(3).collect();
    let _ = writeln!(
        walk.page,
        "`v` writes the rows to a file as CSV. The file starts like this:\n\n```text\n{}\n```\n",
        lines.join("\n")
    );
    walk.page.push_str("`q` quits.\n");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/walk.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &walk.page).unwrap();
    } else {
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == walk.page,
            "{} is no longer what is seen: look at it, and run scripts/pictures.sh",
            path.display()
        );
    }
    walk.running.stop().await;
}
