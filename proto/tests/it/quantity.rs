//! Quantities: every form, its value, its canonical text.

use kubevitals_proto::quantity::{Format, ParseQuantityError, Quantity, write_bytes, write_cpu};
use kubevitals_proto::units::{Bytes, Nanocores};
use proptest::prelude::*;

fn q(text: &str) -> Quantity {
    text.parse()
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn every_form_has_its_canonical_one() {
    for (texts, canonical) in [
        // Zero has no suffix, whatever it was written with.
        (
            ["0", "-0", "+0", "00", "0Ki", "0.000", "0e5", "0n", "0E"].as_slice(),
            "0",
        ),
        // As in Go, every digit may be missing.
        (&[".", "-", "+", "-.", "Ki", "m", "e3"], "0"),
        (
            &[
                "1",
                "+1",
                "01",
                "1.",
                "1.0",
                "1000m",
                "1000000u",
                "1000000000n",
                "0.001k",
            ],
            "1",
        ),
        (&["-1", "-01", "-1.0", "-1000m"], "-1"),
        (
            &["250m", "0.25", ".25", "250000000n", "250000u", "+.250"],
            "250m",
        ),
        (&["5017823n", "5017.823u", "0.005017823"], "5017823n"),
        (&["1500m", "1.5", "1.500"], "1500m"),
        (&["1k", "1000", "1000000m"], "1k"),
        (&["1500", "1.5k"], "1500"),
        (&["100k", "0.1M", "100000"], "100k"),
        (&["1M", "1000k", "1000000"], "1M"),
        (&["12G", "12000M"], "12G"),
        (&["40T", "40000G"], "40T"),
        (&["2500T", "2.5P"], "2500T"),
        (&["1E", "1000P", "1000000000000000000"], "1E"),
        (&["12E", "12000000000000000000"], "12E"),
        // Go would lose the suffix of these.
        (&["1000E", "1000000P"], "1000E"),
        // Exponents stay exponents, and are multiples of three.
        (&["1e3", "1E3", "1e+3", "1000e0", "10e2", "1E03"], "1e3"),
        (&["1e14", "100e12"], "100e12"),
        (&["1.2e3", "12e2"], "1200"),
        (&["12e6", "1.2E7"], "12e6"),
        (&["1e-3", "1E-3"], "1e-3"),
        (&["0.5e0"], "500e-3"),
        (&["1e30"], "1e30"),
        // Binary.
        (&["1Ki"], "1Ki"),
        (&["1024Ki", "1Mi"], "1Mi"),
        (&["18316Ki"], "18316Ki"),
        (&["0.5Mi", "512Ki"], "512Ki"),
        (&["1.5Gi", "1536Mi"], "1536Mi"),
        (&["1000Ki"], "1000Ki"),
        (&["7Ei"], "7Ei"),
        (&["-1Mi", "-1024Ki"], "-1Mi"),
        // A binary one that is no whole number, or less than 1024, is written as a decimal one.
        (&["100.035Ki"], "102435840m"),
        (&["0.5Ki"], "512"),
        (&["0.001Ki"], "1024m"),
        (&["0.9765625Ki"], "1k"),
        (&["0.0001Ki"], "102400u"),
        (&["-0.5Ki"], "-512"),
    ] {
        for text in texts {
            assert_eq!(q(text).to_string(), canonical, "{text:?}");
        }
        assert_eq!(
            q(canonical).to_string(),
            canonical,
            "the canonical form is its own"
        );
    }
}

#[test]
fn digits_below_a_nano_are_rounded_away_from_zero() {
    for (text, canonical) in [
        ("0.1n", "1n"),
        ("3.001n", "4n"),
        ("-3.001n", "-4n"),
        ("0.0000000001", "1n"),
        ("0.00000012345", "124n"),
        ("-0.00000012345", "-124n"),
        ("1.1E-9", "2e-9"),
        ("1e-100", "1e-9"),
        ("1e-2147483648", "1e-9"),
        ("0.000000000001Ki", "2n"),
        ("1.0000000000000000000000000000000001", "1000000001n"),
        (
            "0.00000000000000000000000000000000000000000000000000000001",
            "1n",
        ),
    ] {
        assert_eq!(q(text).to_string(), canonical, "{text:?}");
    }
}

#[test]
fn binary_ones_are_capped_and_decimal_ones_are_not() {
    for text in [
        "8Ei",
        "9Ei",
        "9223372036854775807Ki",
        "99999999999999999999999999999999999999999999Ei",
        "9000.5Pi",
    ] {
        assert_eq!(q(text).value(), i64::MAX, "{text}");
        assert_eq!(q(text).to_string(), "9223372036854775807", "{text}");
        assert_eq!(
            q(&format!("-{text}")).to_string(),
            "-9223372036854775807",
            "{text}"
        );
    }
    assert_eq!(q("9223372036854775808").to_string(), "9223372036854775808");
    assert_eq!(
        q("123456789012345678901234567890").to_string(),
        "123456789012345678901234567890"
    );
    assert_eq!(
        q("123456789012345678901234567890.5n").to_string(),
        "123456789012345678901234567891n"
    );
    // More digits than are stored: rounded away from zero.
    let nines = "9".repeat(37);
    assert_eq!(
        q(&format!("{nines}100000000001")).to_string(),
        format!("{nines}200G")
    );
}

#[test]
fn an_invalid_quantity_is_refused() {
    for text in [
        "", " 1", "1 ", "1.2.3", "x", "1x", "1Kib", "1KI", "1k5x", "1,5", "１", "1e5e5", "0x10",
        "1e5.5",
    ] {
        assert_eq!(
            text.parse::<Quantity>(),
            Err(ParseQuantityError::Format),
            "{text:?}"
        );
    }
    for text in [
        "1K",
        "--1",
        "+-1",
        "1ki",
        "1kk",
        "1e",
        "1E+",
        "1e-",
        "1i",
        "1mi",
        "1-5",
        "1n5",
        "1Ee3",
        "1e9223372036854775808",
    ] {
        assert_eq!(
            text.parse::<Quantity>(),
            Err(ParseQuantityError::Suffix),
            "{text:?}"
        );
    }
    assert_eq!(
        ParseQuantityError::Format.to_string(),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
}

#[test]
fn values_are_rounded_away_from_zero() {
    for (text, value, milli) in [
        ("0", 0, 0),
        ("2001u", 1, 3),
        ("1n", 1, 1),
        ("-1n", -1, -1),
        ("250m", 1, 250),
        ("1001m", 2, 1001),
        ("-1001m", -2, -1001),
        ("1Ki", 1024, 1_024_000),
        ("1e30", i64::MAX, i64::MAX),
        ("-1e30", i64::MIN, i64::MIN),
        ("9223372036854775807", i64::MAX, i64::MAX),
    ] {
        assert_eq!(
            (q(text).value(), q(text).milli_value()),
            (value, milli),
            "{text}"
        );
    }
    assert_eq!(q("1.5").to_nanocores(), Nanocores(1_500_000_000));
    assert_eq!(q("-1").to_nanocores(), Nanocores(0));
    assert_eq!(q("1e30").to_bytes(), Bytes(u64::MAX));
    assert!((q("250m").to_f64() - 0.25).abs() < 1e-12);
}

#[test]
fn order_and_equality_are_by_value() {
    let ascending = [
        "-1e30",
        "-1Ki",
        "-1",
        "-1n",
        "0",
        "1n",
        "999999999n",
        "1",
        "1001m",
        "1k",
        "1Ki",
        "100Gi",
        "10000T",
        "1e30",
        "1e31",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(q(a).cmp(&q(b)), at.cmp(&other), "{a} and {b}");
        }
    }
    assert_eq!(q("1Ki"), q("1024"));
    assert_eq!(q("1e3"), q("1k"));
}

#[test]
fn sums_keep_the_format_of_what_is_not_zero() {
    for (a, b, sum) in [
        ("0", "100m", "100m"),
        ("0", "1Gi", "1Gi"),
        ("1Gi", "0", "1Gi"),
        ("0Ki", "100m", "100m"),
        ("1Ki", "1k", "2024"),
        ("1k", "1Ki", "2024"),
        ("1536Ki", "512k", "2036Ki"),
        ("750m", "250m", "1"),
        ("1", "-1", "0"),
        ("1Mi", "-1Ki", "1023Ki"),
        ("1n", "1e20", "100000000000000000000000000001n"),
        ("1e100", "1n", "10e99"),
        ("9223372036854775807", "1", "9223372036854775808"),
    ] {
        assert_eq!((q(a) + q(b)).to_string(), sum, "{a} + {b}");
    }
    assert_eq!((q("0") - q("1Gi")).to_string(), "-1Gi");
    assert_eq!(
        [q("1"), q("500m")]
            .into_iter()
            .sum::<Quantity>()
            .to_string(),
        "1500m"
    );
}

#[test]
fn json_has_them_as_strings_and_takes_numbers_too() {
    assert_eq!(serde_json::to_string(&q("1000m")).unwrap(), "\"1\"");
    for (json, canonical) in [
        ("\"250m\"", "250m"),
        ("\" 1Ki \"", "1Ki"),
        ("3", "3"),
        ("-3", "-3"),
        ("0.5", "500m"),
        ("1e3", "1k"),
        ("null", "0"),
    ] {
        assert_eq!(
            serde_json::from_str::<Quantity>(json).unwrap().to_string(),
            canonical,
            "{json}"
        );
    }
    assert!(serde_json::from_str::<Quantity>("\"x\"").is_err());
    assert!(serde_json::from_str::<Quantity>("{}").is_err());
}

#[test]
fn usage_is_written_in_the_peers_form() {
    for (nanos, text) in [
        (0, "0"),
        (1, "1n"),
        (250_000_000, "250m"),
        (5_017_823, "5017823n"),
        (1_385_106_551, "1385106551n"),
        (2_000_000_000, "2"),
        (1_000_000_000_000, "1k"),
        (17_000_000_000_000_000_000, "17G"),
        (2_001_000, "2001u"),
    ] {
        assert_eq!(cpu(Nanocores(nanos)), text);
    }
    for (bytes, text) in [
        (0, "0"),
        (1, "1"),
        (999, "999"),
        (1000, "1k"),
        (1023, "1023"),
        (1024, "1Ki"),
        (2000, "2000"),
        (10_004_096, "10004096"),
        (18_755_584, "18316Ki"),
        (4_195_815_424, "4097476Ki"),
        (1 << 20, "1Mi"),
        (1 << 60, "1Ei"),
        (15 << 60, "15Ei"),
        (u64::MAX, "18446744073709551615"),
    ] {
        assert_eq!(memory(Bytes(bytes)), text);
    }
}

fn cpu(cpu: Nanocores) -> String {
    let mut out = Vec::new();
    write_cpu(&mut out, cpu);
    String::from_utf8(out).unwrap()
}

fn memory(bytes: Bytes) -> String {
    let mut out = Vec::new();
    write_bytes(&mut out, bytes);
    String::from_utf8(out).unwrap()
}

fn any_u64() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64, 0_u32..19)
        .prop_map(|(n, shift, power)| (n >> shift) / 10_u64.pow(power) * 10_u64.pow(power))
}

/// Texts that are quantities.
fn quantities() -> impl Strategy<Value = String> {
    "[-+]?([0-9]{1,25}(\\.[0-9]{0,25})?|\\.[0-9]{1,12})(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[-+]?[0-9]{1,2})"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_fast_writers_write_what_the_quantity_writes(n in any_u64()) {
        prop_assert_eq!(cpu(Nanocores(n)), Quantity::from_nanocores(Nanocores(n)).to_string());
        prop_assert_eq!(memory(Bytes(n)), Quantity::from_bytes(Bytes(n)).to_string());
        prop_assert_eq!(q(&cpu(Nanocores(n))).to_nanocores(), Nanocores(n));
        if n <= i64::MAX as u64 {
            prop_assert_eq!(q(&memory(Bytes(n))).to_bytes(), Bytes(n));
        }
    }

    #[test]
    fn the_canonical_text_is_read_back_as_the_same(text in quantities()) {
        let value = q(&text);
        let canonical = value.to_string();
        let back = q(&canonical);
        prop_assert_eq!(back, value);
        prop_assert_eq!(back.to_string(), canonical);
        prop_assert_eq!(back.value(), value.value());
    }

    #[test]
    fn every_number_format_parses_to_the_same_value(text in quantities()) {
        let value = q(&text);
        for format in [Format::DecimalSi, Format::BinarySi, Format::DecimalExponent] {
            let written = value.with_format(format).to_string();
            let back = q(&written);
            if written.ends_with('i') { continue; } // may be past the cap of binary ones
            prop_assert_eq!(back, value, "{} as {:?}", written, format);
        }
    }

    #[test]
    fn small_ones_add_and_compare_as_integers(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000, x in -9_i32..3, y in -9_i32..3) {
        let exact = |n: i64, power: i32| i128::from(n) * 10_i128.pow((power + 9) as u32);
        let (p, r) = (Quantity::new(a, x, Format::DecimalSi), Quantity::new(b, y, Format::DecimalSi));
        prop_assert_eq!(p.cmp(&r), exact(a, x).cmp(&exact(b, y)));
        prop_assert_eq!(p + r, q(&format!("{}n", exact(a, x) + exact(b, y))));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,20}|[-+0-9.eEinumkKMGTP]{0,60}") {
        if let Ok(value) = text.parse::<Quantity>() {
            let _ = (value.to_string(), value.value(), value.milli_value(), value.to_f64());
            let _ = value + value;
        }
    }
}
