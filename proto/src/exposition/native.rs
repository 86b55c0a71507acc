//! Native histograms: exponential buckets, of which only those with observations are written.

use super::labels::SampleLabels;
use crate::wire::protobuf::{Fields, Malformed, Numbers, zigzag};

/// The schemas with exponential buckets. That of custom buckets, -53, is in no exposition format.
const SCHEMAS: std::ops::RangeInclusive<i64> = -4..=8;

/// A native histogram. The page stays encoded; [`NativeHistogram::positive`] decodes it bucket by bucket.
#[derive(Debug, Clone, Copy)]
pub struct NativeHistogram<'a> {
    /// Its labels.
    pub labels: SampleLabels<'a>,
    /// Milliseconds since the Unix epoch, if the program gives a time; may be negative.
    pub timestamp_ms: Option<i64>,
    /// The resolution, from -4 to 8: a bucket is `2^(2^-schema)` times as wide as the one before.
    pub schema: i32,
    /// The largest absolute value of the observations in the zero bucket.
    pub zero_threshold: f64,
    /// The observations in the zero bucket.
    pub zero_count: f64,
    /// The number of observations.
    pub count: f64,
    /// The sum of the observations.
    pub sum: f64,
    shape: Shape<'a>,
}

/// The encoded buckets.
#[derive(Debug, Clone, Copy)]
struct Shape<'a> {
    message: &'a [u8],
    schema: i32,
    /// Whether counts are floats, written as they are, and not integers, written as differences.
    floats: bool,
}

/// A bucket of a native histogram: observations above `lower` up to `upper`; of the negative ones from `lower` to below
/// `upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Its place: the same in all histograms of one schema.
    pub index: i32,
    /// The lower bound.
    pub lower: f64,
    /// The upper bound; infinite above the largest number.
    pub upper: f64,
    /// The number of its observations, not cumulative.
    pub count: f64,
}

/// What makes a histogram unusable.
pub(super) enum Flaw {
    Malformed,
    TooManyBuckets,
}

impl From<Malformed> for Flaw {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Whether the message `Histogram` has a native histogram, by Prometheus' rule.
pub(super) fn is_native(message: &[u8]) -> Result<bool, Malformed> {
    let mut native = false;
    for field in Fields::new(message) {
        native |= match field? {
            (6 | 8, value) => value.f64()? > 0.0,
            (7, value) => value.uint()? > 0,
            (9 | 12, _) => true,
            _ => false,
        };
    }
    Ok(native)
}

/// The scalar fields of the message `Histogram`.
#[derive(Default)]
pub(super) struct Totals {
    count: u64,
    count_float: f64,
    pub(super) sum: f64,
    schema: i64,
    zero_threshold: f64,
    zero_count: u64,
    zero_count_float: f64,
}

impl Totals {
    pub(super) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut totals = Self::default();
        for field in Fields::new(message) {
            match field? {
                (1, value) => totals.count = value.uint()?,
                (2, value) => totals.sum = value.f64()?,
                (4, value) => totals.count_float = value.f64()?,
                (5, value) => totals.schema = zigzag(value.uint()?),
                (6, value) => totals.zero_threshold = value.f64()?,
                (7, value) => totals.zero_count = value.uint()?,
                (8, value) => totals.zero_count_float = value.f64()?,
                _ => {}
            }
        }
        Ok(totals)
    }

    /// The number of observations: the float overrides the integer.
    pub(super) fn count(&self) -> f64 {
        number(self.count, self.count_float)
    }
}

/// A count that is written as an integer, or as a float that overrides it.
pub(super) fn number(integer: u64, float: f64) -> f64 {
    if float > 0.0 { float } else { integer as f64 }
}

impl<'a> NativeHistogram<'a> {
    /// Decodes the message `Histogram`, and checks all of its buckets.
    pub(super) fn decode(
        message: &'a [u8],
        labels: SampleLabels<'a>,
        timestamp_ms: Option<i64>,
        max_buckets: usize,
    ) -> Result<Self, Flaw> {
        let totals = Totals::decode(message)?;
        if !SCHEMAS.contains(&totals.schema) {
            return Err(Flaw::Malformed);
        }
        let schema = i32::try_from(totals.schema).map_err(|_| Malformed)?;
        let floats = totals.count_float > 0.0 || totals.zero_count_float > 0.0;
        let histogram = Self {
            labels,
            timestamp_ms,
            schema,
            zero_threshold: totals.zero_threshold,
            zero_count: number(totals.zero_count, totals.zero_count_float),
            count: totals.count(),
            sum: totals.sum,
            shape: Shape {
                message,
                schema,
                floats,
            },
        };
        let mut in_buckets = histogram.zero_count;
        let mut buckets = 0;
        for sign in [Sign::Positive, Sign::Negative] {
            let mut side = Buckets::new(histogram.shape, sign);
            while let Some((_, count)) = side.step()? {
                buckets += 1;
                if buckets > max_buckets {
                    return Err(Flaw::TooManyBuckets);
                }
                in_buckets += count;
            }
        }
        // Observations of NaN are in no bucket, so there may be fewer.
        let possible = in_buckets <= histogram.count || floats;
        if possible && histogram.zero_threshold >= 0.0 {
            Ok(histogram)
        } else {
            Err(Flaw::Malformed)
        }
    }

    /// The buckets of positive observations, from the lowest.
    #[must_use]
    pub fn positive(&self) -> Buckets<'a> {
        Buckets::new(self.shape, Sign::Positive)
    }

    /// The buckets of negative observations, from the one next to zero.
    #[must_use]
    pub fn negative(&self) -> Buckets<'a> {
        Buckets::new(self.shape, Sign::Negative)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Negative,
}

/// Iterator over the buckets of one sign.
#[derive(Debug, Clone)]
pub struct Buckets<'a> {
    schema: i32,
    sign: Sign,
    floats: bool,
    spans: Repeated<'a>,
    counts: Repeated<'a>,
    /// The place of the next bucket.
    index: i32,
    /// The buckets that are left of the span.
    left: u32,
    /// The count of the bucket before, where counts are written as differences.
    before: i64,
}

impl<'a> Buckets<'a> {
    const fn new(shape: Shape<'a>, sign: Sign) -> Self {
        let Shape {
            message,
            schema,
            floats,
        } = shape;
        let (spans, counts) = match (sign, floats) {
            (Sign::Negative, false) => (9, 10),
            (Sign::Negative, true) => (9, 11),
            (Sign::Positive, false) => (12, 13),
            (Sign::Positive, true) => (12, 14),
        };
        Self {
            schema,
            sign,
            floats,
            spans: Repeated::new(message, spans),
            counts: Repeated::new(message, counts),
            index: 0,
            left: 0,
            before: 0,
        }
    }

    /// The place and the count of the next bucket; none after the last one.
    fn step(&mut self) -> Result<Option<(i32, f64)>, Malformed> {
        while self.left == 0 {
            let Some(span) = self.spans.next_message()? else {
                // Each count has a place.
                return match self.count()? {
                    None => Ok(None),
                    Some(_) => Err(Malformed),
                };
            };
            let mut offset = 0;
            for field in Fields::new(span) {
                match field? {
                    (1, value) => offset = zigzag(value.uint()?),
                    (2, value) => {
                        self.left = u32::try_from(value.uint()?).map_err(|_| Malformed)?;
                    }
                    _ => {}
                }
            }
            let index = i64::from(self.index).checked_add(offset);
            self.index = index
                .and_then(|it| i32::try_from(it).ok())
                .ok_or(Malformed)?;
        }
        let count = self.count()?.ok_or(Malformed)?;
        let index = self.index;
        self.left -= 1;
        self.index = index.checked_add(1).ok_or(Malformed)?;
        Ok(Some((index, count)))
    }

    /// The next count.
    fn count(&mut self) -> Result<Option<f64>, Malformed> {
        if self.floats {
            let count = self.counts.next_number(Numbers::next_f64)?;
            return match count {
                Some(count) if count.is_nan() || count < 0.0 => Err(Malformed),
                count => Ok(count),
            };
        }
        let Some(difference) = self.counts.next_number(Numbers::next_uint)? else {
            return Ok(None);
        };
        let count = self.before.checked_add(zigzag(difference));
        self.before = count.filter(|count| *count >= 0).ok_or(Malformed)?;
        Ok(Some(self.before as f64))
    }
}

impl Iterator for Buckets<'_> {
    type Item = Bucket;

    fn next(&mut self) -> Option<Bucket> {
        // The histogram was checked when it was decoded.
        let (index, count) = self.step().ok().flatten()?;
        let (near, far) = (
            bound(self.schema, i64::from(index) - 1),
            bound(self.schema, i64::from(index)),
        );
        let (lower, upper) = match self.sign {
            Sign::Positive => (near, far),
            Sign::Negative => (-far, -near),
        };
        Some(Bucket {
            index,
            lower,
            upper,
            count,
        })
    }
}

/// The upper bound of the bucket with this index: `2^(index * 2^-schema)`.
fn bound(schema: i32, index: i64) -> f64 {
    // The whole power of two is exact, so that schemas agree on it.
    let (whole, fraction) = if schema <= 0 {
        (index.saturating_mul(1 << -schema), 0.0)
    } else {
        let each = 1 << schema;
        (
            index.div_euclid(each),
            index.rem_euclid(each) as f64 / each as f64,
        )
    };
    // Beyond these bounds all is zero or infinite.
    let whole = whole.clamp(-2_000, 2_000) as f64;
    (whole + fraction).exp2()
}

/// Iterator over the values of a repeated field.
#[derive(Debug, Clone)]
struct Repeated<'a> {
    fields: Fields<'a>,
    number: u32,
    numbers: Numbers<'a>,
}

impl<'a> Repeated<'a> {
    const fn new(message: &'a [u8], number: u32) -> Self {
        Self {
            fields: Fields::new(message),
            number,
            numbers: Numbers::One(None),
        }
    }

    fn next_message(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        for field in self.fields.by_ref() {
            match field? {
                (number, value) if number == self.number => return value.bytes().map(Some),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next number, which `next` takes.
    fn next_number<T>(
        &mut self,
        next: impl Fn(&mut Numbers<'a>) -> Option<Result<T, Malformed>>,
    ) -> Result<Option<T>, Malformed> {
        loop {
            if let Some(number) = next(&mut self.numbers) {
                return number.map(Some);
            }
            let Some(field) = self.fields.next() else {
                return Ok(None);
            };
            let (number, value) = field?;
            if number == self.number {
                self.numbers = value.numbers();
            }
        }
    }
}
