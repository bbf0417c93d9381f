//! SQLite, durable (WAL, synchronous=FULL), one writer thread that commits in groups.
//!
//! A reply leaves after the commit that holds its change.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, Statement, params};
use tokio::sync::oneshot;

/// How many changes one commit takes at most.
const GROUP: usize = 256;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    CREATE TABLE IF NOT EXISTS code (hash BLOB PRIMARY KEY, grant_data TEXT, used INTEGER DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS refresh_token (
        hash BLOB PRIMARY KEY, subject TEXT, client_id TEXT, expires INTEGER, used INTEGER DEFAULT 0, parent BLOB
    ) WITHOUT ROWID;
";

type Hash = [u8; 32];

/// A change that must not be lost once it was answered.
pub(crate) enum Change {
    /// A new code and what it stands for; its first line is the subject.
    PutCode { code: Hash, grant: String },
    /// Uses a code up and puts its first refresh token. Answers what the code stands for.
    UseCode { code: Hash, successor: Hash },
    /// Uses a refresh token up and puts its successor. Answers the subject.
    Rotate { token: Hash, successor: Hash },
}

struct Job {
    change: Change,
    reply: oneshot::Sender<Option<String>>,
}

/// The way to the writer.
pub(crate) struct Store {
    jobs: Sender<Job>,
}

impl Store {
    /// Opens the database and starts the writer.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection =
            Connection::open(path).with_context(|| format!("{} does not open", path.display()))?;
        connection.execute_batch(SCHEMA)?;
        let (jobs, queue) = channel();
        thread::spawn(move || {
            if let Err(error) = write(&connection, &queue) {
                eprintln!("the writer stopped: {error}");
            }
        });
        Ok(Self { jobs })
    }

    /// Makes the change durable; none if its precondition does not hold.
    pub(crate) async fn commit(&self, change: Change) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { change, reply }).ok()?;
        answer.await.ok()?
    }
}

/// Takes what waits, commits it together, answers.
fn write(connection: &Connection, queue: &Receiver<Job>) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection)?;
    while let Ok(first) = queue.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(queue.try_iter()).take(GROUP).collect();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut replies = Vec::with_capacity(group.len());
        for job in group {
            replies.push((job.reply, statements.apply(&job.change)?));
        }
        connection.execute_batch("COMMIT")?;
        for (reply, answer) in replies {
            let _ = reply.send(answer); // whoever asked may have gone
        }
    }
    Ok(())
}

struct Statements<'c> {
    put_code: Statement<'c>,
    use_code: Statement<'c>,
    put_token: Statement<'c>,
    use_token: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            put_code: connection.prepare("INSERT INTO code (hash, grant_data) VALUES (?1, ?2)")?,
            use_code: connection
                .prepare("UPDATE code SET used = 1 WHERE hash = ?1 AND used = 0 RETURNING grant_data")?,
            put_token: connection.prepare(
                "INSERT INTO refresh_token (hash, subject, client_id, expires, parent)
                 VALUES (?1, ?2, 'bench', 4102444800, ?3)",
            )?,
            use_token: connection.prepare(
                "UPDATE refresh_token SET used = 1 WHERE hash = ?1 AND used = 0 RETURNING subject",
            )?,
        })
    }

    fn apply(&mut self, change: &Change) -> rusqlite::Result<Option<String>> {
        match change {
            Change::PutCode { code, grant } => {
                self.put_code.execute(params![code, grant])?;
                Ok(Some(String::new()))
            }
            Change::UseCode { code, successor } => {
                let grant: Option<String> =
                    self.use_code.query_row(params![code], |row| row.get(0)).optional()?;
                if let Some(grant) = &grant {
                    self.put_token.execute(params![successor, grant.lines().next(), code])?;
                }
                Ok(grant)
            }
            Change::Rotate { token, successor } => {
                let subject: Option<String> =
                    self.use_token.query_row(params![token], |row| row.get(0)).optional()?;
                if let Some(subject) = &subject {
                    self.put_token.execute(params![successor, subject, token])?;
                }
                Ok(subject)
            }
        }
    }
}
