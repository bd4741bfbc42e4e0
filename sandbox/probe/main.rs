//! What the tests start: outside of rooms their helper and their caller, inside of them a program that tries things.
//!
//! `probe WHAT ...` prints what came of it: `ok`, or the name of the error.

#![expect(unsafe_code, reason = "tries system calls by number")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what only tests start may panic")]

mod calls;
mod greedy;

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixStream};
use std::process::ExitCode;
use std::time::Duration;

use sandbox::{Launcher, Room};

fn main() -> ExitCode {
    if let Some(code) = sandbox::entered() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["room", room, log] => room_of(room, log),
        ["calls"] => calls::all(),
        ["call", name] => println!("{}", said(calls::one(name))),
        ["foreign"] => calls::foreign(),
        ["socket", family] => println!("{}", said(calls::socket(family.parse().unwrap()))),
        ["connect", address] => {
            let address: SocketAddr = address.parse().unwrap();
            println!("{}", said(TcpStream::connect_timeout(&address, Duration::from_secs(5)).map(drop)));
        }
        ["unix", path] => println!("{}", said(UnixStream::connect(path).map(drop))),
        ["abstract", name] => {
            let address = UnixAddr::from_abstract_name(name).unwrap();
            println!("{}", said(UnixStream::connect_addr(&address).map(drop)));
        }
        ["loopback"] => println!("{}", said(calls::raise_loopback())),
        ["setuid"] => println!("{}", said(calls::become_root())),
        ["orphan"] => greedy::orphan(),
        ["fork"] => greedy::fork_for_ever(),
        ["threads", number] => greedy::threads(number.parse().unwrap()),
        ["memory", bytes] => greedy::memory(bytes.parse().unwrap()),
        ["shared", bytes] => greedy::shared_memory(bytes.parse().unwrap()),
        ["files"] => greedy::files(),
        ["deep", levels] => greedy::deep(levels.parse().unwrap()),
        ["quiet"] => greedy::undumpable(),
        _ => panic!("unknown: {words:?}"),
    }
    ExitCode::SUCCESS
}

/// Runs a room as a caller does, and prints what comes of it.
fn room_of(room: &str, log: &str) {
    let room: Room = serde_json::from_str(room).unwrap();
    let report = sandbox::run(&Launcher::default(), &room, File::create(log).unwrap());
    println!("{}", serde_json::to_string(&report).unwrap());
}

fn said(result: io::Result<()>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOSYS) => "ENOSYS".to_owned(),
            Some(libc::EADDRNOTAVAIL) => "EADDRNOTAVAIL".to_owned(),
            Some(libc::EINVAL) => "EINVAL".to_owned(),
            Some(libc::EPERM) => "EPERM".to_owned(),
            Some(libc::EACCES) => "EACCES".to_owned(),
            Some(libc::ENOENT) => "ENOENT".to_owned(),
            Some(libc::ENETUNREACH) => "ENETUNREACH".to_owned(),
            Some(libc::ECONNREFUSED) => "ECONNREFUSED".to_owned(),
            _ => format!("{error:?}"),
        },
    }
}
