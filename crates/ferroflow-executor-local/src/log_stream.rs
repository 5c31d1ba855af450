//! Reads logs, also while they are written.

use std::io::{self, ErrorKind as Io};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ferroflow_model::AttemptId;
use ferroflow_ports::executor::behind;
use ferroflow_ports::{ErrorKind, PortError};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::attempts::Attempts;
use crate::linux;
use crate::supervisor::log_cap::{head_bytes, marker};

const CHUNK_BYTES: usize = 64 * 1024;
/// How often a log that somebody follows is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A log that is being read.
struct Reader {
    file: std::fs::File,
    offset: u64,
    head_bytes: u64,
}

/// From byte `from` to the present end, or with `follow` to the end of the attempt.
pub(crate) async fn read(
    attempts: Arc<Attempts>,
    id: &AttemptId,
    from: u64,
    follow: bool,
) -> Result<BoxStream<'static, Result<Bytes, PortError>>, PortError> {
    let path = attempts.settings.layout.log(id);
    let file = loop {
        match std::fs::File::open(&path) {
            Ok(file) => break file,
            // It may be waiting for its packages.
            Err(error) if error.kind() == Io::NotFound && follow && attempts.is_running(id) => {
                wait(&attempts, id).await;
            }
            Err(error) if error.kind() == Io::NotFound => {
                return Err(PortError::not_found("log of attempt", id));
            }
            Err(error) => return Err(unreadable(error)),
        }
    };
    let mut reader = Reader { file, offset: 0, head_bytes: head_bytes(attempts.settings.log_cap_bytes) };
    if reader.is_plain_up_to(from) {
        reader.offset = from;
    }
    let passed = from - reader.offset;
    let id = id.clone();
    let chunks = stream::unfold(Some((reader, attempts, id)), move |state| async move {
        let (mut reader, attempts, id) = state?;
        loop {
            // Asked before reading: what was written until then is read below.
            let goes_on = follow && attempts.is_running(&id);
            let next = move || {
                let read = reader.next();
                (reader, read)
            };
            let (back, read) = tokio::task::spawn_blocking(next).await.ok()?;
            reader = back;
            match read {
                Ok(Some(bytes)) => return Some((Ok(bytes), Some((reader, attempts, id)))),
                Ok(None) if goes_on => wait(&attempts, &id).await,
                Ok(None) => return None,
                Err(error) => return Some((Err(unreadable(error)), None)),
            }
        }
    });
    Ok(if passed == 0 { chunks.boxed() } else { behind(chunks.boxed(), passed) })
}

/// For a moment, or until an attempt has ended.
async fn wait(attempts: &Attempts, id: &AttemptId) {
    let ended = attempts.ended.notified();
    if attempts.is_running(id) {
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

fn unreadable(error: io::Error) -> PortError {
    PortError::new(ErrorKind::Internal, "the log cannot be read").caused_by(error)
}

impl Reader {
    /// Whether the first `bytes` of what is read are those of the file: all are there, and none was left out.
    fn is_plain_up_to(&self, bytes: u64) -> bool {
        let is_there = self.file.metadata().is_ok_and(|found| found.len() >= bytes);
        let has_middle = || linux::next_data(&self.file, self.head_bytes) == Some(self.head_bytes);
        is_there && (bytes <= self.head_bytes || has_middle())
    }

    /// The next bytes; `None` at the present end.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.offset >= self.head_bytes
            && let Some(data) = linux::next_data(&self.file, self.offset)
            && data > self.offset
        {
            // The middle was given back to the disk meanwhile.
            let left_out = data - self.offset;
            self.offset = data;
            return Ok(Some(Bytes::from(marker(left_out))));
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        let limit = self.head_bytes.checked_sub(self.offset).filter(|left| *left > 0);
        let limit = limit.and_then(|left| usize::try_from(left).ok()).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let read = self.file.read_at(chunk.get_mut(..limit).unwrap_or_default(), self.offset)?;
        if read == 0 && self.file.metadata()?.len() < self.offset {
            // On file systems without holes a log is cut behind its head, and goes on there.
            self.offset = self.head_bytes;
        }
        chunk.truncate(read);
        self.offset += read as u64;
        Ok((read > 0).then(|| Bytes::from(chunk)))
    }
}
