use std::fmt;

use super::measure::Series;

/// What a benchmark prints. It compares and never fails: times depend on the machine.
#[derive(Default)]
pub(crate) struct Report {
    /// Series by name; the first is what others are compared with.
    pub(crate) rows: Vec<(&'static str, Series)>,
    limits: Vec<(&'static str, f64, f64)>,
    comparisons: Vec<Comparison>,
    sizes: Vec<(&'static str, f64)>,
}

/// The same work done by another tool and by us.
struct Comparison {
    what: &'static str,
    theirs: Series,
    ours: Series,
    wanted: f64,
}

impl Report {
    /// A value and what it should stay under.
    pub(crate) fn limit(&mut self, what: &'static str, value: f64, limit: f64) {
        self.limits.push((what, value, limit));
    }

    /// The same work done by another tool and by us, and how many times our processor time the other should need.
    pub(crate) fn compare(&mut self, what: &'static str, theirs: Series, ours: Series, wanted: f64) {
        self.comparisons.push(Comparison { what, theirs, ours, wanted });
    }

    /// Another tool's compressed size over ours.
    pub(crate) fn size(&mut self, tool: &'static str, ratio: f64) {
        self.sizes.push((tool, ratio));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rows.is_empty() {
            writeln!(f, "\n{:<52} {:>9} {:>9} {:>9} {:>8}", "", "min s", "median s", "max s", "ratio")?;
        }
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
        for Comparison { what, theirs, ours, wanted } in &self.comparisons {
            let mut line = |kind: &str, theirs: f64, ours: f64, verdict: &str| {
                let (what, ratio) = (format!("{what}, {kind}"), theirs / ours);
                writeln!(f, "{what:<52} {ratio:>9.2}  {theirs:.3} s over {ours:.3} s{verdict}")
            };
            let (cpu, our_cpu) = (theirs.median_cpu(), ours.median_cpu());
            let verdict = if cpu / our_cpu >= *wanted { "at least" } else { "UNDER" };
            line("CPU", cpu, our_cpu, &format!("  {verdict} {wanted}"))?;
            line("wall", theirs.median(), ours.median(), "")?;
        }
        for (tool, ratio) in &self.sizes {
            writeln!(f, "{:<52} {ratio:>9.3}", format!("compressed size, {tool} over clnstrt"))?;
        }
        Ok(())
    }
}
