//! Searching a text.

/// The places in a text that match a search: start and end in bytes. Without upper case in the search, case is ignored.
pub fn found_in<'a>(text: &'a str, search: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    let is_exact = search.chars().any(char::is_uppercase) || !search.is_ascii();
    let (text, search) = (text.as_bytes(), search.as_bytes());
    let length = search.len();
    let first = search.first().copied().unwrap_or_default();
    let firsts = [
        first,
        if is_exact {
            first
        } else {
            first.to_ascii_uppercase()
        },
    ];
    let starts = memchr::memchr2_iter(firsts[0], firsts[1], text).filter(move |at| {
        let part = text.get(*at..*at + length).unwrap_or_default();
        length > 0
            && if is_exact {
                part == search
            } else {
                part.eq_ignore_ascii_case(search)
            }
    });
    let mut end = 0;
    // Places do not overlap.
    let apart = starts.filter(move |at| {
        let is_apart = *at >= end;
        if is_apart {
            end = *at + length;
        }
        is_apart
    });
    apart.map(move |at| (at, at + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_ignores_case_unless_it_has_upper_case() {
        for (text, search, places) in [
            ("An error, an ERROR", "error", &[(3, 8), (13, 18)][..]),
            ("An error, an ERROR", "ERROR", &[(13, 18)]),
            ("aaaa", "aa", &[(0, 2), (2, 4)]),
            ("größe", "öß", &[(2, 6)]),
            ("abc", "", &[]),
            ("", "a", &[]),
            ("ab", "abc", &[]),
        ] {
            assert_eq!(
                found_in(text, search).collect::<Vec<_>>(),
                places,
                "{text} {search}"
            );
        }
    }
}
