//! Persists settings that the user changes in the dashboard.
//!
//! The file is read again for each change, so what others have written in the meantime stays. Comments, order and
//! layout stay too. A file with an error is not changed.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

use super::error::{ConfigError, Wrong};
use super::file::parse;
use super::write::view_name;
use crate::model::{Field, Setting, View};

/// The first line of a new file.
const HEADING: &str =
    "# The configuration of `vitals`; `vitals config show` prints all settings.\n";

/// The number of attempts while another program writes the file.
const ATTEMPTS: usize = 10;

/// Why a setting is not persisted.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// The file cannot be read, or has errors.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// The file must not be written.
    #[error("{0} is read-only")]
    ReadOnly(PathBuf),
    /// The path is that of a device, a pipe or a folder.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another program writes the file again and again.
    #[error("cannot write {0}: another program is writing it")]
    Busy(PathBuf),
}

/// Persists a setting in the file at `path`, or at the end of the links that start there. Creates the file and its folder
/// if they do not exist.
///
/// # Errors
/// The file cannot be read or written, or has errors. Then it is unchanged.
pub fn persist(path: &Path, setting: &Setting) -> Result<(), PersistError> {
    let target = target(path)?;
    for _ in 0..ATTEMPTS {
        let before = read(&target)?;
        let text = before.as_deref().unwrap_or(HEADING);
        let text = edit(text, setting).map_err(|wrong| ConfigError::Wrong {
            path: path.to_owned(),
            wrong,
        })?;
        let new = prepare(&target, &text)?;
        if read(&target)? == before {
            return put(new, &target);
        }
    }
    Err(PersistError::Busy(target))
}

/// The file to which a link leads.
fn target(path: &Path) -> Result<PathBuf, PersistError> {
    match fs::canonicalize(path) {
        Ok(target) if target.is_file() => Ok(target),
        Ok(target) => Err(PersistError::NotAFile(target)),
        // A link to nothing is left alone.
        Err(source) if source.kind() != io::ErrorKind::NotFound || path.is_symlink() => {
            Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            }
            .into())
        }
        Err(_) => Ok(path.to_owned()),
    }
}

/// The text of the file; `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Writes a text to a temporary file beside the target, with the target's permissions and, if possible, its owner.
fn prepare(target: &Path, text: &str) -> Result<tempfile::NamedTempFile, PersistError> {
    let failed = |source| PersistError::Write {
        path: target.to_owned(),
        source,
    };
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let metadata = writable(target)?;
    let mut file = new_file(folder).map_err(failed)?;
    let write = |file: &mut tempfile::NamedTempFile| {
        if let Some(metadata) = metadata {
            keep_owner(file.as_file(), &metadata);
            file.as_file().set_permissions(metadata.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()
    };
    write(&mut file).map_err(failed)?;
    Ok(file)
}

/// A new file with the usual permissions.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".config").suffix(".toml");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Gives a file the owner of the target. Only root can, and only then it matters: others replace their own files.
fn keep_owner(file: &File, target: &Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let _ = fchown(file, Some(target.uid()), Some(target.gid()));
    }
}

/// The metadata of the target; `None` if there is none. To replace a file, its folder must be writable, not the file:
/// a file that its owner has made read-only stays nevertheless.
fn writable(target: &Path) -> Result<Option<Metadata>, PersistError> {
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let path = target.to_owned();
            return Err(PersistError::Write { path, source });
        }
    };
    let can_be_opened = OpenOptions::new().append(true).open(target).is_ok();
    match metadata.permissions().readonly() || !can_be_opened {
        true => Err(PersistError::ReadOnly(target.to_owned())),
        false => Ok(Some(metadata)),
    }
}

/// Replaces the target.
fn put(new: tempfile::NamedTempFile, target: &Path) -> Result<(), PersistError> {
    let put = new.persist(target);
    put.map(|_| ()).map_err(|error| PersistError::Write {
        path: target.to_owned(),
        source: error.error,
    })
}

/// The text of a file with a changed setting. Fails if the file has errors before or after the change.
fn edit(text: &str, setting: &Setting) -> Result<String, Vec<Wrong>> {
    parse(text)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        vec![Wrong {
            line: 1,
            message: error.message().to_owned(),
        }]
    })?;
    let (table, name, value) = match setting {
        Setting::Bookmark(name, command) => (
            Some("bookmarks"),
            name.to_string(),
            command.as_deref().map(Value::from),
        ),
        Setting::Filter(name, filter) => (
            Some("filters"),
            name.to_string(),
            filter.as_deref().map(Value::from),
        ),
        Setting::Columns(view, fields) => (
            Some("columns"),
            key_of(&document, "columns", *view).unwrap_or_else(|| view_name(*view)),
            fields.as_deref().map(array),
        ),
        Setting::Theme(name) => (None, "theme".to_owned(), Some(Value::from(&**name))),
    };
    set(&mut document, table, &name, value);
    let text = document.to_string();
    parse(&text)?;
    Ok(text)
}

fn array(fields: &[Field]) -> Value {
    Value::Array(fields.iter().map(|field| field.name()).collect::<Array>())
}

/// The key of a view in a table. Its case does not matter.
fn key_of(root: &DocumentMut, table: &str, view: View) -> Option<String> {
    let table = root.get(table)?.as_table_like()?;
    let mut keys = table.iter().map(|(key, _)| key);
    keys.find(|key| View::named(key) == Some(view))
        .map(str::to_owned)
}

/// Sets or removes a value of a table, or of the root. A comment after the value stays.
fn set(document: &mut DocumentMut, table: Option<&str>, name: &str, value: Option<Value>) {
    let is_new = !document.contains_key(table.unwrap_or(name));
    // Comments at the end of the file stay above what is added.
    let comments = if is_new {
        let comments = document.trailing().as_str().unwrap_or_default().to_owned();
        document.set_trailing("");
        comments
    } else {
        String::new()
    };
    let Some(table) = table else {
        put_value(document.as_table_mut(), name, value);
        if let Some(mut key) = document.as_table_mut().key_mut(name).filter(|_| is_new) {
            key.leaf_decor_mut().set_prefix(comments);
        }
        return;
    };
    let item = document.entry(table).or_insert_with(toml_edit::table);
    if let Some(table) = item.as_table_mut().filter(|_| is_new) {
        table.decor_mut().set_prefix(format!("{comments}\n"));
    }
    if let Some(table) = item.as_table_like_mut() {
        put_value(table, name, value);
    }
}

fn put_value(table: &mut dyn TableLike, name: &str, value: Option<Value>) {
    match (table.get_mut(name), value) {
        (_, None) => drop(table.remove(name)),
        (Some(Item::Value(before)), Some(mut value)) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        (_, Some(value)) => drop(table.insert(name, Item::Value(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bookmark(name: &str, command: &str) -> Setting {
        Setting::Bookmark(name.into(), Some(command.to_owned()))
    }

    fn edited(text: &str, setting: &Setting) -> String {
        edit(text, setting).unwrap()
    }

    #[test]
    fn comments_order_and_layout_stay() {
        let text = "# mine\nfps = 5 # slow link\n\ntheme = 'nord' # cold\n\n[columns]\n# narrow\nPods = [\"name\"] # only\n[keys]\nquit = [\"Q\"]\n";
        let columns = Setting::Columns(View::Pods, Some(vec![Field::Name, Field::Cpu]));
        for (setting, from, to) in [
            (Setting::Theme("dark".into()), "'nord'", "\"dark\""),
            (columns, "[\"name\"] #", "[\"name\", \"cpu\"] #"),
            (
                bookmark("my pods", "pods -A \"x\""),
                "quit = [\"Q\"]\n",
                "quit = [\"Q\"]\n\n[bookmarks]\n\"my pods\" = 'pods -A \"x\"'\n",
            ),
            (
                Setting::Filter("a".into(), Some("web".to_owned())),
                "quit = [\"Q\"]\n",
                "quit = [\"Q\"]\n\n[filters]\na = \"web\"\n",
            ),
            (
                Setting::Columns(View::Pods, None),
                "Pods = [\"name\"] # only\n",
                "",
            ),
        ] {
            let expected = text.replace(from, to);
            let found = edited(text, &setting);
            // A comment above a removed value goes with it.
            let expected = match setting {
                Setting::Columns(_, None) => expected.replace("# narrow\n", ""),
                _ => expected,
            };
            assert_eq!(found, expected, "{setting:?}");
        }
    }

    #[test]
    fn comments_stay_above_what_is_added() {
        let text = "# The first.\n\n# The last.\n";
        let theme = edited(text, &Setting::Theme("nord".into()));
        assert_eq!(theme, format!("{text}theme = \"nord\"\n"));
        let added = edited(text, &bookmark("a", "pods"));
        assert_eq!(added, format!("{text}\n[bookmarks]\na = \"pods\"\n"));
        let template = super::super::template();
        let added = edited(&template, &bookmark("a", "pods"));
        let expected = template.replace("[bookmarks]\n", "[bookmarks]\na = \"pods\"\n");
        assert_eq!(added, expected);
    }

    #[test]
    fn every_form_of_a_table_can_be_edited() {
        for (text, expected) in [
            ("", "\n[filters]\nbusy = \"cpu>1.0\"\n"),
            ("filters = {}", "filters = { busy = \"cpu>1.0\" }\n"),
            (
                "filters.old = \"web\"\n",
                "filters.old = \"web\"\nfilters.busy = \"cpu>1.0\"\n",
            ),
            (
                "[filters]\r\nbusy = 'web'\r\n",
                "[filters]\nbusy = \"cpu>1.0\"\n",
            ),
        ] {
            let setting = Setting::Filter("busy".into(), Some("cpu>1.0".to_owned()));
            let found = edited(text, &setting);
            assert_eq!(found.replace('\r', ""), expected, "{text:?}");
            let removed = edited(&found, &Setting::Filter("busy".into(), None));
            assert!(!removed.contains("busy"), "{removed}");
        }
    }

    #[test]
    fn a_default_filter_cannot_be_removed() {
        let text = "[default-filters]\npods = \"busy\"\n[filters]\nbusy = \"cpu>1.0\"\n";
        let wrong = edit(text, &Setting::Filter("busy".into(), None)).unwrap_err();
        assert_eq!((wrong.len(), wrong[0].line), (1, 2), "{wrong:?}");
        assert!(
            wrong[0].message.starts_with("there is no filter \"busy\""),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_file_with_an_error_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for (text, line) in [
            ("fps = 5\nfps = 0\n", 2),
            ("fps = 5\n\nview = \"podz\"\n", 3),
            ("[a", 1),
        ] {
            fs::write(&path, text).unwrap();
            let error = persist(&path, &bookmark("a", "pods"))
                .unwrap_err()
                .to_string();
            let start = format!("{}:{line}: ", path.display());
            assert!(
                error.starts_with(&start) && error.lines().count() == 1,
                "{error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, b"theme = \"\xff\"").unwrap();
        let error = persist(&path, &bookmark("a", "pods"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("cannot read "), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"theme = \"\xff\"");
    }

    #[test]
    fn a_new_file_is_created_with_its_folder_and_what_others_write_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/config.toml");
        persist(&path, &bookmark("a", "pods")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{HEADING}\n[bookmarks]\na = \"pods\"\n"));
        fs::write(
            &path,
            text.replace("pods", "nodes").replace("[b", "fps = 3\n[b"),
        )
        .unwrap();
        persist(&path, &bookmark("b", "hpas")).unwrap();
        let settings = parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(settings.fps, 3);
        let found: Vec<_> = settings.bookmarks.iter().collect();
        let text = str::to_owned;
        assert_eq!(
            found,
            [(&text("a"), &text("nodes")), (&text("b"), &text("hpas"))]
        );
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_links_stay_and_a_read_only_file_is_left_alone() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("mine.toml"),
            folder.path().join("config.toml"),
        );
        fs::write(&file, "fps = 5\n").unwrap();
        symlink("mine.toml", &link).unwrap();
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        persist(&link, &bookmark("a", "pods")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "fps = 5\n\n[bookmarks]\na = \"pods\"\n");
        mode(0o440);
        let error = persist(&link, &bookmark("b", "pods"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!(
                "{} is read-only",
                fs::canonicalize(&file).unwrap().display()
            )
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        fs::remove_file(&file).unwrap();
        let error = persist(&link, &bookmark("b", "pods"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot read ") && link.is_symlink(),
            "{error}"
        );
        for no_file in [Path::new("/dev/null"), folder.path()] {
            let error = persist(no_file, &bookmark("b", "pods"))
                .unwrap_err()
                .to_string();
            let path = fs::canonicalize(no_file).unwrap();
            assert_eq!(error, format!("{} is not a regular file", path.display()));
        }
        let nowhere = Path::new("/dev/null/config.toml");
        let error = persist(nowhere, &bookmark("b", "pods"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("cannot "), "{error}");
    }

    proptest! {
        #[test]
        fn any_name_and_text_is_read_as_it_was_written(name in "\\PC{1,12}", text in "\\PC{1,20}") {
            let (name, text) = (name.trim(), text.trim());
            prop_assume!(!name.is_empty() && !text.is_empty());
            let written = edited("", &bookmark(name, text));
            let read = parse(&written).unwrap().bookmarks;
            prop_assert_eq!(read.into_iter().collect::<Vec<_>>(), [(name.to_owned(), text.to_owned())]);
        }
    }
}
