//! A mount namespace of its own for a shell script: read-only folders, full disks, other file systems, gone with the shell.

use std::process::Command;

use super::gannet::{Gannet, Said, said};
use super::left_out::left_out;

/// Runs a script in which `$gannet` is the program, with the environment of that home. Nothing comes back, and a line says
/// so, where this machine does not allow namespaces.
pub(crate) fn in_mount_namespace(gannet: &Gannet, script: &str) -> Option<Said> {
    in_namespaces(gannet, &["--mount"], script)
}

/// Likewise, in namespaces of these kinds.
pub(crate) fn in_namespaces(gannet: &Gannet, kinds: &[&str], script: &str) -> Option<Said> {
    let mut command = namespaces(gannet, kinds, script)?;
    Some(said(&command.output().expect("unshare runs")))
}

/// Returns what runs such a script, for whoever starts it on a terminal.
pub(crate) fn namespaces(gannet: &Gannet, kinds: &[&str], script: &str) -> Option<Command> {
    let unshare = || {
        let mut command = unshare();
        command.args(kinds);
        command
    };
    let allowed = unshare().arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        let why = format!("this machine does not allow `unshare {}`", kinds.join(" "));
        left_out("what needs namespaces", &why);
        return None;
    }
    let template = gannet.command(&[]);
    let mut command = unshare();
    command.args(["sh", "-euc", script]).env_clear();
    let variables = template.get_envs();
    command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    command.env("gannet", env!("CARGO_BIN_EXE_gannet"));
    command.env("data", gannet.data());
    Some(command)
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    // Root needs no namespace of users, and some machines refuse it one.
    if !rustix::process::getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}
