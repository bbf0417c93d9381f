//! E8: the power fails while the embedded database is written (promises P1, P2).
//!
//! Every call by which the server changes its files is recorded while clients work. Afterwards the disk is built as it
//! may be found if the power fails at any of these moments: what was synced is there, of the rest each sector is or is
//! not. Each such disk must hold a sound database, with everything that was answered by then, and a server on it must
//! know what was used. A disk that swallows syncs is the control: there something must be missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::connection::Target;
use bench::page::encode;
use tokio::task::JoinSet;

use crate::actor::{Actor, Site};
use crate::calls::{Call, Change, Recorder};
use crate::cluster::Node;
use crate::ledger::{Act, Ledger, Outcome};
use crate::platter::{Files, Platter};
use crate::promises::{Found, Life, Promises};
use crate::random::Random;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "power", stores: &[Store::Sqlite], run: |world| Box::pin(run(world)) };

const DATABASE: &str = "postern.db";
const LOG: &str = "postern.db-wal";
/// The memory that processes share over the log. It is rebuilt, whatever is left of it.
const SHARED: &str = "postern.db-shm";
/// There is none in this mode; if there is one, it is seen.
const JOURNAL: &str = "postern.db-journal";

/// Clients, and how many logins each makes, whatever the scale: enough that the log begins anew.
const CLIENTS: usize = 6;
const LOGINS: usize = 30;
/// Power losses at scale 1, and how many of them are at the end of a sync, if there are so many syncs; and as many as a
/// control needs to lose something.
const LOSSES: usize = 250;
const AT_SYNCS: usize = 150;
const CONTROLS: usize = 6;
/// Disks that a server is started on at scale 1, and families that it is asked about.
const SERVED: usize = 4;
const ASKED: usize = 12;

async fn run(world: &mut World) -> Result<Verdict> {
    let data = world.directory.join("data");
    fs::create_dir_all(&data)?;
    let Some(recorder) = Recorder::new(&world.directory, &data, &[DATABASE, LOG, JOURNAL])? else {
        return Ok(Verdict::NotRun("needs strace, and the permission to trace processes".to_owned()));
    };
    let Yard { cluster, site, .. } = world.yard_with(&data, None, "").await?;
    let (node, doors) = (cluster.node(0)?, cluster.doors()?);
    node.terminate()?;
    node.ended().await?;
    let before = files(&data)?;
    node.replace(&recorder.around(&world.program)?);
    node.start()?;
    node.ready().await?;
    let pid = node.pid().context("no process")?;
    let access_tokens = load(&site, &doors, &mut world.random).await?;
    node.terminate()?;
    node.ended().await?;
    node.replace(&world.program);

    let calls = recorder.calls(pid).await?;
    let history = History { before, calls, promises: Promises::new(site.ledger.acknowledged()) };
    let (commits, renewals) = history.commits()?;
    let (syncs, cuts) = history.cuts(world.scale, &mut world.random);
    let image = world.directory.join("image");
    let mut served = 0;
    let serve_each = (cuts.len() / (SERVED * world.scale)).max(1);
    let mut platter = history.platter(|_| false);
    let mut done = 0;
    for (number, &cut) in cuts.iter().enumerate() {
        platter.follow_all(history.calls.get(done..cut).unwrap_or_default())?;
        done = cut;
        let (moment, lost) = (history.moment(cut), platter.after_power_loss(&mut world.random));
        let found = match history.look(&image, &lost, moment, &mut world.random)? {
            Ok(found) => found,
            Err(broken) => bail!("power lost before call {cut} of {}: {broken}", history.calls.len()),
        };
        if number % serve_each == serve_each - 1 {
            write(&data, &lost, &mut world.random)?;
            let asker = Asker { site: &site, doors: &doors, access_tokens: &access_tokens };
            asker.ask(node, history.promises.lives(moment), &found, &mut world.random).await?;
            served += 1;
        }
    }
    ensure!(cluster.panics() == 0, "a node panicked");
    let controls = [
        history.control(&image, |file| file == LOG, &mut world.random)?,
        history.control(&image, |file| file == DATABASE, &mut world.random)?,
    ];
    Ok(Verdict::Held(format!(
        "{} acknowledged writes in {commits} commits, each synced before the next; {} calls, the log begun anew \
         {renewals} times\n  {} power losses, {syncs} of them during a sync: each database sound, nothing acknowledged \
         lost, nothing by halves; a server on {served} of them knew what was used and went on\n  negative control, as \
         it must: if the log is not synced {}; if the database is not {}",
        history.promises.count(),
        history.calls.len(),
        cuts.len(),
        controls[0],
        controls[1],
    )))
}

/// What happened to the files of a server, and what it answered meanwhile.
struct History {
    before: Files,
    calls: Vec<Call>,
    promises: Promises,
}

impl History {
    /// A disk as it was before the first call.
    fn platter(&self, swallows: fn(&str) -> bool) -> Platter {
        Platter::new(&self.before, swallows)
    }

    /// When the power fails that fails before the call of this number.
    fn moment(&self, cut: usize) -> Duration {
        self.calls.get(cut).map_or(Duration::MAX, |call| call.start)
    }

    /// That every commit in the log is synced before the next one begins: `journal_mode = WAL` and `synchronous = FULL`
    /// are in force. How many there are, and how often the log began anew.
    fn commits(&self) -> Result<(usize, usize)> {
        let (mut commits, mut renewals, mut waiting) = (0, 0_usize, false);
        ensure!(self.calls.iter().all(|call| call.file != JOURNAL), "the database has a rollback journal");
        for call in self.calls.iter().filter(|call| call.file == LOG) {
            match &call.change {
                Change::Sync => {
                    commits += usize::from(waiting);
                    waiting = false;
                }
                // The header of the log has 32 bytes, that of each page in it 24; where a commit ends, the latter says
                // how large the database is.
                Change::Write { offset: 0, .. } => renewals += 1,
                Change::Write { bytes, .. } if bytes.len() == 24 => {
                    ensure!(!waiting, "a commit was followed by the next one before it was synced");
                    waiting = bytes.get(4..8).is_some_and(|size| size != [0; 4]);
                }
                _ => {}
            }
        }
        ensure!(!waiting && commits > 0, "{commits} commits were synced, and the last one was not");
        Ok((commits, renewals.saturating_sub(1)))
    }

    /// Before which calls the power fails: how many times in a sync, and all of them in order.
    fn cuts(&self, scale: usize, random: &mut Random) -> (usize, Vec<usize>) {
        let is_sync = |(number, call): (usize, &Call)| (call.change == Change::Sync).then_some(number);
        let mut cuts: Vec<usize> = self.calls.iter().enumerate().filter_map(is_sync).collect();
        // Where there are more, some of them: each is left out with the same chance.
        while cuts.len() > AT_SYNCS * scale {
            cuts.swap_remove(random.below(cuts.len()));
        }
        let syncs = cuts.len();
        cuts.extend((syncs..LOSSES * scale).map(|_| random.below(self.calls.len() + 1)));
        cuts.sort_unstable();
        (syncs, cuts)
    }

    /// Opens a disk. The inner error is what does not hold.
    fn look(
        &self,
        directory: &Path,
        lost: &Files,
        moment: Duration,
        random: &mut Random,
    ) -> Result<Result<Found, String>> {
        write(directory, lost, random)?;
        let found = match Found::open(&directory.join(DATABASE))? {
            Ok(found) => found,
            Err(damage) => return Ok(Err(format!("the database is damaged: {damage}"))),
        };
        let broken = self.promises.broken(moment, &found);
        Ok(match broken.first() {
            None => Ok(found),
            Some(first) => Err(format!("{first} ({} in all)", broken.len())),
        })
    }

    /// A disk that swallows the syncs of one file must lose something, or this experiment sees nothing.
    fn control(&self, image: &Path, swallows: fn(&str) -> bool, random: &mut Random) -> Result<String> {
        let mut platter = self.platter(swallows);
        let (mut done, mut damaged, mut lossy) = (0, 0, 0);
        let mut cuts: Vec<usize> = (0..CONTROLS).map(|_| random.below(self.calls.len() + 1)).collect();
        // At the end everything is in the database, and there is no log any more.
        cuts.extend([self.calls.len(); CONTROLS]);
        cuts.sort_unstable();
        for &cut in &cuts {
            platter.follow_all(self.calls.get(done..cut).unwrap_or_default())?;
            done = cut;
            let lost = platter.after_power_loss(random);
            if let Err(broken) = self.look(image, &lost, self.moment(cut), random)? {
                let is_damage = broken.starts_with("the database is damaged");
                damaged += usize::from(is_damage);
                lossy += usize::from(!is_damage);
            }
        }
        ensure!(damaged + lossy > 0, "the negative control shows no loss: the experiment is blind");
        Ok(format!("{lossy} of {} lost acknowledged writes and {damaged} were damaged", cuts.len()))
    }
}

/// Clients at work; the access token that came with each refresh token.
async fn load(site: &Arc<Site>, doors: &[Target], random: &mut Random) -> Result<BTreeMap<String, String>> {
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        tasks.spawn(work(Actor::new(site, doors, random.fork())));
    }
    let mut access_tokens = BTreeMap::new();
    while let Some(task) = tasks.join_next().await {
        access_tokens.extend(task??);
    }
    Ok(access_tokens)
}

/// Logs in, redeems, rotates, revokes.
async fn work(mut actor: Actor) -> Result<BTreeMap<String, String>> {
    let mut access_tokens = BTreeMap::new();
    for _ in 0..LOGINS {
        if actor.random.below(4) == 0 {
            actor.forget();
        }
        let code = actor.code().await?;
        actor.site.ledger.note(Act::LogIn, &code, Outcome::Ok(String::new()));
        let (mut outcome, mut tokens) = actor.redeem(Act::Redeem, &code).await;
        for _ in 0..=actor.random.below(4) {
            ensure!(matches!(outcome, Outcome::Ok(_)), "in calm weather: {outcome:?}");
            access_tokens.insert(tokens.refresh_token.clone(), tokens.access_token);
            (outcome, tokens) = actor.refresh(Act::Refresh, &tokens.refresh_token).await;
        }
        ensure!(matches!(outcome, Outcome::Ok(_)), "in calm weather: {outcome:?}");
        access_tokens.insert(tokens.refresh_token.clone(), tokens.access_token);
        if actor.random.below(3) == 0 {
            let form = format!("token={}", encode(&tokens.refresh_token));
            let reply = actor.post("oauth2/revoke", &form).await;
            let outcome = Outcome::of(&reply, |_| String::new());
            actor.site.ledger.note(Act::Revoke, &tokens.refresh_token, outcome);
        }
    }
    Ok(access_tokens)
}

/// Somebody who asks a server on a disk that lost its power about what had been answered.
struct Asker<'a> {
    site: &'a Arc<Site>,
    doors: &'a [Target],
    access_tokens: &'a BTreeMap<String, String>,
}

impl Asker<'_> {
    /// Starts the server, asks about some families, and kills it.
    async fn ask(&self, node: &Node, mut lives: Vec<Life>, found: &Found, random: &mut Random) -> Result<()> {
        node.start()?;
        node.ready().await?;
        let ledger = Arc::new(Ledger::new());
        let site = Site {
            client_id: self.site.client_id.clone(),
            client_secret: self.site.client_secret.clone(),
            people: self.site.people.clone(),
            ledger: Arc::clone(&ledger),
        };
        let mut actor = Actor::new(&Arc::new(site), self.doors, random.fork());
        for _ in 0..ASKED.min(lives.len()) {
            // Each once: asking ends it.
            let life = lives.swap_remove(random.below(lives.len()));
            self.ask_about(&mut actor, &life, found).await;
        }
        actor.log_in().await.context("a login after the power was back")?;
        node.kill()?;
        let violations = ledger.violations();
        ensure!(violations.is_empty(), "a server after the power was back: {}", violations.join("\n  "));
        Ok(())
    }

    async fn ask_about(&self, actor: &mut Actor, life: &Life, found: &Found) {
        let Some(last) = life.tokens.last() else { return };
        let access_token = |token: &String| self.access_tokens.get(token).cloned().unwrap_or_default();
        if life.is_ended {
            actor.refresh(Act::Reuse, last).await;
            actor.look(Act::LookAtEnded, &access_token(last)).await;
            return;
        }
        for token in &life.tokens {
            actor.look(Act::Look, &access_token(token)).await;
        }
        // A rotation may have been committed whose answer never arrived; then this would be late for a retry.
        if !found.is_used(last) {
            actor.refresh(Act::Refresh, last).await;
        }
        actor.redeem(Act::Reuse, &life.code).await;
        actor.look(Act::LookAtEnded, &access_token(last)).await;
    }
}

/// The files of a directory.
fn files(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}

/// Puts a disk into a directory, with noise where the shared memory was.
fn write(directory: &Path, files: &Files, random: &mut Random) -> Result<()> {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory)?;
    for (name, bytes) in files {
        fs::write(directory.join(name), bytes)?;
    }
    let noise: Vec<u8> = (0..32 * 1024).filter_map(|_| u8::try_from(random.below(256)).ok()).collect();
    Ok(fs::write(directory.join(SHARED), noise)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(changes: &[(&str, Change)]) -> Result<(usize, usize)> {
        let call = |(file, change): &(&str, Change)| Call {
            start: Duration::ZERO,
            end: Duration::ZERO,
            file: (*file).to_owned(),
            change: change.clone(),
        };
        let calls = changes.iter().map(call).collect();
        History { before: Files::new(), calls, promises: Promises::new(Vec::new()) }.commits()
    }

    #[test]
    fn a_commit_that_is_not_synced_is_seen() {
        let begin = (LOG, Change::Write { offset: 0, bytes: vec![7; 32] });
        let page = |pages: u8| {
            let header = [vec![0, 0, 0, 1, 0, 0, 0, pages], vec![7; 16]].concat();
            (LOG, Change::Write { offset: 32, bytes: header })
        };
        let sync = (LOG, Change::Sync);
        let good = [begin.clone(), page(0), page(9), sync.clone(), page(9), sync.clone(), begin];
        assert_eq!(commits(&good).unwrap(), (2, 1));
        assert!(commits(&[page(9), page(9), sync.clone()]).is_err());
        assert!(commits(&[page(9), (DATABASE, Change::Sync)]).is_err());
        assert!(commits(&[page(0), sync.clone()]).is_err());
        assert!(commits(&[page(9), sync, (JOURNAL, Change::Create)]).is_err());
    }
}
