//! As whom the room is made: an ordinary user, always.
//!
//! Root becomes one first. The kernel's limit on processes does not bind root, and whatever breaks out of a room should be
//! nobody. As root owns the layers, they are bound into a private mount namespace first, through an idmapped mount that
//! shows root's files as that user's; the way there need not be open to it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::mount::MountPropagationFlags;
use rustix::pipe::PipeFlags;
use rustix::process::{DumpableBehavior, WaitOptions};
use rustix::thread::{ThreadNameSpaceType, UnshareFlags};

use crate::forbidden;
use crate::layers::Owner;
use crate::report::{Error, Owners, Step as _};
use crate::{layers, scratch, sys};

/// The usual user and group as whom commands run when the caller is root: one below `nobody`, in use nowhere.
pub const BUILD_ID: u32 = 65533;
pub(crate) const ROOT: Owner = (0, 0);
/// The user and group that commands see themselves as.
const INSIDE: u32 = 1000;

/// What making the room begins with, after the helper ceased to be root.
pub(crate) struct Ground {
    /// What the layers are called. If their owners are not the caller, these names are short already.
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) owners: Owners,
}

/// Ceases to be root. The current directory is the scratch directory, which is covered then. `owners` is the user namespace that [`map_owner`] made
/// for files of root.
pub(crate) fn leave_root(layers: Vec<PathBuf>, build_id: u32, owners: Option<OwnedFd>) -> Result<Ground, Error> {
    let mut ground = Ground { layers, owners: Owners::Caller };
    if !rustix::process::geteuid().is_root() {
        return Ok(ground);
    }
    let (uid, gid) = (Uid::from_raw(build_id), Gid::from_raw(build_id));
    // A container's root may lack the right to mount, or the id: then it is an ordinary user itself, and stays it.
    match sys::unshare(UnshareFlags::NEWNS) {
        Err(Errno::PERM) => return Ok(ground),
        result => result.step("unshare the mount namespace")?,
    }
    match rustix::fs::chown(".", Some(uid), Some(gid)) {
        Err(Errno::INVAL) => return Ok(ground),
        result => result.step("give the scratch directory to the build user")?,
    }
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private).step("make mounts private")?;
    scratch::cover()?;
    rustix::fs::chown(".", Some(uid), Some(gid)).step("give the room's directory to the build user")?;
    ground.bind(owners, build_id)?;
    rustix::thread::set_thread_groups(&[]).step("drop supplementary groups")?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).step("become the build group")?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).step("become the build user")?;
    // Else the files in /proc that map the room's ids would not be ours to write.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).step("become dumpable")?;
    Ok(ground)
}

impl Ground {
    /// Binds the layers, with owners mapped where the file system can.
    fn bind(&mut self, root: Option<OwnedFd>, build_id: u32) -> Result<(), Error> {
        let mut namespaces: BTreeMap<Owner, OwnedFd> = root.map(|namespace| (ROOT, namespace)).into_iter().collect();
        self.owners = Owners::Mapped;
        layers::bind(&mut self.layers, false, |tree, owner| {
            let namespace = match namespaces.entry(owner) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => vacant.insert(map_owner(owner, build_id).step("map owners of layers")?),
            };
            if sys::idmap(tree, namespace.as_fd()).is_err() {
                self.owners = Owners::Nobody;
            }
            Ok(())
        })
    }
}

/// A user namespace in which an owner of files is the build user. The kernel takes maps of owners in this form only, so a
/// process is started that enters one.
pub(crate) fn map_owner((uid, gid): Owner, build_id: u32) -> std::io::Result<OwnedFd> {
    let (is_ready, ready) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (until, hold) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let Some(process) = sys::fork()? else {
        drop((is_ready, hold));
        let left = sys::unshare(UnshareFlags::NEWUSER);
        drop(ready);
        let _ = rustix::io::read(&until, &mut [0_u8]);
        std::process::exit(left.is_err().into());
    };
    drop((ready, until));
    let namespace = || {
        let _ = rustix::io::read(&is_ready, &mut [0_u8])?;
        let directory = format!("/proc/{}", process.as_raw_nonzero());
        let namespace = File::open(format!("{directory}/ns/user"))?;
        std::fs::write(format!("{directory}/uid_map"), format!("{uid} {build_id} 1"))?;
        std::fs::write(format!("{directory}/gid_map"), format!("{gid} {build_id} 1"))?;
        Ok(namespace.into())
    };
    let namespace = namespace();
    drop(hold);
    rustix::process::waitpid(Some(process), WaitOptions::empty())?;
    namespace
}

/// Enters the room's namespaces but those of mounts, which PID 1 makes for itself, and of the network. The next child is
/// PID 1.
pub(crate) fn enter_namespaces() -> Result<(), Error> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let namespaces = UnshareFlags::NEWUSER
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    unshare(namespaces)?;
    // Without this an ordinary user may not map its group.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{INSIDE} {uid} 1")),
        ("gid_map", format!("{INSIDE} {gid} 1")),
    ];
    for (file, text) in maps {
        std::fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| forbidden::explain(&format!("write {file}"), error))?;
    }
    Ok(())
}

/// Makes the room's network and enters it. That takes the kernel as long as all mounts together, so the helper does it while
/// PID 1 mounts.
pub(crate) fn make_network() -> Result<(), Error> {
    unshare(UnshareFlags::NEWNET)
}

/// Enters the network that the helper is in.
pub(crate) fn join_network(helper: BorrowedFd<'_>) -> Result<(), Error> {
    rustix::thread::move_into_thread_name_spaces(helper, ThreadNameSpaceType::NETWORK).step("enter the room's network")
}

pub(crate) fn unshare(namespaces: UnshareFlags) -> Result<(), Error> {
    sys::unshare(namespaces).map_err(|errno| forbidden::explain("unshare namespaces", errno.into()))
}
