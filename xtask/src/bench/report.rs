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

/// The same work done by another tool and by us, and how many times ours the other should need.
struct Comparison {
    what: &'static str,
    theirs: Series,
    ours: Series,
    wanted: Vec<(Measure, f64)>,
}

/// What two tools are compared by; medians of all runs, of memory the most that any needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Seconds of all processors together.
    Cpu,
    /// Seconds that pass.
    Wall,
    /// MiB at once.
    Memory,
}

impl Report {
    /// A value and what it should stay under.
    pub(crate) fn limit(&mut self, what: &'static str, value: f64, limit: f64) {
        self.limits.push((what, value, limit));
    }

    /// The same work done by another tool and by us, and how many times ours the other should need of what.
    pub(crate) fn compare(&mut self, what: &'static str, theirs: Series, ours: Series, wanted: &[(Measure, f64)]) {
        self.comparisons.push(Comparison { what, theirs, ours, wanted: wanted.to_vec() });
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
                true if value <= limit => writeln!(f, "{what:<52} {value:>9.2}  within {limit}")?,
                true => writeln!(f, "{what:<52} {value:>9.2}  OVER {limit}")?,
            }
        }
        for Comparison { what, theirs, ours, wanted } in &self.comparisons {
            for (measure, kind, of) in [
                (Measure::Cpu, "CPU s", Series::median_cpu as fn(&Series) -> f64),
                (Measure::Wall, "wall s", Series::median),
                (Measure::Memory, "memory MiB", Series::peak_mib),
            ] {
                let (theirs, ours) = (of(theirs), of(ours));
                let ratio = theirs / ours;
                let verdict = wanted
                    .iter()
                    .find(|(of, _)| *of == measure)
                    .map(|(_, wanted)| format!("  {} {wanted}", if ratio >= *wanted { "at least" } else { "UNDER" }));
                let (what, verdict) = (format!("{what}, {kind}"), verdict.unwrap_or_default());
                writeln!(f, "{what:<58} {ratio:>9.2}  {theirs:.3} over {ours:.3}{verdict}")?;
            }
        }
        for (tool, ratio) in &self.sizes {
            writeln!(f, "{:<52} {ratio:>9.3}", format!("compressed size, {tool} over clnstrt"))?;
        }
        Ok(())
    }
}
