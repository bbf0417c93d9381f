//! Events as lines of a file. A file that was moved away or deleted is made anew before the next lines, so that whatever
//! rotates it needs to tell nobody.

use super::AuditSink;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use store::ExportSink;

/// A file of JSON lines, readable by its owner alone.
pub struct FileSink {
    path: PathBuf,
    open: Arc<Mutex<Option<File>>>,
}

impl FileSink {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), open: Arc::default() }
    }
}

impl AuditSink for FileSink {
    fn sink(&self) -> ExportSink {
        ExportSink::File
    }

    fn deliver<'a>(
        &'a self,
        lines: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let (path, open) = (self.path.clone(), Arc::clone(&self.open));
        let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                let outcome = append(&path, &mut open, text.as_bytes());
                if outcome.is_err() {
                    // What is in it now is looked at when it is opened again.
                    *open = None;
                }
                outcome.map_err(|error| format!("{}: {error}", path.display()))
            });
            written.await.map_err(|error| error.to_string())?
        })
    }
}

/// Appends to the file of that name, whichever that is by now; it is on disk when this answers.
fn append(path: &Path, open: &mut Option<File>, text: &[u8]) -> std::io::Result<()> {
    let stays = match (open.as_ref(), path.metadata()) {
        (Some(file), Ok(named)) => file.metadata().map(|ours| same(&ours, &named))?,
        _ => false,
    };
    let file = match open.take().filter(|_| stays) {
        Some(file) => open.insert(file),
        None => open.insert(ready(path)?),
    };
    file.write_all(text)?;
    file.sync_data()
}

fn same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The file, ready for a new line: one that was cut off by a crash is ended.
fn ready(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn deliver(sink: &FileSink, line: &str) -> Result<(), String> {
        sink.deliver(&[line.to_owned()]).await
    }

    #[tokio::test]
    async fn lines_are_appended_and_a_rotated_file_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("audit.jsonl"), directory.path().join("audit.1"));
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let sink = FileSink::new(&path);
        deliver(&sink, "a").await.unwrap();
        deliver(&sink, "b").await.unwrap();
        assert_eq!(read(&path), "a\nb\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::rename(&path, &moved).unwrap();
        deliver(&sink, "c").await.unwrap();
        assert_eq!((read(&moved).as_str(), read(&path).as_str()), ("a\nb\n", "c\n"));
        // Another process, and a line that a crash cut off.
        std::fs::write(&path, "c\nhal").unwrap();
        deliver(&FileSink::new(&path), "d").await.unwrap();
        assert_eq!(read(&path), "c\nhal\nd\n");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_said_and_works_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing/audit.jsonl");
        let sink = FileSink::new(&path);
        assert!(deliver(&sink, "a").await.unwrap_err().contains("audit.jsonl"));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        deliver(&sink, "a").await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\n");
    }
}
