//! The connection to the server, never waited for.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use crate::wire::Frames;

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    pub(super) frames: Frames,
    /// What the other end did not take yet.
    unsent: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, frames: Frames::default(), unsent: Vec::new() })
    }

    /// Takes what has arrived; false once the other end is gone.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> bool {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    self.frames.push(buffer.get(..read).unwrap_or_default());
                    // A short read has emptied the socket; more would wake us again.
                    if read < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    /// Sends, or keeps for later what the other end does not take now.
    pub(super) fn send(&mut self, frame: &[u8]) {
        if self.unsent.is_empty() {
            let written = self.write(frame);
            self.unsent.extend_from_slice(frame.get(written..).unwrap_or_default());
        } else {
            self.unsent.extend_from_slice(frame);
        }
    }

    /// Sends more of what was kept.
    pub(super) fn flush(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        let written = self.write(&unsent);
        self.unsent = unsent.get(written..).unwrap_or_default().to_vec();
    }

    /// Whether something waits to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// How much was taken. A broken connection takes everything: reading notices the end.
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return bytes.len(),
            }
        }
        written
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
