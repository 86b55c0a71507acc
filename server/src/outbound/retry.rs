//! URLs in flags, and the delay that a service asks for.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use reqwest::Url;

/// The longest delay that a service may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Parses the URL of a service in a flag.
///
/// # Errors
/// It is no URL with a host for http or https, or has a user or a password, which would appear in logs.
pub fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok();
    let usable = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = usable.ok_or_else(|| "write a URL like https://host:port/path".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("write the user and the password into the file of the http_config".to_owned());
    }
    Ok(url)
}

/// The delay of the header `Retry-After`, in seconds or until a date; at most ten minutes.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let delay = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(value).ok()?;
            at.duration_since(now).unwrap_or_default()
        }
    };
    Some(delay.min(MAX_RETRY_AFTER))
}
