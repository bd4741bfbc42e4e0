//! What processes of the sandbox say to each other: a pair of sockets, one message a packet.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::report::{Error, Overlay, Status};

/// What PID 1 says to the helper.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// The room stands. Its `/proc` comes with this.
    Ready { overlay: Overlay },
    /// The room could not be made.
    Failed(Error),
    /// A command ended, and nothing that it started is left.
    Done {
        status: Status,
        user: Duration,
        system: Duration,
        wall: Duration,
        /// Processes that were still there when it ended.
        left: u64,
    },
}

/// Longer than any message: texts in them are system errors and names of programs.
const MOST: usize = 8 << 10;
/// Descriptors that come with a message at most.
const FDS: usize = 3;

#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl From<OwnedFd> for Channel {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.0
    }
}

impl Channel {
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), Self(other)))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Says something, and passes descriptors on, three at most.
    pub(crate) fn say(&self, what: &impl Serialize, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = serde_json::to_vec(what)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(fds));
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for what the other side says. `None` when it is gone.
    pub(crate) fn hear<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut bytes = vec![0; MOST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let fds = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let fds = fds.flatten().collect();
        match bytes.get(..received.bytes) {
            None | Some([]) => Ok(None),
            Some(bytes) => Ok(Some((serde_json::from_slice(bytes)?, fds))),
        }
    }

    /// Whether the other side is gone.
    pub(crate) fn alone(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.0, PollFlags::empty())];
        rustix::event::poll(&mut fds, Some(&Timespec::default()))?;
        Ok(fds.iter().any(|fd| fd.revents().contains(PollFlags::HUP)))
    }

    /// Says nothing more, and hears nothing more.
    pub(crate) fn close(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both)?)
    }

    /// Lets the other side go on.
    pub(crate) fn go(&self) -> io::Result<()> {
        rustix::net::send(&self.0, b"g", SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits until the other side lets this one go on. `false` when it is gone.
    pub(crate) fn may_go(&self) -> bool {
        let mut byte = [0];
        matches!(rustix::net::recv(&self.0, &mut byte, RecvFlags::empty()), Ok((1, _)))
    }
}
