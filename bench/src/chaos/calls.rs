//! What a process does to its files, call by call, as the operating system sees it.
//!
//! strace stands beside the program that is shipped, and writes down every call that can change one of the files, with
//! the bytes. A kind of call that nobody expects here is an error, not left out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::stopwatch::Stopwatch;
use tokio::time::sleep;

use crate::cluster::PATIENCE;

/// All by which a file can be made, changed, or removed.
const TRACED: &str = "openat,open,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,\
                      fsync,fdatasync,sync_file_range,unlink,unlinkat,rename,renameat,renameat2,link,linkat,mmap,\
                      copy_file_range,sendfile,splice";

/// One call that succeeded.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Call {
    /// When it began and when it was over, since the Unix epoch.
    pub start: Duration,
    pub end: Duration,
    /// The file's name in its directory; nothing for the directory itself.
    pub file: String,
    pub change: Change,
}

/// What a call does to a file.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Change {
    /// Makes it if it is not there.
    Create,
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate(usize),
    /// All of it, or of the names in the directory, is on the disk when it is over.
    Sync,
    Unlink,
}

/// strace, with the files that it looks at.
pub(crate) struct Recorder {
    /// Where it writes.
    directory: PathBuf,
    /// The directory of the files.
    watched: PathBuf,
    files: Vec<String>,
}

impl Recorder {
    /// Of the files of a directory; nothing where processes cannot be traced.
    pub(crate) fn new(directory: &Path, watched: &Path, files: &[&str]) -> Result<Option<Self>> {
        let directory = directory.join("calls");
        fs::create_dir_all(&directory)?;
        let probe = Command::new("strace")
            .args(["-D", "-f", "--seccomp-bpf", "-e", "trace=openat", "-o"])
            .arg(directory.join("probe"))
            .arg("true")
            .stdin(Stdio::null())
            .output();
        let files = files.iter().map(|&file| file.to_owned()).collect();
        let works = probe.is_ok_and(|output| output.status.success());
        Ok(works.then(|| Self { directory, watched: watched.to_owned(), files }))
    }

    /// A program that does the same as `program`, and is recorded.
    pub(crate) fn around(&self, program: &Path) -> Result<PathBuf> {
        let quoted = |path: &Path| format!("'{}'", path.display());
        let paths = self.files.iter().map(|file| self.watched.join(file)).chain([self.watched.clone()]);
        let paths: Vec<String> = paths.map(|path| format!("-P {}", quoted(&path))).collect();
        // One file for each thread, so that no call is cut in two by another's. The process stays the one that was
        // started: strace runs beside it.
        let text = format!(
            "#!/bin/sh\nexec strace -D -f -ff --seccomp-bpf -q -y -xx -s 100000 -T \
             --absolute-timestamps=format:unix,precision:us -e signal=none -e trace={TRACED} {} -o {} {} \"$@\"\n",
            paths.join(" "),
            quoted(&self.directory.join("thread")),
            quoted(program)
        );
        let script = self.directory.join("recorded");
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(script)
    }

    /// What the process `pid`, which has ended, has done, in the order in which it was begun.
    pub(crate) async fn calls(&self, pid: u32) -> Result<Vec<Call>> {
        let own = self.directory.join(format!("thread.{pid}"));
        let watch = Stopwatch::start();
        // The first thread's end is written last.
        while !fs::read_to_string(&own).is_ok_and(|text| text.contains("+++ exited with ")) {
            ensure!(watch.elapsed() < PATIENCE, "{}: no end of the process", own.display());
            sleep(Duration::from_millis(5)).await;
        }
        let mut calls = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|stem| stem == "thread") {
                for line in fs::read_to_string(&path)?.lines() {
                    calls.extend(self.read(line)?);
                }
            }
        }
        calls.sort_by_key(|call: &Call| (call.start, call.end));
        in_turn(&calls)?;
        Ok(calls)
    }

    /// One line: `seconds name(arguments) = result <seconds>`. Nothing for a call that changed nothing.
    fn read(&self, line: &str) -> Result<Option<Call>> {
        let shown = || line.chars().take(200).collect::<String>();
        let (start, rest) = line.split_once(' ').with_context(shown)?;
        if rest.starts_with("+++ ") {
            return Ok(None);
        }
        let (name, rest) = rest.split_once('(').with_context(shown)?;
        let (arguments, result) = rest.rsplit_once(") = ").with_context(shown)?;
        if result.starts_with("-1 ") {
            ensure!(!name.contains("sync"), "a sync failed: {line}");
            return Ok(None);
        }
        let (_, lasted) = result.rsplit_once('<').with_context(shown)?;
        let start = seconds(start)?;
        let end = start + seconds(lasted.trim_end_matches('>'))?;
        // No call has more than one text, and none is long without it.
        let (head, text, tail) = match arguments.split_once('"') {
            None => (arguments, "", ""),
            Some((head, rest)) => {
                let (text, tail) = rest.split_once('"').with_context(shown)?;
                (head, text, tail)
            }
        };
        let arguments = format!("{head}{tail}");
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let whole = |at: usize| -> Result<Vec<u8>> {
            // What is cut off ends with dots.
            ensure!(arguments.get(at).is_some_and(|rest| rest.is_empty()), "not whole: {}", shown());
            unescaped(text)
        };
        let argument = |number: usize| arguments.get(number).copied().with_context(shown);
        let number = |at: usize| -> Result<usize> { argument(at)?.parse().with_context(shown) };
        let (path, change) = match name {
            "openat" if argument(2)?.contains("O_TRUNC") => {
                bail!("a file is emptied as it is opened: {line}")
            }
            "openat" if argument(2)?.contains("O_CREAT") => (whole(1)?, Change::Create),
            "openat" => return Ok(None),
            "pwrite64" => {
                let bytes = whole(1)?;
                let written: usize = result.split(' ').next().unwrap_or_default().parse()?;
                ensure!(bytes.len() == written, "a write in part: {}", shown());
                (of_descriptor(argument(0)?)?, Change::Write { offset: number(3)?, bytes })
            }
            "ftruncate" => (of_descriptor(argument(0)?)?, Change::Truncate(number(1)?)),
            "fsync" | "fdatasync" => (of_descriptor(argument(0)?)?, Change::Sync),
            "unlink" => (whole(0)?, Change::Unlink),
            "mmap" if !argument(2)?.contains("PROT_WRITE") || !argument(3)?.contains("MAP_SHARED") => {
                return Ok(None);
            }
            _ => bail!("a call whose effect on a disk is not known here: {}", shown()),
        };
        let path = PathBuf::from(String::from_utf8(path)?);
        let file = path.strip_prefix(&self.watched).with_context(|| path.display().to_string())?;
        Ok(Some(Call { start, end, file: file.display().to_string(), change }))
    }
}

/// What changes one file has an order only if it does not happen at once.
fn in_turn(calls: &[Call]) -> Result<()> {
    let mut last: BTreeMap<&str, Duration> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.change != Change::Create) {
        let before = last.insert(&call.file, call.end).unwrap_or_default();
        ensure!(before <= call.start, "two calls at once on `{}`", call.file);
    }
    Ok(())
}

/// `seconds.microseconds`.
fn seconds(text: &str) -> Result<Duration> {
    let (whole, micros) = text.split_once('.').with_context(|| format!("no time: {text}"))?;
    Ok(Duration::from_secs(whole.parse()?) + Duration::from_micros(micros.parse()?))
}

/// The path in `number<path>`.
fn of_descriptor(text: &str) -> Result<Vec<u8>> {
    let (_, path) = text.split_once('<').with_context(|| format!("no path: {text}"))?;
    unescaped(path.strip_suffix('>').with_context(|| format!("no path: {text}"))?)
}

/// The bytes that are written as `\x00\x01`. There are many of them, and this is not optimised: few steps for each.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let [b'\\', b'x', high, low, then @ ..] = rest {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
        rest = then;
    }
    ensure!(rest.is_empty(), "not all is \\x..");
    Ok(bytes)
}

fn digit(digit: u8) -> Result<u8> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => bail!("no hexadecimal digit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Call>> {
        let watched = PathBuf::from("/d");
        Recorder { directory: PathBuf::new(), watched, files: Vec::new() }.read(line)
    }

    fn call(line: &str) -> (String, Change) {
        let call = read(line).unwrap().unwrap();
        assert_eq!(call.start, Duration::new(1_795_935_608, 717_856_000));
        assert_eq!(call.end, call.start + Duration::from_micros(75));
        (call.file, call.change)
    }

    #[test]
    fn calls_are_read() {
        let line = |call: &str| format!("1795935608.717856 {call} <0.000075>");
        let file = "4<\\x2f\\x64\\x2f\\x61>";
        let write = call(&line(&format!("pwrite64({file}, \"\\x00\\xff\\x2c\\x20\", 4, 24) = 4")));
        assert_eq!(write, ("a".into(), Change::Write { offset: 24, bytes: vec![0, 255, b',', b' '] }));
        assert_eq!(call(&line(&format!("fdatasync({file}) = 0"))), ("a".into(), Change::Sync));
        assert_eq!(
            call(&line(&format!("ftruncate({file}, 8192) = 0"))),
            ("a".into(), Change::Truncate(8192))
        );
        assert_eq!(call(&line("unlink(\"\\x2f\\x64\\x2f\\x61\") = 0")), ("a".into(), Change::Unlink));
        assert_eq!(call(&line("fsync(5<\\x2f\\x64>) = 0")), (String::new(), Change::Sync));
        let open = |flags: &str| {
            line(&format!("openat(AT_FDCWD<\\x2f>, \"\\x2f\\x64\\x2f\\x61\", {flags}, 0644) = {file}"))
        };
        assert_eq!(call(&open("O_RDWR|O_CREAT")), ("a".into(), Change::Create));
        assert_eq!(read(&open("O_RDWR")).unwrap(), None);
        assert_eq!(read("1795935608.717856 +++ exited with 0 +++").unwrap(), None);
    }

    #[test]
    fn what_is_not_known_is_not_passed_over() {
        for call in [
            "pwritev(4<\\x2f\\x64\\x2f\\x61>, [], 1, 0) = 4 <0.000075>",
            "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 4<\\x2f\\x64\\x2f\\x61>, 0) = 0x7f <0.000075>",
            "pwrite64(4<\\x2f\\x64\\x2f\\x61>, \"\\x00\"..., 4096, 0) = 4096 <0.000075>",
            "pwrite64(4<\\x2f\\x64\\x2f\\x61>, \"\\x00\", 4096, 0) = 4096 <0.000075>",
            "fdatasync(4<\\x2f\\x64\\x2f\\x61>) = -1 EIO (Input/output error) <0.000075>",
            "fdatasync(4<\\x2f\\x65\\x2f\\x61>) = 0 <0.000075>",
        ] {
            assert!(read(&format!("1795935608.717856 {call}")).is_err(), "{call}");
        }
    }

    #[test]
    fn calls_at_once_have_no_order() {
        let call = |start: u64, end: u64| Call {
            start: Duration::from_micros(start),
            end: Duration::from_micros(end),
            file: "a".into(),
            change: Change::Sync,
        };
        assert!(in_turn(&[call(1, 3), call(3, 4)]).is_ok());
        assert!(in_turn(&[call(1, 3), call(2, 4)]).is_err());
    }
}
