use clap::CommandFactory as _;

/// `completions`: the completion script of a shell.
pub(super) fn run(shell: clap_complete::Shell) {
    let mut command = crate::args::Args::command();
    clap_complete::generate(shell, &mut command, "clnstrt-cli", &mut std::io::stdout());
}
