//! Tells when quiet logs begin to grow again, so that nobody has to look at them meanwhile.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// Watches that each fire once.
#[derive(Debug, Default)]
pub(super) struct LogWatch {
    inotify: Option<OwnedFd>,
    /// Attempts by watch.
    attempts: HashMap<i32, String>,
}

impl LogWatch {
    /// Fires once, at the next growth of the file. Returns the descriptor to wait for if it is new.
    pub(super) fn add(&mut self, attempt: &str, path: &str) -> io::Result<Option<&OwnedFd>> {
        let is_new = self.inotify.is_none();
        let inotify = match self.inotify.take() {
            Some(inotify) => inotify,
            None => inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
        };
        let inotify = self.inotify.insert(inotify);
        let watch = inotify::add_watch(&*inotify, path, WatchFlags::MODIFY | WatchFlags::ONESHOT)?;
        self.attempts.insert(watch, attempt.to_owned());
        Ok(is_new.then_some(&*inotify))
    }

    /// The attempts whose logs have grown.
    pub(super) fn take_grown(&mut self) -> Vec<String> {
        let Some(inotify) = &self.inotify else { return Vec::new() };
        let mut buffer = [const { MaybeUninit::uninit() }; 1024];
        let mut reader = inotify::Reader::new(inotify, &mut buffer);
        let mut grown = Vec::new();
        while let Ok(event) = reader.next() {
            grown.extend(self.attempts.remove(&event.wd()));
        }
        grown
    }
}
