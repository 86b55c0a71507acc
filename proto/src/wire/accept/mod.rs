//! The Accept header, as Kubernetes' servers read it: `goautoneg` and `NegotiateMediaTypeOptions` of
//! k8s.io/apiserver, quirks and all, because clients are written against them.
//!
//! go-restful reads the header before them and refuses `application/*`, which is accepted here.

#[cfg(any(test, fuzzing))]
pub mod properties;

use super::object::Encoding;

/// More clauses than any client sends; what comes after them is not read.
const MOST_CLAUSES: usize = 100;

/// One clause of the header.
#[derive(Debug, PartialEq)]
struct Clause<'a> {
    kind: &'a str,
    subtype: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f64,
}

/// Another kind of object that a clause selects instead of the one at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its API group.
    pub group: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// The negotiated form of a response.
#[derive(Debug, PartialEq, Eq)]
pub struct Negotiated<T> {
    /// The encoding.
    pub encoding: Encoding,
    /// Whether the clause selects indented JSON.
    pub pretty: bool,
    /// The result of `convert`.
    pub conversion: T,
}

/// Why no clause can be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No clause names a media type that is served.
    MediaType,
    /// Some do, but with parameters that cannot be met.
    Parameters,
}

/// Negotiates the first clause of a header that can be met, the best first; an empty header accepts JSON. `convert`
/// returns `None` if an endpoint does not have a conversion in an encoding; most have no conversion.
///
/// # Errors
/// When no clause can be met.
pub fn negotiate<T>(
    header: &[u8],
    convert: impl Fn(Encoding, Option<Conversion<'_>>) -> Option<T>,
) -> Result<Negotiated<T>, Refusal> {
    let header = match header {
        [] => b"application/json",
        header => header,
    };
    let header = String::from_utf8_lossy(header);
    let mut refusal = Refusal::MediaType;
    for clause in clauses(&header) {
        for encoding in Encoding::ALL {
            if !clause.admits(encoding.content_type()) {
                continue;
            }
            refusal = Refusal::Parameters;
            if let Some(conversion) = clause
                .is_served_in(encoding)
                .then(|| convert(encoding, clause.conversion()))
                .flatten()
            {
                return Ok(Negotiated {
                    encoding,
                    pretty: clause.parameter("pretty") == Some("1"),
                    conversion,
                });
            }
        }
    }
    Err(refusal)
}

/// The first of `served` that a clause of a header names or stars, the best clause first; an empty header accepts the
/// first of all. Parameters are ignored.
#[must_use]
pub fn first_of(header: &[u8], served: &[&'static str]) -> Option<&'static str> {
    if header.is_empty() {
        return served.first().copied();
    }
    let header = String::from_utf8_lossy(header);
    clauses(&header)
        .iter()
        .find_map(|clause| served.iter().copied().find(|one| clause.admits(one)))
}

/// For endpoints that convert nothing.
#[must_use]
pub fn no_conversion(_: Encoding, conversion: Option<Conversion<'_>>) -> Option<()> {
    conversion.is_none().then_some(())
}

impl<'a> Clause<'a> {
    /// A clause without a media type is none.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let media = parts.next()?.trim_matches(' ');
        let (kind, subtype) = match media.split_once('/') {
            Some((kind, subtype)) if !subtype.is_empty() => (kind, subtype),
            _ if media.trim_end_matches('/') == "*" => ("*", "*"),
            _ => return None,
        };
        if subtype.trim_end_matches('/').contains('/') || subtype.ends_with("//") {
            return None;
        }
        let mut clause = Self {
            kind: kind.trim_matches(' '),
            subtype: subtype.trim_end_matches('/').trim_matches(' '),
            parameters: Vec::new(),
            quality: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let name = name.trim_matches(' ');
            if value.is_empty() || value.contains('=') {
                continue;
            }
            if name == "q" {
                // Go goes on with zero if it cannot read it, and zero is no refusal there: it only comes last.
                clause.quality = value.parse().unwrap_or(0.0);
            } else {
                clause.parameters.push((name, value.trim_matches(' ')));
            }
        }
        Some(clause)
    }

    fn admits(&self, content_type: &str) -> bool {
        let (kind, subtype) = content_type.split_once('/').unwrap_or_default();
        (self.kind == kind && (self.subtype == subtype || self.subtype == "*"))
            || (self.kind == "*" && self.subtype == "*")
    }

    /// A parameter's value; of several the last.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut named = self.parameters.iter().rev();
        named.find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn conversion(&self) -> Option<Conversion<'a>> {
        let (kind, group, version) = (
            self.parameter("as"),
            self.parameter("g"),
            self.parameter("v"),
        );
        (kind.is_some() || group.is_some() || version.is_some()).then(|| Conversion {
            kind: kind.unwrap_or_default(),
            group: group.unwrap_or_default(),
            version: version.unwrap_or_default(),
        })
    }

    /// Whether its stream (`watch` or none; YAML has none) and its server version (`v1`) are served.
    fn is_served_in(&self, encoding: Encoding) -> bool {
        let stream = match self.parameter("stream") {
            None | Some("") => true,
            Some("watch") => encoding != Encoding::Yaml,
            Some(_) => false,
        };
        stream && matches!(self.parameter("sv"), None | Some("" | "v1"))
    }

    /// Whether it comes before `other`. This is no order: a star comes after a name whatever their qualities, and
    /// before one of less quality.
    fn precedes(&self, other: &Self) -> bool {
        self.quality > other.quality
            || (self.kind != "*" && other.kind == "*")
            || (self.subtype != "*" && other.subtype == "*")
    }
}

/// The clauses, the best first, by the same steps as Go's sort takes for as many as there ever are.
fn clauses(header: &str) -> Vec<Clause<'_>> {
    let clauses = header.split(',').filter_map(Clause::parse);
    let mut sorted: Vec<Clause<'_>> = Vec::new();
    for clause in clauses.take(MOST_CLAUSES) {
        let place = sorted
            .iter()
            .rposition(|before| !clause.precedes(before))
            .map_or(0, |before| before + 1);
        sorted.insert(place, clause);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list's endpoint: tables, but not in protobuf.
    fn list(accept: &str) -> Result<(Encoding, Option<String>), Refusal> {
        let negotiated = negotiate(accept.as_bytes(), |encoding, conversion| match conversion {
            None => Some(None),
            Some(Conversion {
                kind: "Table",
                group: "meta.k8s.io",
                version: version @ ("v1" | "v1beta1"),
            }) if encoding != Encoding::Protobuf => Some(Some(version.to_owned())),
            Some(_) => None,
        })?;
        Ok((negotiated.encoding, negotiated.conversion))
    }

    /// A header written out: `app` for `application`, TABLE for the parameters of a table.
    fn header(short: &str) -> String {
        let long = short.replace("app/", "application/");
        long.replace("TABLE", "g=meta.k8s.io;as=Table")
    }

    #[test]
    fn the_first_clause_that_can_be_met_is_taken() {
        use Encoding::{Json, Protobuf, Yaml};
        for (accept, encoding, table) in [
            ("", Json, None),
            ("*/*", Json, None),
            ("*", Json, None),
            ("app/*", Json, None),
            ("app/json", Json, None),
            ("app/yaml", Yaml, None),
            ("app/vnd.kubernetes.protobuf", Protobuf, None),
            // The HPA.
            ("app/vnd.kubernetes.protobuf, */*", Protobuf, None),
            ("text/html,app/yaml", Yaml, None),
            // kubectl.
            (
                "app/json;TABLE;v=v1,app/json;TABLE;v=v1beta1,app/json",
                Json,
                Some("v1"),
            ),
            (
                "app/json;TABLE;v=v2,app/json;TABLE;v=v1beta1",
                Json,
                Some("v1beta1"),
            ),
            // A table has no protobuf.
            (
                "app/vnd.kubernetes.protobuf;TABLE;v=v1,app/json;TABLE;v=v1,app/json",
                Json,
                Some("v1"),
            ),
            (
                "app/vnd.kubernetes.protobuf;TABLE;v=v1,app/json",
                Json,
                None,
            ),
            ("app/yaml;TABLE;v=v1", Yaml, Some("v1")),
            ("*/*;TABLE;v=v1", Json, Some("v1")),
            ("app/json;as=Other;v=v1;g=x,app/yaml", Yaml, None),
            ("app/json;stream=watch", Json, None),
            (
                "app/yaml;stream=watch,app/vnd.kubernetes.protobuf;stream=watch",
                Protobuf,
                None,
            ),
            ("*/*;stream=watch", Json, None),
            ("app/json;stream=other,app/yaml", Yaml, None),
            ("app/json;sv=v2,app/yaml", Yaml, None),
            ("app/json;sv=v1;charset=utf-8", Json, None),
            // Quality, and what goes without.
            ("app/json;q=0.1,app/yaml", Yaml, None),
            ("app/json;q=0.9,app/yaml;q=0.95", Yaml, None),
            ("app/json,app/yaml", Json, None),
            ("app/json;q=0.5,app/yaml;q=0.5", Json, None),
            ("app/yaml;q=0.001, app/xml", Yaml, None),
            ("app/json;q=0", Json, None),
            ("app/json;q=nonsense,app/yaml;q=0.1", Yaml, None),
            // A name before a star, whatever their qualities, if it comes after it.
            ("*/*, app/yaml;q=0.1", Yaml, None),
            ("app/*;q=0.9,app/yaml;q=0.1", Yaml, None),
            ("app/yaml;q=0.1,*/*", Json, None),
        ] {
            let expected = (encoding, table.map(str::to_owned));
            assert_eq!(list(&header(accept)), Ok(expected), "{accept:?}");
        }
        let nothing = negotiate(b"", no_conversion).unwrap();
        assert_eq!(nothing.encoding, Json);
    }

    #[test]
    fn a_header_that_cannot_be_met_is_refused_for_its_reason() {
        for (accept, expected) in [
            ("app/xml", Refusal::MediaType),
            ("text/*", Refusal::MediaType),
            ("nonsense", Refusal::MediaType),
            ("app/", Refusal::MediaType),
            ("app/json/x", Refusal::MediaType),
            ("Application/JSON", Refusal::MediaType),
            (",", Refusal::MediaType),
            ("*/json", Refusal::MediaType),
            ("app/json;v=v1", Refusal::Parameters),
            ("app/json;as=Table", Refusal::Parameters),
            (
                "app/json;as=Table;v=v1;g=\"meta.k8s.io\"",
                Refusal::Parameters,
            ),
            ("text/html,app/yaml;stream=watch", Refusal::Parameters),
        ] {
            assert_eq!(list(&header(accept)), Err(expected), "{accept:?}");
        }
    }

    #[test]
    fn a_clause_can_select_indentation() {
        let pretty = |accept: &str| negotiate(accept.as_bytes(), no_conversion).unwrap().pretty;
        assert!(pretty("application/json;pretty=1"));
        assert!(!pretty("application/json;pretty=0"));
        assert!(!pretty("application/json;pretty=true"));
        assert!(!pretty("application/json"));
    }

    #[test]
    fn clauses_without_end_are_not_read_without_end() {
        let many = "text/a,".repeat(100_000);
        assert_eq!(
            list(&format!("{many}application/json")),
            Err(Refusal::MediaType)
        );
    }

    #[test]
    fn the_first_that_is_named_or_starred_is_taken() {
        for (accept, expected) in [
            ("", Some("text/plain")),
            ("*/*", Some("text/plain")),
            ("text/*;version=1", Some("text/plain")),
            ("text/plain;q=0.1,application/x", Some("application/x")),
            ("application/*", Some("application/x")),
            ("text/html", None),
        ] {
            let served = ["text/plain", "application/x"];
            assert_eq!(first_of(accept.as_bytes(), &served), expected, "{accept:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "[ -~]{0,60}|[a*/,;=q.0-9 ]{0,80}") {
            let _ = list(&header);
        }
    }
}
