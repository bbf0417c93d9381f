//! Lists of documents of which one cannot be read.

use protocol::record::Document;
use serde::de::DeserializeOwned;

/// Those documents that this version can read. One that it cannot, because a newer one wrote a value that this one does
/// not know, or because it is damaged, is refused by itself wherever it is asked for; the others go on.
pub fn readable<T: DeserializeOwned>(documents: Vec<Document>) -> Vec<(Document, T)> {
    let read = |document: Document| match document.read() {
        Ok(value) => Some((document, value)),
        Err(error) => {
            tracing::error!(%error, "a document that this version cannot read is left out");
            None
        }
    };
    documents.into_iter().filter_map(read).collect()
}
