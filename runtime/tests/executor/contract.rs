//! What every executor promises; an executor is given as a function of its limits.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use model::{Code, Finding, codes};
use runtime::execute::{Executors, Limits, limits};

use crate::world::{Done, World};

type Make<'a> = &'a dyn Fn(Limits) -> Executors;

/// Runs the whole suite.
pub(crate) fn keep(make: Make) {
    commands_run_in_order_and_what_they_leave_is_kept(make);
    later_inputs_cover_earlier_ones_and_none_is_changed(make);
    nothing_but_the_inputs_is_seen(make);
    who_where_and_with_what_is_always_the_same(make);
    no_network_is_reached(make);
    nothing_privileged_is_possible(make);
    a_failing_command_ends_the_step_and_its_words_are_shown(make);
    what_a_command_leaves_running_is_gone_before_the_next(make);
    going_beyond_a_limit_is_a_finding_of_its_own(make);
    what_cannot_be_kept_is_refused(make);
    a_step_with_the_same_inputs_never_runs_twice(make);
    equal_steps_make_equal_trees_in_different_places(make);
    a_second_run_sees_other_inodes_and_another_order(make);
    what_depends_on_order_inode_or_time_is_reported(make);
    what_is_remembered_counts_as_the_first_run(make);
    nothing_is_left_behind(make);
}

fn one(make: Make, commands: &[&[&str]]) -> Result<Done, Finding> {
    let mut world = World::new();
    let step = world.run(commands);
    world.outcome(step, make(limits()))
}

fn sh(make: Make, script: &str) -> Result<Done, Finding> {
    one(make, &[&["sh", "-c", script]])
}

fn commands_run_in_order_and_what_they_leave_is_kept(make: Make) {
    let script = "mkdir /out/d; echo hello >/out/d/f; ln -s ../x /out/d/l; ln /out/d/f /out/hard; chmod 750 /out/d";
    let done = one(make, &[&["sh", "-c", script], &["sh", "-c", "echo $COLOUR; cat /out/d/f >/out/copy"]]).unwrap();
    let expected = [
        "copy file of 6 644 0:0",
        "d dir 750 0:0",
        "d/f file of 6 644 0:0",
        "d/l link to ../x 777 0:0",
        "hard is d/f 644 0:0",
    ];
    assert_eq!(done.listing(), expected);
    assert!(done.log.contains("green\n[exit code 0]\n"), "{}", done.log);
    assert!(done.log.starts_with("$ sh -c "), "{}", done.log);
}

fn later_inputs_cover_earlier_ones_and_none_is_changed(make: Make) {
    let mut world = World::new();
    let lower = world.tar(&[("work/a", b"lower", 0o644), ("work/b", b"lower", 0o644)]);
    let upper = world.tar(&[("work/b", b"upper", 0o644)]);
    let change = "cat a b >/out/before; echo changed >a; rm b; cat a >/out/after; ls >/out/names";
    let first = world.run_over(vec![world.root(), lower, upper], &[&["sh", "-c", change]]);
    let again = world.run_over(vec![world.root(), lower, upper], &[&["sh", "-c", "cat a b >/out/before"]]);
    let sizes = world.outcome(first, make(limits())).unwrap().listing();
    assert_eq!(sizes, ["after file of 8 644 0:0", "before file of 10 644 0:0", "names file of 2 644 0:0"]);
    let digests = [first, again].map(|step| {
        let done = world.outcome(step, make(limits())).unwrap();
        done.tree.get(&"before".parse().unwrap()).cloned()
    });
    assert_eq!(digests[0], digests[1], "the inputs were changed");
}

fn nothing_but_the_inputs_is_seen(make: Make) {
    let done = sh(make, "ls -A /; ls /proc | grep -v '^[0-9]' | grep -v -e self; ls -A /dev /usr /work").unwrap();
    let words: Vec<&str> = done.log.split_whitespace().collect();
    for expected in ["dev", "out", "proc", "usr", "work", "null", "bin"] {
        assert!(words.contains(&expected), "{expected} is missing: {}", done.log);
    }
    for foreign in ["home", "root", "etc", "cpuinfo", "sys", "kmsg", "mem", "sda", "vda", "tty0"] {
        assert!(!words.contains(&foreign), "{foreign} is seen: {}", done.log);
    }
}

fn who_where_and_with_what_is_always_the_same(make: Make) {
    let done =
        sh(make, "id -u; id -g; hostname; pwd; umask; env | grep -v -e '^PWD=' -e '^SHLVL=' -e '^OLDPWD='").unwrap();
    let body: Vec<&str> = done.log.lines().skip(1).collect();
    assert_eq!(body[..5], ["1000", "1000", "clnstrt", "/work", "0022"]);
    let mut env = body[5..body.len() - 1].to_vec();
    env.sort_unstable();
    assert_eq!(env, ["COLOUR=green", "PATH=/usr/bin"]);
}

fn no_network_is_reached(make: Make) {
    let listeners = ["127.0.0.1:0", "[::1]:0"].map(|at| TcpListener::bind(at).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let unix = UnixListener::bind(&socket).unwrap();
    for listener in &listeners {
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let (ip, port) = (at.ip().to_string(), at.port().to_string());
        // outside a connection is accepted, so that none from inside says something
        TcpStream::connect(at).unwrap().write_all(b"x\n").unwrap();
        let mut got = String::new();
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.read_to_string(&mut got).unwrap();
        assert_eq!(got, "x\n");
        let inside = sh(make, &format!("echo x | nc -w 2 {ip} {port}")).unwrap_err();
        assert_eq!(inside.code, codes::COMMAND_FAILED, "{inside:?}");
        assert!(listener.accept().is_err(), "something connected to {at}");
    }
    unix.set_nonblocking(true).unwrap();
    let inside = sh(make, &format!("echo x | nc local:{0}; test -e {0}", socket.display())).unwrap_err();
    assert_eq!(inside.code, codes::COMMAND_FAILED);
    assert!(unix.accept().is_err());
}

fn nothing_privileged_is_possible(make: Make) {
    for attempt in [
        "mount -t tmpfs none /work",
        "mknod /out/null c 1 3",
        "unshare -r true",
        "hostname other",
        "kill -9 1; sleep 1",
    ] {
        let done = sh(make, &format!("{attempt} && echo it worked; true"));
        let log = done.unwrap().log;
        // PID 1 takes no signals from inside: the command that sends one just goes on
        assert!(attempt.starts_with("kill") || !log.lines().any(|line| line == "it worked"), "{attempt}: {log}");
    }
}

fn a_failing_command_ends_the_step_and_its_words_are_shown(make: Make) {
    let finding = one(make, &[&["sh", "-c", "echo this is why; exit 7"], &["sh", "-c", "echo never"]]).unwrap_err();
    assert_eq!(finding.code, codes::COMMAND_FAILED);
    assert!(finding.message.contains("exit code 7"), "{}", finding.message);
    assert!(finding.causes.iter().any(|cause| cause == "this is why"), "{:?}", finding.causes);
    assert!(!finding.causes.iter().any(|cause| cause.contains("never")), "{:?}", finding.causes);
    let killed = sh(make, "kill -11 $$").unwrap_err();
    assert!(killed.message.contains("signal 11"), "{}", killed.message);
    let absent = one(make, &[&["no-such-program"]]).unwrap_err();
    assert_eq!(absent.code, codes::COMMAND_FAILED, "{absent:?}");
}

fn what_a_command_leaves_running_is_gone_before_the_next(make: Make) {
    let done = one(
        make,
        &[&["sh", "-c", "sleep 1000 & echo started"], &["sh", "-c", "ps | grep '[s]leep 1000' || echo none"]],
    );
    assert!(done.unwrap().log.contains("none"));
}

fn going_beyond_a_limit_is_a_finding_of_its_own(make: Make) {
    let small = Limits { seconds: 60, processes: 64, memory: 256 << 20, written: 64 << 20, log: 1 << 20 };
    let cases: [(&str, Limits, &str); 6] = [
        ("sleep 1000", Limits { seconds: 1, ..small }, "seconds"),
        ("while true; do sleep 100 & done", small, "processes"),
        ("tail /dev/zero", small, "memory"),
        ("cat /dev/zero >/out/big", small, "wrote"),
        ("i=0; while true; do i=$((i+1)); echo x >/out/$i; done", Limits { written: 4 << 20, ..small }, "wrote"),
        ("yes", small, "printed"),
    ];
    for (script, limits, words) in cases {
        let mut world = World::new();
        let step = world.run(&[&["sh", "-c", script]]);
        let finding = world.outcome(step, make(limits)).unwrap_err();
        assert_eq!(finding.code, codes::LIMIT_EXCEEDED, "{script}: {finding:?}");
        assert!(finding.message.contains(words), "{script}: {}", finding.message);
    }
}

fn what_cannot_be_kept_is_refused(make: Make) {
    let code = |script: &str| -> Code { sh(make, script).unwrap_err().code };
    assert_eq!(code("mkfifo /out/pipe"), codes::BUILD_OUTPUT);
    assert_eq!(sh(make, "rm -r /out").unwrap().listing(), Vec::<String>::new());
}

fn a_step_with_the_same_inputs_never_runs_twice(make: Make) {
    let mut world = World::new();
    let step = world.run(&[&["sh", "-c", "date +%s; cat /dev/urandom | dd bs=8 count=1 >/out/random"]]);
    let first = world.outcome(step, make(limits())).unwrap();
    let second = world.outcome(step, make(limits())).unwrap();
    assert_eq!(first.digest, second.digest);
    assert_eq!(first.log, second.log, "a step that is not run again brings the log of when it was");
}

fn equal_steps_make_equal_trees_in_different_places(make: Make) {
    let script =
        "mkdir /out/d; for i in $(seq 50); do echo $i >/out/d/$i; done; stat -c %y /usr/bin/busybox >/out/time";
    let [first, second] = [sh(make, script).unwrap(), sh(make, script).unwrap()];
    assert_eq!(first.digest, second.digest);
}

/// Names of files in a tree of its own and in the lowest one, as a directory lists them.
const LISTINGS: &str = "find . -type f >/out/covered; find /usr/bin -type l >/out/lowest; stat -c %i e >/out/inode; \
                        stat -c '%u %g %a %s %Y' * >/out/rest; cat * >/out/contents";

fn listed(world: &mut World, script: &str) -> model::plan::PlanKey {
    let files = ["a", "b", "c", "d", "e", "f", "g"].map(|name| (format!("work/{name}"), name.as_bytes()));
    let files: Vec<(&str, &[u8], u32)> = files.iter().map(|(path, content)| (path.as_str(), *content, 0o644)).collect();
    let tree = world.tar(&files);
    world.run_over(vec![world.root(), tree], &[&["sh", "-c", script]])
}

fn a_second_run_sees_other_inodes_and_another_order(make: Make) {
    let mut world = World::new();
    let step = listed(&mut world, LISTINGS);
    let (repeated, _) = world.twice(step, make(limits()));
    let text = repeated.to_string();
    let paths: Vec<&str> = text.lines().filter(|line| line.starts_with("/out/")).collect();
    assert_eq!(paths, ["/out/covered", "/out/inode", "/out/lowest"], "{text}");
    // the same names in another order, not other names
    let sorted =
        "find /work /usr -type f >/work/1; find /work /usr -type l >/work/2; grep -c . /work/1 /work/2 >/out/count";
    let step = listed(&mut world, sorted);
    assert!(world.twice(step, make(limits())).0.is_equal());
}

fn what_depends_on_order_inode_or_time_is_reported(make: Make) {
    let mut world = World::new();
    let time = world.run(&[&["sh", "-c", "date +%s >/out/time; echo same >/out/same"]]);
    let pure = world.run(&[&["sh", "-c", "mkdir -m 750 /out/d; echo $COLOUR >/out/d/colour; ln -s d /out/l; pwd; id"]]);
    let (repeated, tree) = world.twice(time, make(limits()));
    assert_eq!(repeated.first, tree);
    assert!(!repeated.is_equal());
    let finding = repeated.finding().unwrap();
    assert_eq!(finding.code, codes::NOT_REPRODUCIBLE);
    assert!(finding.message.contains("`the step`"), "{finding:?}");
    assert_eq!(finding.causes[..2], ["/out/time", "  line 1:"], "{finding:?}");
    let (repeated, _) = world.twice(pure, make(limits()));
    assert_eq!(repeated.finding(), None);
}

fn what_is_remembered_counts_as_the_first_run(make: Make) {
    let mut world = World::new();
    let step = world.run(&[&["sh", "-c", "date +%s >/out/time"]]);
    let before = world.outcome(step, make(limits())).unwrap();
    let (repeated, tree) = world.twice(step, make(limits()));
    assert_eq!((repeated.first, tree), (before.digest, before.digest));
    assert!(!repeated.is_equal());
    assert_eq!(world.outcome(step, make(limits())).unwrap().digest, before.digest, "the second run was remembered");
}

fn nothing_is_left_behind(make: Make) {
    let mut world = World::new();
    let step = world.run(&[&["sh", "-c", "mkdir -m 000 /work/closed; touch /work/x; sleep 4711 & sleep 4711 &"]]);
    world.outcome(step, make(limits())).unwrap();
    let running = || {
        let processes = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
        processes.filter(|line| line.starts_with(b"sleep\x004711")).count()
    };
    assert_eq!(running(), 0);
    let staged = std::fs::read_dir(world.dir().join("tmp")).unwrap().flatten();
    let left: Vec<_> =
        staged.flat_map(|dir| std::fs::read_dir(dir.path()).unwrap().flatten()).map(|e| e.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
