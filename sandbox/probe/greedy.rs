//! What uses more than it may.

use std::fs;
use std::time::Duration;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(1000);

/// Leaves a process behind, in a session of its own, that ignores whatever can be ignored and writes to the output.
pub(crate) fn orphan() {
    // SAFETY: this program has one thread; the calls take numbers only.
    unsafe {
        if libc::fork() != 0 {
            return;
        }
        libc::setsid();
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
    loop {
        println!("still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Forks until that fails, and keeps all.
pub(crate) fn fork_for_ever() {
    // SAFETY: this program has one thread.
    while unsafe { libc::fork() } > 0 {}
    std::thread::sleep(LONG);
}

/// Keeps this many threads, or fails.
pub(crate) fn threads(number: u64) {
    for _ in 0..number {
        std::thread::Builder::new().stack_size(64 << 10).spawn(|| std::thread::sleep(LONG)).unwrap();
    }
    println!("all there");
    std::thread::sleep(LONG);
}

/// Uses this much memory, a piece at a time.
pub(crate) fn memory(bytes: usize) {
    let mut kept = Vec::new();
    while kept.len() << 20 < bytes {
        let mut piece = vec![0_u8; 1 << 20];
        for page in piece.chunks_mut(4096) {
            page[0] = 1;
        }
        kept.push(piece);
    }
    println!("all there");
    std::thread::sleep(LONG);
}

/// The same, in memory that could be shared.
pub(crate) fn shared_memory(bytes: usize) {
    // SAFETY: a new mapping, that is long enough for every write.
    unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let all = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_ne!(all, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
        for page in (0..bytes).step_by(4096) {
            all.cast::<u8>().add(page).write_volatile(1);
        }
    }
    println!("all there");
    std::thread::sleep(LONG);
}

/// Writes small files for ever.
pub(crate) fn files() {
    for number in 0_u64.. {
        let dir = format!("{}", number / 1000);
        fs::create_dir_all(&dir).unwrap();
        fs::write(format!("{dir}/{number}"), "x").unwrap();
    }
}

/// Makes directories inside of each other, the last of which nobody may enter.
pub(crate) fn deep(levels: u64) {
    for _ in 0..levels {
        fs::create_dir("d").unwrap();
        std::env::set_current_dir("d").unwrap();
    }
    fs::write("file", "x").unwrap();
    fs::set_permissions(".", std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
}

/// Hides from whoever may not look into any process, and uses 64 MiB for a while.
pub(crate) fn undumpable() {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    memory(64 << 20);
}
