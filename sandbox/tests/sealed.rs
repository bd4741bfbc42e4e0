//! What a command sees and reaches.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use sandbox::Owners;
use support::{Trial, outside};

fn names(listing: &str) -> BTreeSet<&str> {
    listing.split_whitespace().collect()
}

#[test]
fn only_the_layers_are_seen() {
    for mut trial in Trial::each() {
        let layer = trial
            .layer("second", &[("etc/greeting", "hello\n"), ("proc/version", "of a layer"), ("dev/sda", "of a layer")]);
        trial.room.layers.push(layer);
        let root = trial.sh("ls -A /").success();
        let own = fs::read_dir(&trial.room.layers[0]).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut expected: BTreeSet<String> = own.collect();
        expected.extend(["dev", "etc", "proc", "tmp"].map(str::to_owned));
        assert_eq!(names(&root), expected.iter().map(String::as_str).collect());
        assert_eq!(trial.sh("cat /etc/greeting").success(), "hello\n");
        let devices = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"];
        assert_eq!(
            names(&trial.sh("ls -A /dev /dev/shm").success()),
            ["/dev:", "/dev/shm:"].into_iter().chain(devices).collect()
        );
    }
}

#[test]
fn no_path_of_the_machine_is_seen() {
    for mut trial in Trial::each() {
        let mounts = trial.sh("cat /proc/self/mountinfo /proc/self/mounts").success();
        let points: BTreeSet<&str> =
            mounts.lines().filter(|l| l.contains(" - ")).map(|l| l.split(' ').nth(4).unwrap()).collect();
        let devices = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
        assert_eq!(points, ["/", "/dev", "/dev/shm", "/proc"].into_iter().chain(devices).collect());
        let place = trial.path().to_str().unwrap().to_owned();
        assert!(!mounts.contains(&place), "{mounts}");
        assert!(fs::read_to_string("/proc/self/mounts").unwrap().lines().count() > 1);
    }
}

#[test]
fn processes_of_the_machine_are_not_seen() {
    for mut trial in Trial::each() {
        let proc = trial.sh("ls /proc; cat /proc/self/cgroup").success();
        let numbers: Vec<u32> = names(&proc).iter().filter_map(|name| name.parse().ok()).collect();
        // The shell, and ls; PID 1 is hidden.
        assert_eq!(numbers.len(), 2, "{proc}");
        assert!(!numbers.contains(&1), "{proc}");
        assert!(names(&proc).contains("self"));
        for file in ["cpuinfo", "meminfo", "version", "sys", "net/dev", "kallsyms", "1/status", "1/environ", "1/root"] {
            let outcome = trial.sh(&format!("cat /proc/{file} 2>&1 || ls /proc/{file}"));
            assert!(!outcome.report.succeeded(), "{file}: {}", outcome.log);
        }
    }
}

#[test]
fn a_command_has_no_descriptor_but_its_three() {
    let file = fs::File::open("/etc/passwd").unwrap();
    // One that a careless library left open for children.
    let left = rustix::io::fcntl_dupfd_cloexec(&file, 100).unwrap();
    rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).unwrap();
    for mut trial in Trial::each() {
        let script = "for fd in /proc/$$/fd/*; do echo ${fd##*/} $(readlink $fd); done";
        let listing = trial.sh(script).success();
        let lines: Vec<&str> = listing.lines().collect();
        assert_eq!(lines.first(), Some(&"0 /dev/null"), "{listing}");
        // The shell has one more: to what it runs.
        let pipes = ["1 pipe:", "2 pipe:", "3 pipe:"];
        assert!(
            lines.len() == 4 && lines.iter().skip(1).zip(pipes).all(|(line, pipe)| line.starts_with(pipe)),
            "{listing}"
        );
    }
    drop(left);
}

#[test]
fn user_names_directory_and_environment_are_fixed() {
    for mut trial in Trial::each() {
        trial.room.env.insert("WORD".into(), "two words".into());
        assert_eq!(trial.run(&["id", "-u"]).success(), "1000\n");
        assert_eq!(trial.run(&["id", "-g"]).success(), "1000\n");
        assert_eq!(trial.run(&["uname", "-n"]).success(), "clnstrt\n");
        assert_eq!(trial.run(&["readlink", "/proc/self/cwd"]).success(), "/work\n");
        assert_eq!(trial.run(&["env"]).success(), "PATH=/bin\nWORD=two words\n");
        assert_eq!(trial.sh("umask").success(), "0022\n");
        assert_eq!(trial.sh("cat /proc/$$/stat").success().split(' ').nth(6).unwrap(), "0", "a terminal");
        assert_eq!(trial.sh("ulimit -c; ulimit -l").success(), "0\n0\n");
        assert_eq!(trial.run(&["cat"]).success(), "", "standard input");
    }
}

#[test]
fn no_capability_is_left() {
    for mut trial in Trial::each() {
        let status = trial.run(&["cat", "/proc/self/status"]).success();
        let field = |name: &str| {
            status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{name}")).trim().to_owned()
        };
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(field(set), "0000000000000000", "{set}");
        }
        assert_eq!(
            (field("NoNewPrivs:"), field("Seccomp:"), field("Uid:")),
            ("1".into(), "2".into(), "1000\t1000\t1000\t1000".into())
        );
    }
}

#[test]
fn a_program_with_the_setuid_bit_gives_nothing() {
    for mut trial in Trial::each() {
        let probe = trial.room.layers[0].join("bin/probe");
        fs::set_permissions(&probe, fs::Permissions::from_mode(0o6755)).unwrap();
        assert_eq!(fs::metadata(&probe).unwrap().mode() & 0o7777, 0o6755);
        assert_eq!(trial.run(&["probe", "setuid"]).success(), "EINVAL\n", "there is no user 0");
        let copied = trial.sh("cp /bin/probe own && chmod 6755 own && ./own setuid && stat -c %a own").success();
        assert_eq!(copied, "EINVAL\n6755\n");
    }
}

#[test]
fn calls_that_a_build_does_not_need_are_missing() {
    let there = outside(&["calls"]);
    // Where these tests run in a container, its filter may hide some.
    assert!(there.lines().filter(|line| line.ends_with(": there")).count() > 40, "{there}");
    for mut trial in Trial::each() {
        let calls = trial.run(&["probe", "calls"]).success();
        assert_eq!(calls.lines().count(), there.lines().count());
        assert_eq!(calls.lines().filter(|line| !line.ends_with(": missing")).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

#[test]
fn other_interfaces_of_the_kernel_are_closed() {
    for mut trial in Trial::each() {
        assert_eq!(trial.run(&["probe", "call", "getpid"]).success(), "ok\n");
        assert_eq!(trial.run(&["probe", "call", "personality"]).success(), "ok\n");
        assert_eq!(trial.run(&["probe", "call", "x32"]).success(), "ENOSYS\n");
        assert_eq!(trial.run(&["probe", "call", "unknown"]).success(), "ENOSYS\n");
        let killed = trial.run(&["probe", "foreign"]);
        let by = if cfg!(target_arch = "x86_64") { libc::SIGSYS } else { libc::SIGABRT };
        assert_eq!(killed.statuses(), [sandbox::Status::Signal(by)]);
    }
}

#[test]
fn nothing_reaches_a_socket() {
    let tcp = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("[::1]:0").unwrap()];
    let own = UdpSocket::bind("0.0.0.0:0").unwrap();
    own.connect("192.0.2.1:9").unwrap();
    let address = own.local_addr().unwrap().ip();
    let every = TcpListener::bind("0.0.0.0:0").unwrap();
    let addresses = [
        tcp[0].local_addr().unwrap().to_string(),
        tcp[1].local_addr().unwrap().to_string(),
        format!("{address}:{}", every.local_addr().unwrap().port()),
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let _path = UnixListener::bind(&path).unwrap();
    let path = path.to_str().unwrap();
    let name = format!("room-{}", std::process::id());
    let _name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    for address in &addresses {
        assert_eq!(outside(&["connect", address]), "ok\n", "{address}");
    }
    assert_eq!(outside(&["unix", path]), "ok\n");
    assert_eq!(outside(&["abstract", &name]), "ok\n");
    for mut trial in Trial::each() {
        for (address, answer) in addresses.iter().zip(["ENETUNREACH\n", "EADDRNOTAVAIL\n", "ENETUNREACH\n"]) {
            assert_eq!(trial.run(&["probe", "connect", address]).success(), answer, "{address}");
        }
        assert_eq!(trial.run(&["probe", "unix", path]).success(), "ENOENT\n");
        assert_eq!(trial.run(&["probe", "abstract", &name]).success(), "ECONNREFUSED\n");
        assert_eq!(trial.run(&["probe", "loopback"]).success(), "EPERM\n");
        for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
            assert_eq!(trial.run(&["probe", "socket", &family.to_string()]).success(), "ok\n");
        }
    }
}

#[test]
fn what_is_written_is_in_upper_and_nowhere_else() {
    for mut trial in Trial::each() {
        let layer = trial.layer("second", &[("etc/one", "1"), ("etc/two", "2"), ("etc/three/four", "4")]);
        trial.room.layers.push(layer);
        let before = listing(&trial.room.layers);
        let script = "echo new > /etc/new; echo more >> /etc/one; rm /etc/two; mkdir /own; mv /etc/three/four /own; echo t > /tmp/t; \
                      chmod 700 /etc; ln -s /etc/one /own/link; cat /etc/one /etc/new /own/four; echo x > /dev/shm/x";
        assert_eq!(trial.sh(script).success(), "1more\nnew\n4");
        assert_eq!(listing(&trial.room.layers), before);
        let read = |path: &str| fs::read_to_string(trial.written(path)).unwrap();
        assert_eq!(
            (read("etc/new"), read("etc/one"), read("own/four"), read("tmp/t")),
            ("new\n".into(), "1more\n".into(), "4".into(), "t\n".into())
        );
        let top: BTreeSet<String> =
            fs::read_dir(trial.written("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(top, ["etc", "own", "tmp"].map(str::to_owned).into());
    }
}

/// Paths, modes, owners, times of change, and contents.
fn listing(paths: &[impl AsRef<Path>]) -> Vec<String> {
    let mut lines = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let data = fs::symlink_metadata(path).unwrap();
        let text = if data.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        lines.push(format!(
            "{path:?} {:o} {} {} {}.{} {text:?}",
            data.mode(),
            data.uid(),
            data.nlink(),
            data.ctime(),
            data.ctime_nsec()
        ));
        if data.is_dir() {
            let mut inner: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            inner.sort();
            lines.extend(listing(&inner));
        }
    }
    lines
}

#[test]
fn an_upper_layer_covers_a_lower_one() {
    for mut trial in Trial::each() {
        for (name, text) in [("a", "first"), ("b", "second"), ("c", "third")] {
            let layer = trial.layer(name, &[("shared", text), (name, "own")]);
            trial.room.layers.push(layer);
        }
        assert_eq!(trial.sh("cat /shared /a /b /c").success(), "thirdownownown");
        // Again, with the lowest at the top too.
        let first = trial.path().join("a");
        trial.room.layers.push(first);
        assert_eq!(trial.sh("cat /shared").success(), "first");
    }
}

#[test]
fn files_of_the_layers_are_the_commands_own() {
    for mut trial in Trial::each() {
        let outcome = trial.run(&["stat", "-c", "%u:%g", "/bin/probe", "/work", "/", "/tmp", "/dev/shm"]);
        let owners = outcome.report.owners;
        assert_eq!(outcome.success(), "1000:1000\n".repeat(5));
        let root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let caller = fs::metadata(&trial.room.layers[0]).unwrap().uid();
        assert_eq!(owners, if root && caller == 0 { Owners::Mapped } else { Owners::Caller });
        trial.sh("echo x > own").success();
        let owner = fs::metadata(trial.written("work/own")).unwrap().uid();
        assert_eq!(owner, if caller == 0 { sandbox::BUILD_ID } else { caller });
    }
}

#[test]
fn another_build_user_is_not_seen_from_within() {
    for mut trial in Trial::each() {
        trial.room.build_id = sandbox::BUILD_ID - 1;
        let script = "stat -c %u:%g /bin/probe /work .; id -u; echo x > own";
        assert_eq!(trial.sh(script).success(), "1000:1000\n".repeat(3) + "1000\n");
        let caller = fs::metadata(&trial.room.layers[0]).unwrap().uid();
        let owner = fs::metadata(trial.written("work/own")).unwrap().uid();
        assert_eq!(owner, if caller == 0 { sandbox::BUILD_ID - 1 } else { caller });
    }
}

#[test]
fn layers_may_lie_where_only_the_caller_comes() {
    for mut trial in Trial::each() {
        fs::set_permissions(trial.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(trial.sh("echo here").success(), "here\n");
        let inner = trial.layer("closed/inner", &[("one", "1")]);
        fs::set_permissions(trial.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
        trial.hand_over(&trial.path().join("closed"));
        trial.room.layers.push(inner);
        assert_eq!(trial.sh("cat /one").success(), "1");
    }
}

#[test]
fn devices_work() {
    for mut trial in Trial::each() {
        let script = "head -c 4 /dev/zero | cat >/dev/null; head -c 8 /dev/urandom >/dev/shm/x; stat -c %s /dev/shm/x; \
                      echo out >/dev/stdout; echo err >/dev/stderr; echo full >/dev/full || echo refused; rm -f /dev/null; echo x >/dev/null; \
                      ls -d /dev/null";
        let log = trial.sh(script).log;
        assert!(log.starts_with("8\nout\nerr\n"), "{log}");
        assert!(log.contains("refused\n") && log.ends_with("/dev/null\n"), "{log}");
    }
}
