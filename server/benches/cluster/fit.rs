//! The cost law: a straight line through measured points.

/// `y = fixed + slope · x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) fixed: f64,
    pub(crate) slope: f64,
    /// The part of the variance that the line explains (R²).
    pub(crate) explained: f64,
}

impl Line {
    /// The line with the least squares of distances; none for fewer than two different `x`.
    pub(crate) fn through(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
        let (x, y) = (mean(|it| it.0), mean(|it| it.1));
        let sum = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|it| value(it.0 - x, it.1 - y)).sum()
        };
        let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
        (xx > 0.0).then(|| Self {
            fixed: y - xy / xx * x,
            slope: xy / xx,
            explained: if yy > 0.0 { xy * xy / (xx * yy) } else { 1.0 },
        })
    }

    /// The value at `x`.
    pub(crate) fn at(self, x: f64) -> f64 {
        self.fixed + self.slope * x
    }

    /// The `x` with this value.
    pub(crate) fn reaches(self, y: f64) -> f64 {
        (y - self.fixed) / self.slope
    }
}
