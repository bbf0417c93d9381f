//! What was answered by a moment, and whether a database keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::ledger::{Acknowledged, Act};

/// Everything that was answered, in the order of the answers.
pub(crate) struct Promises(Vec<Acknowledged>);

/// What descends from one login, as far as it was answered.
pub(crate) struct Life {
    pub code: String,
    /// Refresh tokens, the last one last.
    pub tokens: Vec<String>,
    /// Whether its revocation was answered.
    pub is_ended: bool,
}

/// A code or a refresh token in the database.
struct Row {
    used: bool,
    grant: String,
    revoked: bool,
}

/// What an opened database holds of codes and refresh tokens.
pub(crate) struct Found(BTreeMap<Vec<u8>, Row>);

impl Promises {
    pub(crate) fn new(acknowledged: Vec<Acknowledged>) -> Self {
        Self(acknowledged)
    }

    /// Those answered before then.
    pub(crate) fn before(&self, moment: Duration) -> impl Iterator<Item = &Acknowledged> {
        self.0.iter().filter(move |promise| promise.at < moment)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Families as they were known then; those are left out that were revoked later, perhaps already.
    pub(crate) fn lives(&self, moment: Duration) -> Vec<Life> {
        let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
        let mut origins: BTreeMap<&str, &str> = BTreeMap::new();
        for Acknowledged { at, act, key, got } in &self.0 {
            let code =
                if *act == Act::Redeem { key } else { origins.get(key.as_str()).copied().unwrap_or(key) };
            let answered = *at < moment;
            match act {
                Act::Redeem | Act::Refresh => {
                    origins.insert(got, code);
                    let none = || Life { code: code.to_owned(), tokens: Vec::new(), is_ended: false };
                    let life = lives.entry(code).or_insert_with(none);
                    life.tokens.extend(answered.then(|| got.clone()));
                }
                Act::Revoke if answered => {
                    lives.get_mut(code).into_iter().for_each(|life| life.is_ended = true);
                }
                Act::Revoke => drop(lives.remove(code)),
                _ => {}
            }
        }
        lives.into_values().filter(|life| !life.tokens.is_empty()).collect()
    }

    /// What is wrong with a database that lost its power then; nothing, if all is well.
    pub(crate) fn broken(&self, moment: Duration, found: &Found) -> Vec<String> {
        let mut broken = Vec::new();
        for promise in self.before(moment) {
            if let Some(loss) = found.loss(promise) {
                broken.push(format!("an acknowledged write is lost: {loss}"));
            }
        }
        // Of what was not answered yet either all is there, or nothing.
        for Acknowledged { act, key, got, .. } in &self.0 {
            let half = match act {
                Act::Redeem | Act::Refresh => found.is_used(key) != found.is_there(got),
                _ => false,
            };
            if half {
                broken.push(format!("half of a {act:?} is there: {key}"));
            }
        }
        let mut fresh = BTreeSet::new();
        for row in found.0.values().filter(|row| !row.used) {
            if !fresh.insert(&row.grant) {
                broken.push(format!("grant {} can go on in two ways", row.grant));
            }
        }
        broken
    }
}

impl Found {
    /// Opens the database as the server does, which brings back what is in its log. The inner error is what is wrong
    /// with the file.
    pub(crate) fn open(database: &Path) -> Result<Result<Self, String>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match Connection::open_with_flags(database, flags).and_then(|connection| Self::read(&connection)) {
            Ok(found) => Ok(found),
            Err(error) if is_damage(&error) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn read(connection: &Connection) -> rusqlite::Result<Result<Self, String>> {
        // Nobody goes on with this copy: the log need not be emptied.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if said != "ok" {
            return Ok(Err(said));
        }
        let mut statement = connection.prepare(
            "SELECT a.hash, coalesce(a.body ->> 'used_at', a.body ->> 'rotated_at') IS NOT NULL, g.id, \
             g.revoked_at IS NOT NULL FROM artifact a JOIN grant_record g ON g.tenant = a.tenant AND g.id = a.grant_id \
             WHERE a.kind IN ('authorization_code', 'refresh_token')",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Row { used: row.get(1)?, grant: row.get(2)?, revoked: row.get(3)? }))
        })?;
        Ok(Ok(Self(rows.collect::<rusqlite::Result<_>>()?)))
    }

    /// What is missing of a promise.
    fn loss(&self, promise: &Acknowledged) -> Option<String> {
        let Acknowledged { act, key, got, .. } = promise;
        let kept = match act {
            Act::LogIn => self.is_there(key),
            Act::Redeem | Act::Refresh => self.is_used(key) && self.is_there(got),
            Act::Revoke => self.row(key).is_some_and(|row| row.revoked),
            _ => true,
        };
        (!kept).then(|| format!("{act:?} {key} {got}"))
    }

    fn row(&self, handle: &str) -> Option<&Row> {
        self.0.get(digest(&SHA256, handle.as_bytes()).as_ref())
    }

    fn is_there(&self, handle: &str) -> bool {
        self.row(handle).is_some()
    }

    /// Whether a code was redeemed, or a refresh token rotated.
    pub(crate) fn is_used(&self, handle: &str) -> bool {
        self.row(handle).is_some_and(|row| row.used)
    }
}

/// Whether SQLite says that it is about the content of the file.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            matches!(failure.code, DatabaseCorrupt | NotADatabase)
                || message.as_ref().is_some_and(|message| message.starts_with("no such table"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A login, its redemption, a rotation and the revocation, answered in the seconds 1 to 4.
    fn promises() -> Promises {
        let acts = [
            (Act::LogIn, "code", ""),
            (Act::Redeem, "code", "one"),
            (Act::Refresh, "one", "two"),
            (Act::Revoke, "two", ""),
        ];
        let acknowledged = (1..).zip(acts).map(|(second, (act, key, got))| Acknowledged {
            at: Duration::from_secs(second),
            act,
            key: key.to_owned(),
            got: got.to_owned(),
        });
        Promises::new(acknowledged.collect())
    }

    /// Handles with whether they are used, of one grant.
    fn found(rows: &[(&str, bool)], revoked: bool) -> Found {
        let row = |(handle, used): &(&str, bool)| {
            let hash = digest(&SHA256, handle.as_bytes()).as_ref().to_vec();
            (hash, Row { used: *used, grant: "grant".to_owned(), revoked })
        };
        Found(rows.iter().map(row).collect())
    }

    fn broken(second: u64, rows: &[(&str, bool)], revoked: bool) -> usize {
        promises().broken(Duration::from_millis(second * 1000 + 500), &found(rows, revoked)).len()
    }

    #[test]
    fn what_was_answered_is_there_and_what_was_not_may_be() {
        let steps: [&[(&str, bool)]; 4] = [
            &[],
            &[("code", false)],
            &[("code", true), ("one", false)],
            &[("code", true), ("one", true), ("two", false)],
        ];
        for (answered, least) in (0..).zip(steps) {
            assert!(steps.iter().skip(least.len()).all(|rows| broken(answered, rows, false) == 0));
            assert!(steps.iter().take(least.len()).all(|rows| broken(answered, rows, false) > 0));
        }
        assert_eq!(broken(3, steps[3], true), 0);
        assert_eq!(broken(4, steps[3], true), 0);
        assert_eq!(broken(4, steps[3], false), 1);
    }

    #[test]
    fn halves_and_forks_are_seen() {
        // A code that is used without its token, a token whose code is not used, and two that can both go on.
        assert_eq!(broken(1, &[("code", true)], false), 1);
        assert_eq!(broken(1, &[("code", false), ("one", false)], false), 2);
        assert_eq!(broken(0, &[("other", false), ("another", false)], false), 1);
    }

    #[test]
    fn a_family_is_what_was_known_of_it() {
        let life = |second: u64| {
            let lives = promises().lives(Duration::from_millis(second * 1000 + 500));
            lives.first().map(|life| (life.code.clone(), life.tokens.clone(), life.is_ended))
        };
        // Its revocation was answered later, and may have happened before.
        assert_eq!((life(1), life(3)), (None, None));
        assert_eq!(life(4), Some(("code".to_owned(), vec!["one".to_owned(), "two".to_owned()], true)));
    }
}
