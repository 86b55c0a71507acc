//! A reader of `/metrics/resource` as plain as can be: not the one under test elsewhere.

use std::collections::BTreeMap;

/// One series' value and timestamp in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) value: f64,
    pub(crate) at: Option<i64>,
}

/// Series by family and labels, as they are written.
pub(crate) type Page = BTreeMap<(String, String), Point>;

pub(crate) fn parse(text: &str) -> Page {
    text.lines()
        .filter(|l| !l.starts_with('#'))
        .map(|line| {
            let (series, rest) = match line.split_once("} ") {
                Some((series, rest)) => (series, rest),
                None => line.split_once(' ').unwrap(),
            };
            let (family, labels) = series.split_once('{').unwrap_or((series, ""));
            let mut numbers = rest.split(' ');
            let point = Point {
                value: numbers.next().unwrap().parse().unwrap(),
                at: numbers.next().map(|n| n.parse().unwrap()),
            };
            ((family.to_owned(), labels.to_owned()), point)
        })
        .collect()
}

/// The points of a family, by their labels.
pub(crate) fn family<'a>(page: &'a Page, name: &'a str) -> impl Iterator<Item = (&'a str, Point)> {
    page.iter()
        .filter(move |((family, _), _)| family == name)
        .map(|((_, labels), point)| (labels.as_str(), *point))
}

/// The point of a series.
pub(crate) fn point(page: &Page, name: &str, labels: &str) -> Option<Point> {
    page.get(&(name.to_owned(), labels.to_owned())).copied()
}
