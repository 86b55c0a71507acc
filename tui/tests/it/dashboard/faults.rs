//! A credential plugin with every fault that a plugin can have, below a dashboard in use.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubevitals_sim::identity::UserInfo;

use super::clusters::Lab;
use super::rows;
use crate::terminal::Terminal;

/// A text that every secret contains, and nothing else.
const SECRET: &str = "S3CR3T";

/// A text in everything that the plugin writes to a terminal or to its standard error to spoil the screen.
const NOISE: &str = "NOISE";

/// The start of a drawn screen.
const ENTER: &[u8] = b"\x1b[?1049h";

/// Longer than anything in these tests takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The behaviours of the plugin, one for each run. `$1` selects how long it hangs: until the file `go` exists, or some
/// seconds.
const SCRIPT: &str = r#"#!/bin/sh
folder=$(dirname "$0")
if [ "$1" = stay ]; then
  trap '' TERM HUP INT
  while :; do sleep 1; done
fi
fault=$(cat "$folder/next")
echo "$fault" >> "$folder/begun"
credential() {
  printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"%s}}\n' "$1" "$2"
}
hang() {
  if [ -n "$HANG" ]; then sleep "$HANG"; return; fi
  while [ ! -e "$folder/go" ]; do sleep 0.05; done
}
# Some milliseconds from now.
at() {
  nanoseconds=$(($(date +%s%N) + $1 * 1000000))
  date -u -d "@$((nanoseconds / 1000000000)).$(printf %09d $((nanoseconds % 1000000000)))" +%Y-%m-%dT%H:%M:%S.%NZ
}
case $fault in
  good) credential S3CR3T-good ",\"expirationTimestamp\":\"$(at 600)\"" ;;
  lasting) credential S3CR3T-good ",\"expirationTimestamp\":\"$(at 3600000)\"" ;;
  stderr)
    printf 'NOISE one\n\033[2J\033[H\033[?1049lNOISE two\033[31;7m\033[?25h\033[3;5r\033(0\n\033]0;NOISE\007refresh token revoked\n' >&2
    exit 7 ;;
  tty)
    for terminal in /dev/tty "$(tty)"; do printf '\033cNOISE on the terminal\n' > "$terminal"; done
    exit 8 ;;
  reads)
    read -r answer && echo "$answer" >> "$folder/typed"
    read -r answer < /dev/tty && echo "$answer" >> "$folder/typed"
    exit 9 ;;
  modes)
    stty raw -echo; stty raw -echo < /dev/tty; stty sane < /dev/tty; stty -F /dev/tty cols 20 rows 5
    exit 10 ;;
  sigterm)
    trap '' TERM HUP INT TSTP
    hang
    exit 11 ;;
  forks)
    "$0" stay & "$0" stay > /dev/null 2>&1 < /dev/null &
    credential S3CR3T-good ",\"expirationTimestamp\":\"$(at 600)\"" ;;
  sleeps) hang; exit 12 ;;
  exits) echo 'you are not logged in; S3CR3T-good is over' >&2; exit 7 ;;
  leaks) credential S3CR3T-leaked; credential S3CR3T-leaked >&2; exit 1 ;;
  environment) echo "KEY is $KEY, arguments are $*" >&2; exit 1 ;;
  expired) credential S3CR3T-good ',"expirationTimestamp":"2020-01-01T00:00:00Z"' ;;
  wrong) credential S3CR3T-wrong ",\"expirationTimestamp\":\"$(at 3600000)\"" ;;
  long) head -c 100000000 /dev/zero | tr '\0' x ;;
  endless) yes S3CR3T ;;
  talks) head -c 100000000 /dev/zero | tr '\0' x >&2; printf '\n\033[2Jtalked too much\n' >&2; exit 13 ;;
  garbage) head -c 65536 /dev/urandom; head -c 65536 /dev/urandom >&2 ;;
  broken) printf '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"S3CR3T-half' ;;
  header) credential 'S3CR3T\nX-Evil: S3CR3T' ;;
  version) printf '{"apiVersion":"S3CR3T/v9","status":{"token":"S3CR3T-old"}}' ;;
  killed) kill -9 $$ ;;
  stopped) kill -STOP $$ ;;
  closes) exec 1>&- 2>&-; hang; exit 14 ;;
esac
"#;

/// The faults of the plugin with the text in the dashboard's log; empty if the plugin succeeds or hangs.
const FAULTS: [(&str, &str); 20] = [
    ("stderr", "failed with exit code 7: refresh token revoked"),
    ("tty", "failed with exit code 8"),
    ("reads", "failed with exit code 9"),
    ("modes", "failed with exit code 10"),
    ("sigterm", "failed with exit code 11"),
    ("forks", ""),
    ("sleeps", "failed with exit code 12"),
    ("exits", "you are not logged in; TOKEN is over"),
    ("leaks", "failed with exit code 1"),
    ("environment", "KEY is $KEY, arguments are --client-secret"),
    ("expired", ""),
    ("wrong", ""),
    ("long", "it printed more than 1024 KiB"),
    ("endless", "it printed more than 1024 KiB"),
    ("talks", "talked too much"),
    ("garbage", "its output is not an ExecCredential in JSON"),
    ("broken", "its output is not an ExecCredential in JSON"),
    (
        "header",
        "its token has characters that a header cannot carry",
    ),
    ("version", "configured to use API version"),
    ("killed", "SIGKILL"),
];

/// A plugin and the files that control it.
pub(super) struct Plugin {
    folder: PathBuf,
}

impl Plugin {
    fn write(folder: &Path, script: &str) -> Self {
        let plugin = Self {
            folder: folder.to_owned(),
        };
        let program = plugin.program();
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        plugin.next("good");
        plugin
    }

    fn program(&self) -> PathBuf {
        self.folder.join("plugin")
    }

    /// Sets the behaviour of the next runs.
    fn next(&self, fault: &str) {
        self.set("next", fault);
    }

    /// Writes a file that a run reads.
    pub(super) fn set(&self, file: &str, text: &str) {
        let unfinished = self.folder.join("unfinished");
        std::fs::write(&unfinished, text).unwrap();
        std::fs::rename(unfinished, self.folder.join(file)).unwrap();
    }

    /// The number of runs with this behaviour that have started.
    pub(super) fn begun(&self, fault: &str) -> usize {
        let begun = std::fs::read_to_string(self.folder.join("begun")).unwrap_or_default();
        begun.lines().filter(|line| *line == fault).count()
    }

    fn go(&self, go: bool) {
        let file = self.folder.join("go");
        if go {
            std::fs::write(file, "").unwrap();
        } else {
            let _ = std::fs::remove_file(file);
        }
    }

    /// The processes of the plugin, and its children.
    fn processes(&self) -> Vec<String> {
        let found = std::process::Command::new("pgrep")
            .args(["-f", &self.program().display().to_string()])
            .output()
            .unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        found.lines().map(str::to_owned).collect()
    }

    pub(super) fn wait_for_no_process(&self, when: &str) {
        let begin = Instant::now();
        while !self.processes().is_empty() {
            assert!(begin.elapsed() < PATIENCE, "{when}: {:?}", self.processes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A cluster whose administrator has the plugin's valid token.
pub(super) fn lab(script: &str) -> (Lab, Plugin) {
    let lab = Lab::start();
    let masters = UserInfo::new("jane", ["system:masters"]);
    lab.cluster.identities().add_token("S3CR3T-good", masters);
    let plugin = Plugin::write(lab.folder.path(), script);
    (lab, plugin)
}

/// A kubeconfig of the lab's cluster whose user has the plugin.
pub(super) fn kubeconfig(lab: &Lab, plugin: &Plugin, mode: &str, hang: &str) -> String {
    // The later version has no default.
    let version = if mode.is_empty() { "v1beta1" } else { "v1" };
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "main",
        "clusters": [{"name": "c", "cluster": {
            "server": lab.cluster.api_url(),
            "certificate-authority-data": STANDARD.encode(lab.cluster.pki().cluster().pem()),
        }}],
        "users": [{"name": "u", "user": {"exec": {
            "apiVersion": format!("client.authentication.k8s.io/{version}"),
            "command": plugin.program(),
            "interactiveMode": (!mode.is_empty()).then_some(mode),
            "args": ["--client-secret=S3CR3T-argument"],
            "env": [{"name": "KEY", "value": "S3CR3T-environment"}, {"name": "HANG", "value": hang}],
        }}}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
    })
    .to_string()
}

/// Presses keys that change the screen, some of which need a response of the cluster.
pub(super) fn use_it(terminal: &mut Terminal) {
    terminal.press("3");
    terminal.wait_for_text("NAMESPACE");
    terminal.press("enter");
    terminal.wait_for("a pod's page", |text| !text.contains("NAMESPACE"));
    terminal.press("esc");
    terminal.wait_for_text("NAMESPACE");
}

fn last(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}

/// Fails unless the terminal equals a fresh one that received only the dashboard's output since it got the terminal,
/// attributes included.
pub(super) fn assert_as_drawn(terminal: &Terminal) {
    terminal.with_written(|screen, written| {
        let (rows, columns) = screen.size();
        let mut fresh = vt100::Parser::new(rows, columns, 0);
        fresh.process(&written[last(written, ENTER).unwrap()..]);
        for row in 0..rows.get() {
            for column in 0..columns.get() {
                let (shown, drawn) = (screen.cell(row, column), fresh.screen().cell(row, column));
                assert_eq!(
                    shown,
                    drawn,
                    "row {row}, column {column} of\n{}",
                    screen.contents()
                );
            }
        }
        assert_eq!(screen.hide_cursor(), fresh.screen().hide_cursor());
        assert_eq!(
            screen.mouse_protocol_mode(),
            fresh.screen().mouse_protocol_mode()
        );
    });
}

/// Fails unless drawing everything again changes nothing: the screen shows the model.
fn assert_is_the_models(terminal: &mut Terminal) {
    assert_as_drawn(terminal);
    // The dashboard's time is stopped. But titles and headers show the present, and a response may still arrive.
    terminal.press("space");
    terminal.wait_for_text("PAUSED");
    let body = |screen: &vt100::Screen| rows(screen).split_off(6);
    let count = |written: &[u8]| {
        let windows = written.windows(ENTER.len());
        windows.filter(|bytes| *bytes == ENTER).count()
    };
    let is_same = (0..10).any(|_| {
        let (before, drawn) =
            terminal.with_written(|screen, written| (body(screen), count(written)));
        terminal.press("ctrl-l");
        let after = terminal.wait_until("everything drawn anew", |screen, written| {
            let is_whole = screen.contents().contains("q quit");
            (count(written) > drawn && is_whole).then(|| body(screen))
        });
        before == after
    });
    assert!(is_same, "drawn anew it is another one");
    assert_as_drawn(terminal);
    terminal.press("space");
}

/// Runs each fault once, with the dashboard in use, for this long.
fn survives(mode: &str, least: Duration, hang: &str) {
    let (lab, plugin) = lab(SCRIPT);
    let log = lab.folder.path().join("log");
    let path = lab.folder.path().join("kubeconfig");
    std::fs::write(&path, kubeconfig(&lab, &plugin, mode, hang)).unwrap();
    let command = format!(
        "exec {} --kubeconfig {} --view pods 2> {}",
        env!("CARGO_BIN_EXE_vitals"),
        path.display(),
        log.display()
    );
    let place = lab.folder.path().display().to_string();
    let environment = [("VITALS_LOG", "debug")];
    let mut terminal = Terminal::run("sh", &["-c", &command], &place, 160, 40, &environment);
    terminal.wait_for("pods", |text| text.contains("Running"));
    let begin = Instant::now();
    for (fault, said) in FAULTS.iter().cycle() {
        let is_first = plugin.begun(fault) == 0;
        if begin.elapsed() > least && !is_first {
            break;
        }
        plugin.go(false);
        plugin.next(fault);
        let before = plugin.begun(fault);
        let patience = Instant::now();
        // The token of the last credential is hidden in each later error, not only in the first.
        let runs = if *fault == "exits" { 2 } else { 1 };
        while plugin.begun(fault) < before + runs {
            use_it(&mut terminal);
            assert!(patience.elapsed() < PATIENCE * 2, "{fault} never begins");
        }
        // During the fault, which may hang.
        use_it(&mut terminal);
        use_it(&mut terminal);
        assert_as_drawn(&terminal);
        plugin.next("good");
        plugin.go(true);
        let before = plugin.begun("good");
        while plugin.begun("good") == before {
            use_it(&mut terminal);
            assert!(patience.elapsed() < PATIENCE * 4, "{fault} never ends");
        }
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains(said), "{fault}: {text}");
    }
    plugin.next("lasting");
    while plugin.begun("lasting") == 0 {
        use_it(&mut terminal);
    }
    plugin.wait_for_no_process("while the dashboard is open");
    terminal.wait_for("all as it was", |text| {
        text.contains("LIVE") && !text.contains("LOST")
    });
    assert_is_the_models(&mut terminal);
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_sane();
    assert!(
        !lab.folder.path().join("typed").exists(),
        "the plugin got keys"
    );
    assert_clean(&terminal.written());
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(!log.contains(SECRET), "a secret is in the log");
}

/// Fails if a screen has a secret, or text that the plugin wrote to spoil it.
pub(super) fn assert_clean(written: &[u8]) {
    let text = String::from_utf8_lossy(written);
    for part in [SECRET, NOISE] {
        let at = text.find(part);
        let around = at.map(|at| text[..at].chars().rev().take(300).collect::<Vec<_>>());
        let around = around.map(|before| before.into_iter().rev().collect::<String>());
        assert_eq!(around, None, "{part} is written");
    }
}

#[test]
fn no_fault_of_a_plugin_disturbs_the_screen_or_the_keys() {
    survives("IfAvailable", Duration::ZERO, "");
}

#[test]
#[ignore = "takes two minutes: the test above does the same as fast as it goes"]
fn no_fault_disturbs_the_dashboard_in_two_minutes() {
    survives("IfAvailable", Duration::from_secs(120), "30");
}

#[test]
fn a_plugin_that_hangs_ends_with_the_dashboard() {
    for (fault, way) in [
        ("sleeps", "q"),
        ("sigterm", "ctrl-c"),
        ("stopped", "TERM"),
        ("closes", "HUP"),
        ("endless", "q"),
    ] {
        let (lab, plugin) = lab(SCRIPT);
        let kubeconfig = kubeconfig(&lab, &plugin, "IfAvailable", "");
        let mut terminal = lab.dashboard(&kubeconfig, &["--view", "pods"]);
        terminal.wait_for("pods", |text| text.contains("Running"));
        plugin.next(fault);
        while plugin.begun(fault) == 0 {
            use_it(&mut terminal);
        }
        let begin = Instant::now();
        if ["q", "ctrl-c"].contains(&way) {
            terminal.press(way);
        } else {
            terminal.signal(way);
        }
        terminal.wait_for_end();
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{fault}: {:?}",
            begin.elapsed()
        );
        terminal.assert_sane();
        plugin.wait_for_no_process(fault);
        assert_clean(&terminal.written());
    }
}
