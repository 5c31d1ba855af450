//! The files of an artifact as one `.tar.gz`, made while it is sent: memory does not depend on their size.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ferroflow_ports::{ArtifactStore, ErrorKind, PortError};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::artifact::File;

/// Pieces that are sent have about this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Files in archives end at multiples of this.
const BLOCK_BYTES: u64 = 512;

/// The archive of some files, each below `folder`.
pub(super) fn tar_gz(
    artifacts: Arc<dyn ArtifactStore>,
    folder: &str,
    files: Vec<File>,
) -> BoxStream<'static, Result<Bytes, PortError>> {
    let archive = Archive {
        artifacts,
        folder: folder.to_owned(),
        files: files.into_iter(),
        open: None,
        // Models hardly shrink, and people wait.
        packed: Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    stream::try_unfold(archive, async |mut archive| Ok(archive.next().await?.map(|piece| (piece, archive))))
        .boxed()
}

struct Archive {
    artifacts: Arc<dyn ArtifactStore>,
    folder: String,
    files: std::vec::IntoIter<File>,
    open: Option<OpenFile>,
    /// `None` once the end was written.
    packed: Option<GzEncoder<Vec<u8>>>,
}

/// The file that is being packed.
struct OpenFile {
    path: String,
    pieces: BoxStream<'static, Result<Bytes, PortError>>,
    left: u64,
    padding: u64,
}

impl Archive {
    async fn next(&mut self) -> Result<Option<Bytes>, PortError> {
        loop {
            let Some(packed) = &mut self.packed else { return Ok(None) };
            if packed.get_ref().len() >= PIECE_BYTES {
                return Ok(Some(std::mem::take(packed.get_mut()).into()));
            }
            if let Some(file) = &mut self.open {
                if let Some(piece) = file.pieces.next().await.transpose()? {
                    file.left =
                        file.left.checked_sub(piece.len() as u64).ok_or_else(|| changed(&file.path))?;
                    packed.write_all(&piece).map_err(not_packed)?;
                } else if file.left > 0 {
                    return Err(changed(&file.path));
                } else {
                    let padding = usize::try_from(file.padding).unwrap_or_default();
                    packed.write_all(&vec![0; padding]).map_err(not_packed)?;
                    self.open = None;
                }
            } else if let Some(file) = self.files.next() {
                let path = if file.path.is_empty() {
                    self.folder.clone()
                } else {
                    format!("{}/{}", self.folder, file.path)
                };
                let pieces = self.artifacts.get(&file.uri, 0).await?;
                packed.write_all(&header(&path, file.size_bytes).map_err(not_packed)?).map_err(not_packed)?;
                let padding = file.size_bytes.next_multiple_of(BLOCK_BYTES) - file.size_bytes;
                self.open = Some(OpenFile { path, pieces, left: file.size_bytes, padding });
            } else {
                packed.write_all(&[0; 2 * 512]).map_err(not_packed)?;
                let rest = self.packed.take().map(GzEncoder::finish).transpose().map_err(not_packed)?;
                return Ok(rest.map(Bytes::from));
            }
        }
    }
}

/// What stands before a file, also if its path is long.
fn header(path: &str, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    // The bytes themselves come later.
    archive.append_data(&mut header, path, std::io::empty())?;
    // Without what would end an archive.
    Ok(std::mem::take(archive.get_mut()))
}

fn changed(path: &str) -> PortError {
    PortError::new(ErrorKind::Unavailable, format!("the file `{path}` has changed while it was read"))
}

fn not_packed(error: std::io::Error) -> PortError {
    PortError::new(ErrorKind::Internal, "the artifact cannot be packed").caused_by(error)
}
