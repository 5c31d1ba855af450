//! Bad files: each is refused in words, at once, and in bounded memory.

use std::fmt::Write as _;
use std::io::Write as _;

use ferroflow_spec::document;

use crate::told::check;

/// Memory that all tests of this process together may have taken at their worst.
const PEAK_KIB: u64 = 600 * 1024;

fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

fn tar_of(name: &str, content: &[u8]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut archive = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

/// A pipeline of one task, with more text at its end.
fn pipeline(more: &str) -> String {
    format!("pipelineInfo: {{name: p}}\nschemaVersion: 2.1.0\nroot: {{dag: {{tasks: {{}}}}}}\n{more}")
}

#[test]
fn a_good_pipeline_is_read_from_every_kind_of_file() {
    let text = pipeline("sdkVersion: kfp-2.17.0\n");
    let json = serde_json::json!({"pipelineInfo": {"name": "p"}, "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0", "root": {"dag": {"tasks": {}}}})
    .to_string();
    for (name, bytes) in [
        ("p.yaml", text.clone().into_bytes()),
        ("P.YML", text.clone().into_bytes()),
        ("p.json", json.into_bytes()),
        ("p.zip", zip_of("other.yaml", text.as_bytes())),
        ("p.tar.gz", tar_of("./pipeline.yaml", text.as_bytes())),
        ("no-ending", tar_of("pipeline.yml", text.as_bytes())),
    ] {
        let document = document::read(name, &bytes).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(document.spec.sdk_version, "kfp-2.17.0", "{name}");
    }
    // The text is kept as it was, comments included.
    let commented = format!("# made by hand\n{text}");
    assert_eq!(document::read("p.yaml", commented.as_bytes()).unwrap().original, commented.as_bytes());
}

#[test]
fn what_is_not_a_pipeline_is_refused_in_words() {
    check("a.yaml", b"", "the file is empty");
    check("a.yaml", b"# nothing\n---\n", "the file is empty");
    check("a.yaml", b"hello", "this is not a pipeline");
    check("a.yaml", b"a: 1\n", "no `pipelineInfo` and no `root`");
    check("a.yaml", b"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n", "Argo workflow of KFP v1");
    check("a.yaml", b"pipelineSpec: {}\n", "holds a pipeline");
    check("a.yaml", b"a: [1, 2\n", "line ");
    check("a.yaml", b"\x89PNG\r\n\x1a\n\0\0", "is not UTF-8");
    check("a.yaml", b"a: \0", "zero byte");
    check("a.png", b"\x89PNG\r\n\x1a\n\0\0", "`a.png` is not a pipeline file");
    check("a.yaml", pipeline("root: {}\n").as_bytes(), "the key `root` stands here twice");
    check("a.yaml", pipeline("x: !!python/object:os.system {}\n").as_bytes(), "means nothing in a pipeline");
    check("a.yaml", pipeline("---\n").repeat(2).as_bytes(), "the file holds two pipelines");
}

#[test]
fn broken_archives_are_refused() {
    let good = zip_of("pipeline.yaml", pipeline("").as_bytes());
    for length in [3, good.len() / 2, good.len() - 1] {
        check("a.zip", good.get(..length).unwrap(), "the zip archive cannot be read");
    }
    check("a.zip", &zip_of("readme.txt", b"hello"), "begins with `readme.txt`");
    let good = tar_of("pipeline.yaml", pipeline(&format!("description: {}\n", "x".repeat(4000))).as_bytes());
    for length in [5, good.len() / 2] {
        check("a.tar.gz", good.get(..length).unwrap(), "the tar.gz archive");
    }
    check("a.tar.gz", &tar_of("readme.txt", b"hello"), "begins with `readme.txt`");
}

#[test]
fn bombs_and_floods_are_refused_at_once_and_in_bounded_memory() {
    let flood = vec![b' '; 50 * 1024 * 1024];
    check("a.yaml", &flood, "larger than 32 MiB");
    let zipped = zip_of("pipeline.yaml", &flood);
    assert!(zipped.len() < 100_000);
    check("a.zip", &zipped, "larger than 32 MiB");
    check("a.tar.gz", &tar_of("pipeline.yaml", &flood), "larger than 32 MiB");
    check("a.tar.gz", &tar_of("other.bin", &flood), "begins with `other.bin`");
    drop(flood);

    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        writeln!(laughs, "a{level}: &a{level} [{below}]").unwrap();
    }
    check("a.yaml", pipeline(&laughs).as_bytes(), "blow this file up");
    check("a.yaml", pipeline("x: &x [*x]\n").as_bytes(), "inside the value that it stands for");
    let deep = format!("x: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    check("a.yaml", pipeline(&deep).as_bytes(), "nested more than 100 levels deep");
    check("a.yaml", "---\na: 1\n".repeat(50_000).as_bytes(), "more than 1000 documents");

    if let Some(peak) = peak_kib() {
        assert!(peak < PEAK_KIB, "took {peak} KiB");
    }
}

/// Most memory that this process has held so far; `None` where the system does not tell.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
