//! One step of `cargo xtask test`: run something, keep its output, say how it went.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::report::Counts;

/// What a step is given: where its output goes.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// Whether the output is shown as it comes.
    pub streamed: bool,
}

/// How a step ended, if it did not fail.
pub(crate) enum Outcome {
    Passed {
        counts: Counts,
        remark: String,
    },
    /// Something is missing on this machine; the text says how to get it.
    Skipped {
        missing: String,
    },
}

impl Outcome {
    /// One check that passed.
    pub(crate) fn passed(remark: impl Into<String>) -> Self {
        Self::Passed { counts: Counts { passed: 1, failed: 0 }, remark: remark.into() }
    }
}

/// A named piece of work and the command that repeats it.
pub(crate) struct Step {
    pub name: &'static str,
    pub repeat: String,
    /// Left out by `--quick`.
    pub slow: bool,
    pub work: fn(&mut Log) -> Result<Outcome>,
}

impl Log {
    /// A log at `target/xtask/NAME.log`.
    pub(crate) fn create(name: &str, streamed: bool) -> Result<Self> {
        let directory = cargo::target_directory().join("xtask");
        fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        let path = directory.join(format!("{name}.log"));
        let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, file, streamed })
    }

    /// Writes a line of our own.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        if self.streamed {
            println!("{line}");
        }
        writeln!(self.file, "{line}")?;
        Ok(())
    }

    /// Runs a command to its end; its output goes to the log. Fails if the command does.
    pub(crate) fn run(&mut self, mut command: Command) -> Result<String> {
        let shown = shown(&command);
        self.line(&format!("$ {shown}"))?;
        let (reader, writer) = std::io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().with_context(|| format!("{shown} does not start"))?;
        drop(command); // closes this side's writing end, so that reading ends with the child
        let mut output = String::new();
        for line in BufReader::new(reader).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            self.line(&line)?;
            output.push_str(&line);
            output.push('\n');
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{shown}: {status}");
        }
        Ok(output)
    }

    /// Everything logged so far.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// The end of the log, for a failure that was not streamed.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let text = self.text();
        let all: Vec<&str> = text.lines().collect();
        let skipped = all.len().saturating_sub(lines);
        let head = if skipped > 0 {
            format!("… {skipped} lines before: {}\n", self.path.display())
        } else {
            String::new()
        };
        head + &all.get(skipped..).unwrap_or_default().join("\n")
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| line + " " + &argument.to_string_lossy())
}
