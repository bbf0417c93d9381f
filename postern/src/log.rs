//! The log: one event, one line, whatever the event holds (W-03).
//!
//! Requests never wait for the log: lines go through a bounded queue to a thread of their own, and when
//! whoever reads them is too slow, lines are lost and counted instead.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::http::trace_id::CURRENT;
use crate::server;
use crate::spans::SpanLayer;

const QUEUE: usize = 8_192;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object each, for machines.
    #[default]
    Json,
    /// Time, level, message, facts: for people.
    Text,
}

/// What is logged, and how.
#[derive(Debug, Default)]
pub struct Settings {
    filter: EnvFilter,
    format: Format,
}

impl Settings {
    /// A level (`warn`), or directives (`info,engine=debug`).
    ///
    /// # Errors
    /// The text is neither.
    pub fn new(level: &str, format: Format) -> Result<Self, String> {
        let known = |word: &str| {
            matches!(
                word.to_ascii_lowercase().as_str(),
                "off" | "error" | "warn" | "info" | "debug" | "trace"
            )
        };
        // A single word would otherwise be taken for the name of a module.
        if !level.contains(['=', ',']) && !known(level) {
            return Err(format!("\"{level}\" is not one of error, warn, info, debug, trace"));
        }
        let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
        Ok(Self { filter, format })
    }
}

/// The crates whose events hold no secrets, at no level.
const OURS: [&str; 9] =
    ["postern", "web", "admin", "engine", "protocol", "jose", "store", "store_sqlite", "store_postgres"];

/// Keeps the log open; what is queued is written when this is dropped.
#[derive(Debug)]
pub struct Log {
    queue: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
}

/// Starts to log to standard error, and to make spans for whoever hears of them. In a process that already logs, this changes nothing.
///
/// # Errors
/// No thread can be started.
pub fn start(settings: Settings, spans: Option<SpanLayer>) -> std::io::Result<Log> {
    let (queue, lines) = sync_channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let (counted, format) = (Arc::clone(&lost), settings.format);
    let writer =
        std::thread::Builder::new().name("log".into()).spawn(move || write(format, &lines, &counted))?;
    let layer = Lines { format: settings.format, queue: queue.clone(), lost };
    // An error means that somebody else's subscriber is in place, as in tests.
    let may_be_told = filter_fn(may_be_told).with_max_level_hint(LevelFilter::TRACE);
    let lines = layer.with_filter(settings.filter.and(may_be_told));
    let _ = tracing_subscriber::registry().with(spans).with(lines).try_init();
    Ok(Log { queue: Some(queue), writer: Some(writer) })
}

/// Events only; and what libraries say below `info` never, whatever the level: it holds rows, parameters and headers.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let of = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_event() && (*metadata.level() <= Level::INFO || OURS.contains(&of))
}

impl Drop for Log {
    fn drop(&mut self) {
        // The subscriber lives as long as the process, so the writer is told by an empty line.
        if let Some(queue) = self.queue.take() {
            let _ = queue.send(String::new());
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write(format: Format, lines: &Receiver<String>, lost: &AtomicU64) {
    let mut out = std::io::stderr();
    for line in lines {
        if line.is_empty() {
            return;
        }
        // There is nowhere to report that the log cannot be written.
        let _ = out.write_all(line.as_bytes());
        let missing = lost.swap(0, Relaxed);
        if missing > 0 {
            let _ = match format {
                Format::Json => writeln!(
                    out,
                    "{{\"level\":\"warn\",\"target\":\"log\",\"message\":\"lines were lost\",\"lines\":{missing}}}"
                ),
                Format::Text => writeln!(out, "lines were lost lines={missing}"),
            };
        }
    }
}

struct Lines {
    format: Format,
    queue: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let trace_id = CURRENT.try_with(ToString::to_string).ok();
        let line = line(self.format, server::now(), trace_id.as_deref(), event);
        if self.queue.try_send(line).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

fn line(format: Format, now: OffsetDateTime, trace_id: Option<&str>, event: &Event<'_>) -> String {
    let mut facts = Facts { format, message: String::new(), rest: String::new(), traced: false };
    event.record(&mut facts);
    if let Some(trace_id) = trace_id.filter(|_| !facts.traced) {
        facts.fact("trace_id", trace_id);
    }
    let (level, target) = (name(*event.metadata().level()), event.metadata().target());
    match format {
        Format::Json => {
            let time = now.format(&Rfc3339).unwrap_or_default();
            let mut line = format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"target\":");
            json_string(&mut line, target);
            line.push_str(",\"message\":");
            json_string(&mut line, &facts.message);
            line.push_str(&facts.rest);
            line.push_str("}\n");
            line
        }
        Format::Text => {
            let (hour, minute, second) = (now.hour(), now.minute(), now.second());
            let mut line = format!("{hour:02}:{minute:02}:{second:02} {level:<5} ");
            escape(&mut line, &facts.message);
            line.push_str(&facts.rest);
            line.push('\n');
            line
        }
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Collects an event's fields as the tail of its line.
struct Facts {
    format: Format,
    message: String,
    rest: String,
    /// The event names its trace id itself.
    traced: bool,
}

impl Facts {
    fn fact(&mut self, name: &str, value: &str) {
        self.traced |= name == "trace_id";
        match self.format {
            Format::Json => {
                self.rest.push(',');
                json_string(&mut self.rest, name);
                self.rest.push(':');
                json_string(&mut self.rest, value);
            }
            Format::Text => {
                // Writing to a string does not fail.
                let _ = write!(self.rest, " {name}=");
                let bare = !value.is_empty() && !value.contains([' ', '"', '=']);
                if bare {
                    escape(&mut self.rest, value);
                } else {
                    self.rest.push('"');
                    escape(&mut self.rest, &value.replace('"', "'"));
                    self.rest.push('"');
                }
            }
        }
    }

    /// A number or boolean, which JSON writes without quotes.
    fn bare(&mut self, name: &str, value: &dyn fmt::Display) {
        // Writing to a string does not fail.
        let _ = match self.format {
            Format::Json => write!(self.rest, ",\"{name}\":{value}"),
            Format::Text => write!(self.rest, " {name}={value}"),
        };
    }
}

impl Visit for Facts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => self.fact(name, value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field.name(), &value);
    }
}

fn json_string(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if steers(character) => {
                let mut units = [0_u16; 2];
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        if steers(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
}

/// Characters that end a line or steer a terminal: controls, line and paragraph separators, direction
/// marks and overrides.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const HOSTILE: &str = "a\r\n\u{1b}[2J\u{2028}\u{9b}31m\"}\u{202e}b";

    struct Kept(Format, Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.1.lock().unwrap().push(line(self.0, OffsetDateTime::UNIX_EPOCH, Some("cafe"), event));
        }
    }

    fn logged(format: Format, log: impl FnOnce()) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Kept(format, Arc::clone(&lines)));
        tracing::subscriber::with_default(subscriber, log);
        let lines = lines.lock().unwrap();
        lines.concat()
    }

    #[test]
    fn w_03_one_event_is_one_json_line_with_everything_escaped() {
        let line = logged(Format::Json, || {
            tracing::warn!(user = HOSTILE, debug = ?HOSTILE, display = %HOSTILE, n = 7, "hello {HOSTILE}");
        });
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.trim_end().chars().all(|c| !steers(c)), "{line:?}");
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["user"], HOSTILE);
        assert_eq!(parsed["display"], HOSTILE);
        assert_eq!(parsed["n"], 7);
        assert_eq!(parsed["trace_id"], "cafe");
        assert_eq!(parsed["message"], format!("hello {HOSTILE}"));
    }

    #[test]
    fn w_30_what_libraries_say_below_info_is_never_told() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Kept(Format::Text, Arc::clone(&lines)).with_filter(filter_fn(may_be_told));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept), || {
            tracing::debug!(target: "tokio_postgres::query", "a row");
            tracing::debug!(target: "log", "another row");
            tracing::trace!(target: "engineer", "not ours");
            tracing::debug!(target: "engine::login", "ours");
            tracing::warn!(target: "h2", "trouble");
        });
        let lines = lines.lock().unwrap().concat();
        assert!(lines.contains("ours") && lines.contains("trouble"), "{lines}");
        assert!(!lines.contains("row") && !lines.contains("not ours"), "{lines}");
    }

    #[test]
    fn w_03_text_lines_are_escaped_too() {
        let own = logged(Format::Json, || tracing::info!(trace_id = "own", "calm"));
        assert_eq!(own.matches("trace_id").count(), 1, "{own}");
        let line = logged(Format::Text, || tracing::info!(user = HOSTILE, "calm"));
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.trim_end().chars().all(|c| !steers(c)), "{line:?}");
        assert!(line.starts_with("00:00:00 info  calm user="), "{line:?}");
        assert!(line.ends_with("trace_id=cafe\n"));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(Settings::new("loud", Format::Json).is_err());
        assert!(Settings::new("info,engine=debug", Format::Json).is_ok());
        assert!(Settings::new("engine=louder", Format::Json).is_err());
    }
}
