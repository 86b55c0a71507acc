//! Numbers in filters, with units.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;

use crate::model::{Field, Unit};

/// Parses the number that `field` is compared with, in the unit of the field.
///
/// # Errors
/// What the field can be compared with.
pub(super) fn parse(field: Field, text: &str) -> Result<f64, String> {
    if let Some(meant) = with_unit(field.unit(), text) {
        return Err(meant);
    }
    let value = match field.unit() {
        Unit::Text => None,
        Unit::Count => plain(text),
        Unit::Percent => plain(text.strip_suffix('%').unwrap_or(text)),
        Unit::Cores => quantity(text).map(|cores| cores.to_nanocores().0 as f64),
        Unit::Bytes => quantity(text).map(Quantity::to_f64),
        Unit::BytesPerSecond => quantity(per_second(text)).map(Quantity::to_f64),
        Unit::Seconds | Unit::Duration => seconds(text),
        Unit::Flag => flag(text),
    };
    let value = value.filter(|value| value.is_finite());
    value.ok_or_else(|| format!("{} is compared with {}", field.name(), expected(field)))
}

fn per_second(text: &str) -> &str {
    text.strip_suffix("/s").unwrap_or(text)
}

/// The hint for an amount without a unit, or with a unit of another meaning. `None` for a clear amount, or for other
/// text.
fn with_unit(unit: Unit, text: &str) -> Option<String> {
    let text = match unit {
        Unit::BytesPerSecond => per_second(text),
        _ => text,
    };
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (amount, suffix) = text.split_at_checked(digits.unwrap_or(text.len()))?;
    let number = plain(amount).filter(|number| *number > 0.0)?;
    match (unit, suffix) {
        (Unit::Cores | Unit::Bytes, "%") => {
            let what = if unit == Unit::Cores { "cpu" } else { "mem" };
            Some(format!(
                "for a part of the limit write {what}%limit>{amount}"
            ))
        }
        (Unit::Cores, "") if number.fract() == 0.0 && !amount.contains('.') => Some(format!(
            "cores or millicores? write {amount}m for millicores, {amount}.0 for cores"
        )),
        (Unit::Cores, "M") => Some(format!("M means million: write {amount}m for millicores")),
        (Unit::Bytes | Unit::BytesPerSecond, "") => Some(format!(
            "the unit is missing: write {amount}Mi or {amount}Gi"
        )),
        (Unit::Bytes | Unit::BytesPerSecond, "m") => {
            Some(format!("m means a thousandth: write {amount}Mi"))
        }
        (Unit::Bytes | Unit::BytesPerSecond, _) => {
            // `1GB`, `512mb`, `1GiB`, `2g`: units that Kubernetes does not support.
            let is_quantity = text.parse::<Quantity>().is_ok();
            let mut letters = suffix.chars();
            let first = letters.next()?.to_ascii_uppercase();
            let rest = letters.as_str().to_ascii_lowercase();
            let is_unit = matches!(first, 'K' | 'M' | 'G' | 'T' | 'P')
                && matches!(rest.as_str(), "" | "b" | "i" | "ib");
            (is_unit && !is_quantity).then(|| format!("write {amount}{first}i"))
        }
        _ => None,
    }
}

/// What a field can be compared with, with an example.
fn expected(field: Field) -> &'static str {
    match field.unit() {
        Unit::Text => "text",
        Unit::Count => "a number, like 3",
        Unit::Cores => "CPU, like 500m or 1.5",
        Unit::Bytes => "an amount, like 512Mi or 1Gi",
        Unit::BytesPerSecond => "bytes a second, like 10Mi",
        Unit::Percent => "percent, like 80",
        Unit::Seconds | Unit::Duration => "a time, like 90s, 1h30m or 2d",
        Unit::Flag => "true or false",
    }
}

/// An example of an operator and a value for a field: `>500m`.
pub(super) fn example(field: Field) -> &'static str {
    match field.unit() {
        Unit::Text => "=NAME",
        Unit::Count => ">3",
        Unit::Cores => ">500m",
        Unit::Bytes => ">1Gi",
        Unit::BytesPerSecond => ">10Mi",
        Unit::Percent => ">80",
        Unit::Seconds => "<10m",
        Unit::Duration => ">10m",
        Unit::Flag => "=true",
    }
}

fn plain(text: &str) -> Option<f64> {
    // Rust also parses `inf`, `nan` and `1e9`.
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| digits)
}

/// Parses a quantity that is not negative.
fn quantity(text: &str) -> Option<Quantity> {
    let quantity = text.parse().ok()?;
    Some(quantity).filter(|quantity| *quantity >= Quantity::default())
}

/// Parses a duration as in Go, with additional years, weeks and days in front.
fn seconds(text: &str) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    let mut rest = text;
    let mut total = 0.0;
    for (unit, length) in [('y', 365.0 * DAY), ('w', 7.0 * DAY), ('d', DAY)] {
        if let Some((number, after)) = rest.split_once(unit) {
            total += plain(number)? * length;
            rest = after;
        }
    }
    if rest.is_empty() && !text.is_empty() {
        return Some(total);
    }
    let small: GoDuration = rest.parse().ok()?;
    Some(total + small.as_secs_f64()).filter(|seconds| *seconds >= 0.0)
}

fn flag(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_of_their_field() {
        for (field, text, value) in [
            (Field::Cpu, "500m", 500e6),
            (Field::Cpu, "1.5", 1.5e9),
            (Field::Memory, "1Gi", 1_073_741_824.0),
            (Field::Memory, "0", 0.0),
            (Field::Memory, "500M", 500e6),
            (Field::Cpu, "2.0", 2e9),
            (Field::Cpu, "0", 0.0),
            (Field::Network, "1Mi/s", 1_048_576.0),
            (Field::MemoryOfLimit, "80", 80.0),
            (Field::MemoryOfLimit, "80%", 80.0),
            (Field::Restarts, "3", 3.0),
            (Field::Age, "90s", 90.0),
            (Field::Age, "2d", 172_800.0),
            (Field::Age, "1w1d12h", 734_400.0),
            (Field::Ready, "true", 1.0),
            (Field::Ready, "No", 0.0),
        ] {
            assert_eq!(parse(field, text), Ok(value), "{text}");
        }
        assert!(parse(Field::Age, "").is_err());
    }
}
