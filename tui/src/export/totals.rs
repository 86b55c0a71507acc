//! The row of totals.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use crate::model::row::Value;
use crate::model::{AnyTable, Field, Unit};

/// The sum of a field over rows; for a percentage the ratio of the sums. `None` if no row has a value, or if a sum
/// means nothing.
pub(super) fn total(
    table: &dyn AnyTable,
    rows: &[u32],
    field: Field,
    now: Timestamp,
) -> Option<Value<'static>> {
    let number = |at: u32, field: Field| table.value(at, field)?.number(now);
    let sum = || {
        let numbers = rows.iter().filter_map(|at| number(*at, field));
        numbers.fold(None, |sum: Option<f64>, number| {
            Some(sum.unwrap_or_default() + number)
        })
    };
    Some(match field.unit() {
        Unit::Cores => Value::Cpu(Nanocores(whole(sum()?)).into()),
        Unit::Bytes => Value::Memory(Bytes(whole(sum()?)).into()),
        Unit::BytesPerSecond => Value::Rate(Some(whole(sum()?))),
        // Two rows can be on the same node.
        Unit::Count if field != Field::Nodes => Value::Count(whole(sum()?)),
        Unit::Percent => {
            let (part, whole) = ratio(field)?;
            // A row without the whole, for example without a limit, says nothing about the ratio.
            let pairs = rows.iter().filter_map(|at| {
                let whole = number(*at, whole).filter(|whole| *whole > 0.0)?;
                Some((number(*at, part)?, whole))
            });
            let (part, whole) =
                pairs.fold((0.0, 0.0), |(a, b), (part, whole)| (a + part, b + whole));
            Value::Part((whole > 0.0).then(|| part / whole))
        }
        _ => return None,
    })
}

/// The two fields of a percentage.
const fn ratio(field: Field) -> Option<(Field, Field)> {
    Some(match field {
        Field::CpuPercent => (Field::Cpu, Field::CpuAllocatable),
        Field::CpuOfRequest => (Field::Cpu, Field::CpuRequest),
        Field::CpuOfLimit => (Field::Cpu, Field::CpuLimit),
        Field::CpuRequested => (Field::CpuRequest, Field::CpuAllocatable),
        Field::MemoryPercent => (Field::Memory, Field::MemoryAllocatable),
        Field::MemoryOfRequest => (Field::Memory, Field::MemoryRequest),
        Field::MemoryOfLimit => (Field::Memory, Field::MemoryLimit),
        Field::MemoryRequested => (Field::MemoryRequest, Field::MemoryAllocatable),
        _ => return None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is clamped when it is cast, and none of these is negative"
)]
fn whole(number: f64) -> u64 {
    number as u64
}
