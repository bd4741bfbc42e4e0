use std::io::{IsTerminal as _, Read as _, Write as _};

use model::{Finding, codes};
use net::Credentials;
use registry::Kept;

use crate::args::Machine;
use crate::located::{options, refuse_offline, waiting};
use crate::report::{self, Failure};

/// Bytes of a password.
const LONGEST: u64 = 64 << 10;

/// `login`: sees whether a registry lets an account in, and keeps it where docker would.
pub(super) fn run(machine: &Machine, host: &str, user: Option<&str>, from_stdin: bool) -> Result<(), Failure> {
    refuse_offline(machine, host)?;
    let user = user.map_or_else(|| asked("User name: "), |user| Ok(user.to_owned()))?;
    let password = if from_stdin { piped()? } else { password(&format!("Password of {user} at {host}: "))? };
    if user.is_empty() || user.contains(':') || password.is_empty() {
        let finding = Finding::error(codes::USAGE, "an account has a name without `:`, and a password");
        return Err(finding.help("give both").into());
    }
    let credentials = Credentials { user: user.clone(), password };
    match waiting()?.block_on(registry::login(options(machine), host, credentials))? {
        Kept::Helper(helper) => {
            report::line(format_args!("logged in at {host} as {user}; docker-credential-{helper} keeps the password"))?;
        }
        Kept::File(file) => {
            report::line(format_args!("logged in at {host} as {user}"))?;
            anstream::eprintln!("{} has the password, which is not encrypted there", file.display());
        }
    }
    Ok(())
}

fn unasked(why: impl Into<String>) -> Finding {
    Finding::error(codes::USAGE, "there is no terminal to ask on for name and password")
        .because(why)
        .help("give them with `--username NAME` and `--password-stdin`")
}

fn asked(prompt: &str) -> Result<String, Finding> {
    if !std::io::stdin().is_terminal() {
        return Err(unasked("standard input is none"));
    }
    anstream::eprint!("{prompt}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| unasked(e.to_string()))?;
    Ok(line.trim().to_owned())
}

fn password(prompt: &str) -> Result<String, Finding> {
    if !std::io::stdin().is_terminal() {
        return Err(unasked("standard input is none"));
    }
    rpassword::prompt_password(prompt).map_err(|e| unasked(e.to_string()))
}

fn piped() -> Result<String, Finding> {
    let mut text = String::new();
    std::io::stdin().take(LONGEST).read_to_string(&mut text).map_err(|e| unasked(e.to_string()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
