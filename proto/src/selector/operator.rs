//! The operators of label selectors.

/// What a requirement demands of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`: the label is there with this value.
    Equals,
    /// `==`: the same.
    DoubleEquals,
    /// `!=`: it has another value or is not there.
    NotEquals,
    /// `in (…)`: it has one of the values.
    In,
    /// `notin (…)`: it has none of the values or is not there.
    NotIn,
    /// `key`: it is there.
    Exists,
    /// `!key`: it is not there.
    DoesNotExist,
    /// `>`: its value is a larger integer.
    GreaterThan,
    /// `<`: its value is a smaller integer.
    LessThan,
}
