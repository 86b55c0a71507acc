//! Signatures of webhooks, as Standard Webhooks 1.0 defines them: HMAC-SHA256 over `ID.TIMESTAMP.BODY`, in base64 after
//! `v1,`. With several keys a request has a signature of each, so that keys can be replaced one after the other.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign};

/// The prefix of a key.
const PREFIX: &str = "whsec_";

/// The lengths of a key that Standard Webhooks allows, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The largest size of the file, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// The file with the keys.
#[derive(Debug, Clone)]
pub(super) struct Keys(PathBuf);

impl Keys {
    /// Validates the file.
    ///
    /// # Errors
    /// The file cannot be read or has no valid key; one line.
    pub(super) fn of_file(path: PathBuf) -> Result<Self, String> {
        read(&path)?;
        Ok(Self(path))
    }

    /// The signatures for the header `webhook-signature`. Reads the file, so that replaced keys are used at once.
    ///
    /// # Errors
    /// The file cannot be read or has no valid key; one line.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<String, String> {
        let mut message = format!("{id}.{timestamp}.").into_bytes();
        message.extend_from_slice(body);
        let keys = read(&self.0)?;
        let signatures = keys
            .iter()
            .map(|key| format!("v1,{}", STANDARD.encode(sign(key, &message))));
        Ok(signatures.collect::<Vec<_>>().join(" "))
    }
}

fn read(path: &Path) -> Result<Vec<Key>, String> {
    let failed = |what: &dyn std::fmt::Display| {
        format!("cannot use the keys in {path:?} (--incident-webhook-key-file): {what}")
    };
    let size = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if size.len() > MAX_FILE {
        return Err(failed(&"the file is too large"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // The text is a secret, so no error quotes it.
    let keys: Option<Vec<Key>> = lines.map(parse).collect();
    let keys = keys.filter(|keys| !keys.is_empty());
    keys.ok_or_else(|| failed(&"write one key a line: whsec_ and 24 to 64 random bytes in base64"))
}

fn parse(line: &str) -> Option<Key> {
    let bytes = STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?;
    let valid = LENGTHS.contains(&bytes.len());
    valid.then(|| Key::new(HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    /// The example of the specification.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let file = file(&format!("{KEY}\n"));
        let keys = Keys::of_file(file.path().to_owned()).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let sign = || keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(sign().unwrap(), SIGNED);
        // A replaced key is used at once, and the former one beside it while both are there.
        let other = format!("whsec_{}", STANDARD.encode([7; 32]));
        std::fs::write(file.path(), format!("{other}\n\n{KEY}")).unwrap();
        let both = sign().unwrap();
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != SIGNED);
        assert_eq!(second, SIGNED);
    }

    #[test]
    fn keys_that_cannot_be_used_are_one_line_without_the_key() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for text in [
            "",
            "\n",
            "secret",
            "whsec_=",
            &short,
            &long,
            &format!("{KEY}\nsecret"),
        ] {
            let file = file(text);
            let error = Keys::of_file(file.path().to_owned()).unwrap_err();
            assert!(
                error.contains("write one key a line") && !error.contains('\n'),
                "{error}"
            );
            assert!(
                !error.contains("secret\"") && !error.contains(&*short),
                "{error}"
            );
        }
        let error = Keys::of_file("/nowhere/key".into()).unwrap_err();
        assert!(error.contains("/nowhere/key"), "{error}");
    }
}
