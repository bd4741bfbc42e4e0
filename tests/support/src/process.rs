use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything a test starts may take before it is ended.
const PATIENCE: Duration = Duration::from_secs(600);

/// A process that has ended.
#[derive(Debug)]
pub struct Done {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Done {
    /// The exit code; -1 after a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The same, if it ended with code 0; panics with everything it said otherwise.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{}\n{}{}", self.status, self.stdout, self.stderr);
        self
    }

    /// The same, if it ended with this code and named this finding.
    #[track_caller]
    pub fn fails(self, exit: i32, finding: &str) -> Self {
        assert!(
            self.code() == exit && self.stderr.contains(finding),
            "expected exit code {exit} and {finding}: {}\n{}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A process of a test's own; it is ended, by its id, when this is dropped.
pub struct Running {
    child: Child,
    started: Instant,
    stdout: Collected,
    stderr: Collected,
}

/// What a stream gave so far, and the thread that reads it.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error ends what can be kept; the exit status tells the rest.
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                shared.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        // It may have ended by itself just now.
        let _ = self.child.kill();
    }

    /// Waits for its end.
    pub fn finish(mut self, patience: Duration) -> Done {
        let deadline = Instant::now() + patience;
        let mut late = false;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if !late && Instant::now() > deadline {
                late = true;
                self.kill();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = self.started.elapsed();
        let (stdout, stderr) = (self.stdout.whole(), self.stderr.whole());
        assert!(!late, "not over after {patience:?}\n{stdout}{stderr}");
        Done { status, stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Starts a command with nothing on its standard input; what it writes is kept.
#[track_caller]
pub fn start(command: &mut Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{:?}: {e}", command.get_program()));
    let stdout = Collected::of(child.stdout.take().unwrap());
    let stderr = Collected::of(child.stderr.take().unwrap());
    Running { child, started: Instant::now(), stdout, stderr }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Done {
    run_within(command, PATIENCE)
}

/// Runs a command that must end in time.
#[track_caller]
pub fn run_within(command: &mut Command, patience: Duration) -> Done {
    start(command).finish(patience)
}
