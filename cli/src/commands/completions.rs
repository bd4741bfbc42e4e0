use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::report::{self, Failure};

/// `completions`: the completion script of a shell.
pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    Ok(report::data(script(shell).as_bytes())?)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::args::Args::command(), "clnstrt-cli", &mut script);
    let script = String::from_utf8_lossy(&script);
    // The generator writes the name of a program with a dash in two ways (clap_complete 4.6).
    script.replace("clnstrt__subcmd__cli", "clnstrt__cli")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_finds_every_subcommand_it_names() {
        let script = script(Shell::Bash);
        let named: Vec<&str> = script.split("cmd=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let named: Vec<&str> = named.into_iter().filter(|name| name.contains("__")).collect();
        assert!(named.len() > 20, "{named:?}");
        for name in named {
            assert!(script.contains(&format!("        {name})\n")), "{name}");
        }
    }
}
