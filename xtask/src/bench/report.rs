use std::fmt;

use super::measure::Series;

/// What a benchmark prints. It compares and never fails: times depend on the machine.
#[derive(Default)]
pub(crate) struct Report {
    /// Series by name; the first is what others are compared with.
    pub(crate) rows: Vec<(&'static str, Series)>,
    limits: Vec<(&'static str, f64, f64)>,
    sizes: Vec<(&'static str, f64)>,
}

impl Report {
    /// A value and what it should stay under.
    pub(crate) fn limit(&mut self, what: &'static str, value: f64, limit: f64) {
        self.limits.push((what, value, limit));
    }

    /// Another tool's compressed size over ours.
    pub(crate) fn size(&mut self, tool: &'static str, ratio: f64) {
        self.sizes.push((tool, ratio));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<52} {:>9} {:>9} {:>9} {:>8}", "", "min s", "median s", "max s", "ratio")?;
        let base = self.rows.first().map_or(f64::NAN, |(_, series)| series.median());
        for (name, series) in &self.rows {
            let (min, median, max) = (series.min(), series.median(), series.max());
            writeln!(f, "{name:<52} {min:>9.3} {median:>9.3} {max:>9.3} {:>7.2}×", median / base)?;
        }
        writeln!(f)?;
        for (what, value, limit) in &self.limits {
            match limit.is_finite() {
                false => writeln!(f, "{what:<52} {value:>9.2}")?,
                true if value < limit => writeln!(f, "{what:<52} {value:>9.2}  within {limit}")?,
                true => writeln!(f, "{what:<52} {value:>9.2}  OVER {limit}")?,
            }
        }
        for (tool, ratio) in &self.sizes {
            writeln!(f, "{:<52} {ratio:>9.3}", format!("compressed size, {tool} over clnstrt"))?;
        }
        Ok(())
    }
}
