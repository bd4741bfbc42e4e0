//! How long-running work tells people what it does. The runtime itself prints nothing.

/// One visible piece of work.
pub trait Task: Send + Sync {
    /// How much of it is done, in the unit it was started with.
    fn advance(&self, amount: u64);
    /// It is over.
    fn finish(&self);
}

/// Receives what happens during a build; the command line shows it, tests ignore it.
pub trait Progress: Send + Sync {
    /// A piece of work starts; `total` is in bytes, 0 where unknown.
    fn task(&self, title: &str, total: u64) -> Box<dyn Task>;
    /// A step of unknown length starts, such as compiling something.
    fn step(&self, title: &str) -> Box<dyn Task>;
    /// Something a person reading the log should know.
    fn note(&self, text: &str);
}

/// Shows nothing.
pub struct Quiet;

impl Task for Quiet {
    fn advance(&self, _amount: u64) {}
    fn finish(&self) {}
}

impl Progress for Quiet {
    fn task(&self, _title: &str, _total: u64) -> Box<dyn Task> {
        Box::new(Quiet)
    }
    fn step(&self, _title: &str) -> Box<dyn Task> {
        Box::new(Quiet)
    }
    fn note(&self, _text: &str) {}
}
