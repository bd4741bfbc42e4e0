//! Why a machine does not let rooms be made, and what to do about it.

use std::fs;
use std::io;

use crate::report::Error;

/// What of the machine may forbid it.
#[derive(Debug, Default, Clone)]
struct Machine {
    /// `/proc/sys` values by name, as far as they can be read.
    settings: Vec<(&'static str, i64)>,
    /// Whether a filter of system calls is on this process.
    filtered: bool,
}

/// Settings that forbid namespaces to ordinary users, each with the value that does.
const SETTINGS: [(&str, i64); 8] = [
    ("kernel.unprivileged_userns_clone", 0),
    ("user.max_user_namespaces", 0),
    ("user.max_mnt_namespaces", 0),
    ("user.max_pid_namespaces", 0),
    ("user.max_net_namespaces", 0),
    ("user.max_ipc_namespaces", 0),
    ("user.max_uts_namespaces", 0),
    ("kernel.apparmor_restrict_unprivileged_userns", 1),
];

impl Machine {
    fn read() -> Self {
        let number = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?;
            text.trim().parse().ok()
        };
        let settings = SETTINGS.iter().filter_map(|(name, _)| Some((*name, number(name)?))).collect();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { settings, filtered: status.lines().any(|line| line.starts_with("Seccomp:") && !line.ends_with('0')) }
    }

    fn forbidding(&self) -> Option<(&'static str, i64)> {
        SETTINGS.into_iter().find(|setting| self.settings.contains(setting))
    }

    fn explain(&self, step: &str, error: &io::Error) -> Error {
        let cause = error.to_string();
        let forbidden = |setting: &str, advice: String| Error::Forbidden { setting: setting.to_owned(), advice };
        let outer = "Run the builder outside of this container, or start the container with user namespaces allowed \
                     (for docker and podman: `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`).";
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES | libc::ENOSPC | libc::EUSERS) => {}
            Some(libc::EINVAL | libc::ENOSYS) if step.starts_with("unshare") => {
                let advice = "Use a kernel built with CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS and \
                              CONFIG_UTS_NS.";
                return forbidden("the kernel's configuration", advice.to_owned());
            }
            _ => return Error::Failed { step: step.to_owned(), cause },
        }
        if let Some((name, value)) = self.forbidding() {
            let allowed = match (name, value) {
                (_, 1) => "0",
                ("kernel.unprivileged_userns_clone", _) => "1",
                _ => "65536",
            };
            return forbidden(&format!("{name}={value}"), format!("As root: `sysctl -w {name}={allowed}`."));
        }
        match error.raw_os_error() {
            Some(libc::ENOSPC | libc::EUSERS) => {
                let advice = "Raise it with sysctl as root, end what holds namespaces, or nest containers less deeply.";
                forbidden("the limit user.max_user_namespaces, or one of its siblings,", advice.to_owned())
            }
            _ if self.filtered => forbidden("the system call filter of an outer container", outer.to_owned()),
            _ if step.contains("/proc") => forbidden("an outer container that covers parts of /proc", outer.to_owned()),
            _ => Error::Failed { step: step.to_owned(), cause },
        }
    }
}

/// Why a step that needs namespaces failed.
pub(crate) fn explain(step: &str, error: io::Error) -> Error {
    Machine::read().explain(step, &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(settings: &[(&'static str, i64)], filtered: bool, step: &str, errno: i32) -> Error {
        Machine { settings: settings.to_vec(), filtered }.explain(step, &io::Error::from_raw_os_error(errno))
    }

    fn setting(error: &Error) -> &str {
        match error {
            Error::Forbidden { setting, .. } => setting,
            Error::Failed { .. } => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_setting_that_forbids_is_named_with_what_allows() {
        for (name, bad, good) in [
            ("kernel.unprivileged_userns_clone", 0, 1),
            ("user.max_user_namespaces", 0, 65536),
            ("user.max_net_namespaces", 0, 65536),
            ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),
        ] {
            for errno in [libc::EPERM, libc::EACCES, libc::ENOSPC] {
                let error = explained(&[(name, bad)], true, "unshare namespaces", errno);
                let advice = format!("As root: `sysctl -w {name}={good}`.");
                assert_eq!(error, Error::Forbidden { setting: format!("{name}={bad}"), advice });
            }
            let allowed = explained(&[(name, good)], false, "unshare namespaces", libc::EPERM);
            assert!(matches!(allowed, Error::Failed { .. }), "{allowed:?}");
        }
    }

    #[test]
    fn what_no_setting_forbids_is_told_by_the_error() {
        let filter = explained(&[], true, "unshare namespaces", libc::EPERM);
        assert_eq!(setting(&filter), "the system call filter of an outer container");
        let limit = explained(&[], false, "unshare namespaces", libc::ENOSPC);
        assert_eq!(setting(&limit), "the limit user.max_user_namespaces, or one of its siblings,");
        let kernel = explained(&[], false, "unshare namespaces", libc::EINVAL);
        assert_eq!(setting(&kernel), "the kernel's configuration");
        let proc = explained(&[], false, "mount /proc", libc::EPERM);
        assert_eq!(setting(&proc), "an outer container that covers parts of /proc");
        assert!(matches!(explained(&[], true, "mount the overlay", libc::EINVAL), Error::Failed { .. }));
        assert!(matches!(explained(&[], false, "mount the overlay", libc::EPERM), Error::Failed { .. }));
    }
}
