//! Puts the built web page (`ui/dist/page`, made by `npm run build`) into the binary. Without it the plain page is served.
//!
//! Writes `$OUT_DIR/page_files.rs`: an expression of type `Option<Page>`. Needs no Node and no crate.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let watched = crate_folder.join("../../ui/dist");
    println!("cargo:rerun-if-changed=build.rs");
    if watched.exists() {
        println!("cargo:rerun-if-changed={}", watched.display());
    }
    let page = watched.join("page");
    let code = if page.join("index.html").is_file() { table(&page)? } else { "None".to_owned() };
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("page_files.rs"), code)
}

/// All files with their compressed twins, as Rust.
fn table(page: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(page, &mut files)?;
    files.sort();
    let mut code =
        format!("Some(Page {{ index: include_str!({:?}), files: &[\n", absolute(&page.join("index.html"))?);
    for file in &files {
        let address = file.strip_prefix(page).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let bytes = |path: &Path| -> io::Result<String> {
            Ok(if path.is_file() {
                format!("Some(include_bytes!({:?}))", absolute(path)?)
            } else {
                "None".to_owned()
            })
        };
        let twin = |ending: &str| bytes(Path::new(&format!("{}.{ending}", file.display())));
        let (brotli, gzip) = (twin("br")?, twin("gz")?);
        let plain = if gzip == "None" { bytes(file)? } else { "None".to_owned() };
        let _ = writeln!(
            code,
            "File {{ path: \"/{address}\", plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
        );
    }
    code.push_str("] })");
    Ok(code)
}

fn absolute(path: &Path) -> io::Result<String> {
    Ok(fs::canonicalize(path)?.to_string_lossy().into_owned())
}

/// What browsers may ask for: no twins, no index (it is served otherwise), nothing hidden.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "index.html" {
            continue;
        }
        let is_twin = matches!(path.extension().and_then(|ending| ending.to_str()), Some("br" | "gz"));
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_twin {
            files.push(path);
        }
    }
    Ok(())
}
