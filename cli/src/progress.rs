//! Progress bars on a terminal, plain lines elsewhere, nothing that counts on standard output.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use runtime::{Progress, Task};

/// Progress on standard error.
pub(crate) struct Terminal {
    bars: Option<MultiProgress>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { bars: shown.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12))) }
    }
}

struct Bar(Option<ProgressBar>);

impl Task for Bar {
    fn advance(&self, amount: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(amount);
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Terminal {
    fn task(&self, title: &str, total: u64) -> Box<dyn Task> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = if total > 0 { ProgressBar::new(total) } else { ProgressBar::new_spinner() };
            let template = if total > 0 {
                "{msg:40!} {bar:30} {bytes:>10} of {total_bytes}"
            } else {
                "{msg:40!} {spinner} {bytes:>10}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(title.to_owned());
            bars.add(bar)
        });
        Box::new(Bar(bar))
    }

    fn step(&self, title: &str) -> Box<dyn Task> {
        let Some(bars) = &self.bars else {
            anstream::eprintln!("{title}");
            return Box::new(Bar(None));
        };
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{msg:40!} {spinner} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(title.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Box::new(Bar(Some(bars.add(bar))))
    }

    fn note(&self, text: &str) {
        match &self.bars {
            Some(bars) => drop(bars.println(text)),
            None => anstream::eprintln!("{text}"),
        }
    }
}

/// Tells, where asked to, which phase of a build begins. Tests that stop a build at a phase listen to it.
pub(crate) fn phase(name: &str) {
    if std::env::var_os("CLNSTRT_TRACE_PHASES").is_some() {
        anstream::eprintln!("phase: {name}");
    }
}
