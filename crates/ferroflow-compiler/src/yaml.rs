//! YAML as PyYAML's block style prints it, sign for sign.
//!
//! Only what JSON can hold is printed. Keys are sorted, lines fold at 80 columns, and what is not ASCII is escaped,
//! because that is how KFP's own compiler writes its files.

mod scalar;
mod writer;

use serde_json::Value;

/// The documents as one stream; the second and later ones begin with `---`.
#[must_use]
pub fn dump(documents: &[&Value]) -> String {
    let mut writer = writer::Writer::default();
    for (place, document) in documents.iter().enumerate() {
        writer.document(document, place == 0);
    }
    writer.finish()
}
