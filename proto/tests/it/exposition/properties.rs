//! What is written is read, and no bytes make a reader panic.

use super::protobuf::{family, metric};
use super::{Collected, collected};
use kubevitals_proto::exposition::{Format, Limits, read};
use kubevitals_proto::wire::protobuf::message;
use proptest::prelude::*;

const FORMATS: [Format; 3] = [Format::Text, Format::OpenMetrics, Format::Protobuf];

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

proptest! {
    #[test]
    fn all_formats_say_the_same(
        name in "\\PC{1,20}",
        labels in prop::collection::btree_map("[a-z.ä\"\\\\]{1,8}", "(\\PC|\n|\"|\\\\){0,12}", 0..5),
        value in any::<f64>(),
        millis in -1_000_000_000_000_i64..10_000_000_000_000,
    ) {
        let text: String = labels.iter().map(|(name, value)| format!(",{}={}", quoted(name), quoted(value))).collect();
        let name_of = quoted(&name);
        let line = format!("# TYPE {name_of} gauge\n{{{name_of}{text}}} {value:e}");
        let text = format!("{line} {millis}\n");
        let openmetrics = format!("{line} {}\n# EOF\n", millis as f64 / 1e3);
        let mut protobuf = Vec::new();
        let pairs: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        family(&mut protobuf, &name, 1, |out| metric(out, &pairs, |out| {
            message(out, 2, |out| {
                out.push(9);
                out.extend(value.to_le_bytes());
            });
            kubevitals_proto::wire::protobuf::int(out, 6, millis);
        }));
        let pages = [text.as_bytes(), openmetrics.as_bytes(), &protobuf];
        let mut found = Vec::new();
        for (page, format) in pages.into_iter().zip(FORMATS) {
            let (read, report) = collected(page, format);
            prop_assert_eq!(report.unwrap().malformed, 0, "{}", String::from_utf8_lossy(page));
            prop_assert_eq!(read.samples.len(), 1);
            found.push((read.families, read.samples));
        }
        prop_assert_eq!(&found[0], &found[1]);
        prop_assert_eq!(&found[0], &found[2]);
    }

    /// What is skipped makes no difference to what is read.
    #[test]
    fn wanted_families_are_read_alike_without_the_others(
        lines in prop::collection::vec(
            ("[ab]", prop_oneof![Just(""), Just("_total"), Just("_created"), Just("_bucket"), Just("_info")], 0..5_u32),
            0..20,
        ),
        openmetrics: bool,
    ) {
        let mut page = String::new();
        for (name, suffix, kind) in lines {
            page += &match kind {
                0 => format!("# TYPE {name} counter\n"),
                1 => format!("# TYPE {name} histogram\n"),
                2 => format!("# TYPE {name} info\n"),
                _ => format!("{name}{suffix}{{le=\"{kind}\"}} {kind}\n"),
            };
        }
        page += "# EOF\n";
        let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
        let (all, _) = collected(page.as_bytes(), format);
        let mut some = Collected { wanted: &["a", "a_total", "a_info"], ..Collected::default() };
        read(page.as_bytes(), format, Limits::default(), &mut some).unwrap();
        let of_a = |line: &&String| {
            let name = line.split(' ').next().unwrap();
            ["a", "a_total", "a_info"].contains(&name)
        };
        let all: Vec<_> = all.samples.iter().filter(of_a).collect();
        let some: Vec<_> = some.samples.iter().filter(of_a).collect();
        prop_assert_eq!(all, some);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let _ = collected(&bytes, format);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "([ab]|_total|_bucket|[{}\"=,# \n\\\\1+eN.]|# TYPE |counter|# EOF){0,60}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let (found, report) = collected(text.as_bytes(), format);
            if let Ok(report) = report {
                prop_assert_eq!(report.samples as usize, found.samples.len());
                // Each line is a sample, malformed, or neither.
                prop_assert!(report.malformed + report.samples <= text.lines().count() as u64 + 1);
            }
        }
    }
}
