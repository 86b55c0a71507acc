//! An item of a list.

use serde::Serialize;

use crate::quantity::Quantity;
use crate::wire::protobuf::{message, string};

/// A value of a metric.
pub trait Item: Serialize {
    /// Appends its protobuf message.
    fn write_protobuf(&self, out: &mut Vec<u8>);
}

/// Appends a quantity.
pub(super) fn write_quantity(out: &mut Vec<u8>, field: u8, quantity: Quantity) {
    message(out, field, |out| string(out, 1, &quantity.to_string()));
}
