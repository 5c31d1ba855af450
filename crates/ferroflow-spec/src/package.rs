//! From the bytes of a received file to the text of the pipeline: kinds of files, archives and size limits.
//!
//! The file's name decides first, then its first bytes. Nothing is unpacked beyond the limit, so an archive that
//! expands without end costs no more than an ordinary file.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::problem::Problems;

/// Largest file that is accepted, and largest pipeline that an archive may hold.
pub const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// The member of an archive that is preferred over the first one.
const PREFERRED: &str = "pipeline.yaml";
/// Members that an archive may have.
const MEMBER_LIMIT: usize = 1000;
/// Bytes unpacked of a tar.gz while its members are looked through.
const UNPACKED_LIMIT: u64 = 2 * SIZE_LIMIT as u64;

/// The text of the pipeline in a file, not yet read as YAML.
pub(crate) fn text_of(file_name: &str, bytes: &[u8]) -> Result<String, Problems> {
    if bytes.len() > SIZE_LIMIT {
        return Err(too_large("the file"));
    }
    let lower = file_name.to_ascii_lowercase();
    let unpacked = if has_ending(&lower, &["yaml", "yml", "json"]) {
        bytes.to_vec()
    } else if bytes.starts_with(b"PK") {
        from_zip(bytes)?
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        from_tar(bytes)?
    } else {
        return Err(Problems::of_file(
            format!("`{file_name}` is not a pipeline file"),
            "give a .yaml, .yml or .json file, or a .zip or .tar.gz archive that holds one",
        ));
    };
    into_text(unpacked)
}

/// Checks that bytes are text that can be shown and parsed.
fn into_text(bytes: Vec<u8>) -> Result<String, Problems> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(valid).filter(|b| **b == b'\n').count();
        Problems::of_file(format!("line {line} is not UTF-8 text"), "save the file as UTF-8")
    })?;
    if let Some(position) = text.find('\0') {
        let line = 1 + text.bytes().take(position).filter(|b| *b == b'\n').count();
        return Err(Problems::of_file(
            format!("line {line} holds a zero byte, so this is not a text file"),
            "",
        ));
    }
    Ok(text)
}

fn from_zip(bytes: &[u8]) -> Result<Vec<u8>, Problems> {
    let broken = |error: zip::result::ZipError| {
        Problems::of_file(format!("the zip archive cannot be read: {error}"), "pack it again")
    };
    // Counted before the directory is loaded, whose entries take far more memory than their bytes.
    if bytes.windows(4).filter(|window| window == b"PK\x01\x02").count() > MEMBER_LIMIT {
        return Err(Problems::of_file(format!("the zip archive has more than {MEMBER_LIMIT} members"), ""));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let is_file = |index: &usize| {
        archive.name_for_index(*index).is_some_and(|name| name.is_ok_and(|name| !name.ends_with('/')))
    };
    let Some(index) = archive.index_for_name(PREFERRED).or_else(|| (0..archive.len()).find(is_file)) else {
        return Err(empty_archive("zip"));
    };
    let member = archive.by_index(index).map_err(broken)?;
    let name = member.name().map_err(broken)?.into_owned();
    if !is_yaml_name(&name) {
        return Err(not_yaml(&name));
    }
    read_limited(member, "zip")
}

fn from_tar(bytes: &[u8]) -> Result<Vec<u8>, Problems> {
    let broken = |error: std::io::Error| {
        Problems::of_file(format!("the tar.gz archive cannot be read: {error}"), "pack it again")
    };
    // An archive cannot be gone back in, so the first member is kept while the preferred one is looked for.
    let mut first: Option<(String, Option<Vec<u8>>)> = None;
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes).take(UNPACKED_LIMIT));
    for member in archive.entries().map_err(broken)?.take(MEMBER_LIMIT) {
        let member = member.map_err(broken)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&member.path_bytes()).trim_start_matches("./").to_owned();
        if name == PREFERRED {
            return read_limited(member, "tar.gz");
        }
        if first.is_none() {
            let content = is_yaml_name(&name).then(|| read_limited(member, "tar.gz")).transpose()?;
            first = Some((name, content));
        }
    }
    match first {
        Some((_, Some(content))) => Ok(content),
        Some((name, None)) => Err(not_yaml(&name)),
        None => Err(empty_archive("tar.gz")),
    }
}

fn is_yaml_name(name: &str) -> bool {
    has_ending(&name.to_ascii_lowercase(), &["yaml", "yml"])
}

fn has_ending(lower: &str, endings: &[&str]) -> bool {
    lower.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn not_yaml(name: &str) -> Problems {
    Problems::of_file(
        format!("the archive begins with `{name}`, which is not a .yaml file"),
        format!("put the pipeline into it as `{PREFERRED}`"),
    )
}

fn empty_archive(kind: &str) -> Problems {
    Problems::of_file(
        format!("the {kind} archive is empty"),
        format!("put the pipeline into it as `{PREFERRED}`"),
    )
}

pub(crate) fn too_large(what: &str) -> Problems {
    let mebibytes = SIZE_LIMIT / (1024 * 1024);
    Problems::of_file(format!("{what} is larger than {mebibytes} MiB"), "")
}

fn read_limited(member: impl Read, kind: &str) -> Result<Vec<u8>, Problems> {
    let mut content = Vec::new();
    member.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut content).map_err(|error| {
        Problems::of_file(format!("the {kind} archive is damaged: {error}"), "pack it again")
    })?;
    if content.len() > SIZE_LIMIT {
        return Err(too_large("the pipeline in the archive"));
    }
    Ok(content)
}
