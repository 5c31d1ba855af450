//! Messages between the executor and its supervisor, and the records of the supervisor's journal.
//!
//! A frame is a length (4 bytes, little endian) and that many bytes of JSON. The two ends may come from different
//! builds of the program when a new server adopts the tasks of an old one: fields may be added with a default, all
//! else needs a new [`PROTOCOL`].

use serde::{Deserialize, Serialize};

/// Version of these messages.
pub(crate) const PROTOCOL: u32 = 1;

/// No frame is larger: the words of a process are limited by the kernel long before.
pub(crate) const LARGEST_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// What the executor wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Start an attempt; nothing happens if the id is known.
    Start(Box<Start>),
    /// End an attempt: TERM, then KILL after the grace time.
    Stop { id: String, grace_ms: u64 },
    /// The end of this attempt is stored elsewhere; forget it.
    Acknowledge { id: String },
}

/// Everything needed to run one attempt without asking back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The attempt's id as text.
    pub(crate) id: String,
    /// Handed back with the report, untouched: how the executor will read the results.
    pub(crate) context: String,
    /// What must be there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prepare: Option<Prepare>,
    /// User code.
    pub(crate) process: Process,
    /// Where its output goes.
    pub(crate) log: String,
    /// Most bytes of the log that are kept.
    pub(crate) log_cap_bytes: u64,
    /// Longest time the process may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    /// Time between TERM and KILL when it did.
    #[serde(default = "default_grace_ms")]
    pub(crate) timeout_grace_ms: u64,
}

fn default_grace_ms() -> u64 {
    10_000
}

/// A process to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The file to execute, an absolute path.
    pub(crate) program: String,
    /// All words, the first being the name the program sees.
    pub(crate) argv: Vec<String>,
    /// Working directory.
    pub(crate) cwd: String,
    /// The whole environment.
    pub(crate) env: Vec<(String, String)>,
    /// How to have it forked instead, if that may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warm: Option<Warm>,
}

/// An interpreter that is loaded beforehand. Processes share one for which all of this is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Warm {
    /// All words that start it, the first being the name that the program of the process sees.
    pub(crate) argv: Vec<String>,
    /// Its whole environment: what an interpreter only reads as it starts must stand here.
    pub(crate) env: Vec<(String, String)>,
}

/// A folder that one process fills once, whoever needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prepare {
    /// The folder, and the key by which attempts share the work.
    pub(crate) folder: String,
    /// Made before the process starts, in this order; what was in the folder is removed first.
    pub(crate) skeleton: Vec<SkeletonEntry>,
    /// The process that fills it.
    pub(crate) process: Process,
    /// Where its output goes.
    pub(crate) log: String,
    /// Made when the process ended well: whoever finds this file may use the folder.
    pub(crate) ready: String,
}

/// One entry of a folder to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SkeletonEntry {
    /// A folder.
    Folder { path: String },
    /// A symbolic link.
    Link { path: String, target: String },
    /// A file.
    File {
        path: String,
        text: String,
        #[serde(default)]
        executable: bool,
    },
}

/// What the supervisor says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Comes first on each connection: what is known already.
    Welcome { protocol: u32, running: Vec<Known>, ended: Vec<Ended> },
    /// Comes instead if this supervisor cannot work.
    Refused { reason: String },
    /// The attempt has been running for a moment.
    Started { id: String, at: i64 },
    /// The attempt ended.
    Ended(Ended),
}

/// An attempt under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) context: String,
}

/// An attempt that ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) id: String,
    pub(crate) context: String,
    pub(crate) end: End,
    #[serde(default)]
    pub(crate) times: Times,
}

/// When what happened: microseconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) installed: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished: Option<i64>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// By itself.
    Exited { code: i32 },
    /// By a signal that the supervisor did not send.
    Signalled { signal: i32 },
    /// It ran longer than allowed.
    TimedOut { limit_ms: u64 },
    /// On request.
    Stopped,
    /// It could not be started.
    NotStarted { reason: String },
    /// What it needs could not be prepared.
    NotPrepared { reason: String, log: String },
    /// The supervisor that watched it is gone.
    Lost { reason: String },
}

/// One line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Record {
    /// Written when a journal begins and when a supervisor takes it over.
    Boot { boot: String },
    /// Written before the process is started.
    Starting { id: String, context: String },
    /// Its process: id, and the time between which two moments since boot it was started.
    Running { id: String, pid: i32, from_ns: u64, to_ns: u64 },
    /// It ended.
    Ended(Ended),
    /// Its end is stored elsewhere.
    Acknowledged { id: String },
}

/// A frame of this value.
pub(crate) fn frame(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    // Only strings and numbers are in these messages; they always have a JSON form.
    let written = serde_json::to_writer(&mut bytes, value);
    debug_assert!(written.is_ok(), "messages are plain JSON");
    let length = u32::try_from(bytes.len().saturating_sub(4)).unwrap_or(u32::MAX);
    if let Some(head) = bytes.first_chunk_mut::<4>() {
        *head = length.to_le_bytes();
    }
    bytes
}

/// Bytes that have arrived, cut into frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// Bytes at the front that were handed out already.
    used: usize,
}

impl Frames {
    /// Adds what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.used == self.bytes.len() {
            self.bytes.clear();
            self.used = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame. An error if what arrives cannot be frames.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, FrameTooLarge> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let Some((head, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        if length > LARGEST_FRAME_BYTES {
            return Err(FrameTooLarge { length });
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        self.used += 4 + length;
        Ok(Some(frame))
    }
}

/// The other end does not speak this protocol.
#[derive(Debug, thiserror::Error)]
#[error("a frame of {length} bytes was announced, more than the {LARGEST_FRAME_BYTES} allowed")]
pub(crate) struct FrameTooLarge {
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let mut sent = frame(&"first");
        sent.extend(frame(&vec![1, 2, 3]));
        for size in 1..=sent.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for part in sent.chunks(size) {
                frames.push(part);
                while let Some(bytes) = frames.next().unwrap() {
                    found.push(String::from_utf8(bytes.to_vec()).unwrap());
                }
            }
            assert_eq!(found, ["\"first\"", "[1,2,3]"], "in parts of {size}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let mut frames = Frames::default();
        frames.push(&[0xff; 8]);
        assert!(frames.next().is_err());
    }
}
