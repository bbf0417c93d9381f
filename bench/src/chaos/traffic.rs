//! Clients at work while something happens to the servers, and the look at everything afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use bench::connection::Target;
use bench::stopwatch::Stopwatch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::actor::{Actor, Site, Tokens};
use crate::ledger::{Act, Outcome};
use crate::random::Random;

/// Tasks that redeem.
const REDEEMERS: usize = 8;
/// A client that does not know what came of a request asks again for so long.
const PERSISTENCE: Duration = Duration::from_secs(60);
/// A code that is submitted twice at once ends nothing; after this time it does (RFC 6749 §4.1.2).
const DOUBLE_SUBMISSION: Duration = Duration::from_millis(900);
/// After this time every node knows what another one has ended: a second, and a little.
const EVERYWHERE: Duration = Duration::from_millis(1500);
/// Two submissions whose answers took longer may have arrived too far apart to count as one client's haste.
const AT_ONCE: Duration = Duration::from_millis(700);

/// What descends from one login.
pub(crate) struct Family {
    code: Option<String>,
    /// Every generation that was answered, retries included; the last one last.
    tokens: Vec<Tokens>,
    /// Whether the second submission of its code may have counted as a replay, which ends the family.
    doubtful: bool,
}

/// Clients that redeem codes and rotate refresh tokens.
pub(crate) struct Traffic {
    site: Arc<Site>,
    doors: Vec<Target>,
    random: Random,
    codes: Vec<String>,
    over: Arc<AtomicBool>,
    tasks: JoinSet<Result<Vec<Family>>>,
}

impl Traffic {
    /// Logs in, so often that there are the codes and the families.
    pub(crate) async fn prepare(
        site: &Arc<Site>,
        doors: &[Target],
        mut random: Random,
        (codes, families): (usize, usize),
    ) -> Result<Self> {
        let mut browser = Actor::new(site, doors, random.fork());
        let mut traffic = Self {
            site: Arc::clone(site),
            doors: doors.to_vec(),
            codes: Vec::new(),
            over: Arc::default(),
            tasks: JoinSet::new(),
            random,
        };
        for _ in 0..families {
            let first = browser.log_in().await?;
            let task = chain(traffic.actor(), first, Arc::clone(&traffic.over));
            traffic.tasks.spawn(task);
        }
        for _ in 0..codes {
            traffic.codes.push(browser.code().await?);
        }
        Ok(traffic)
    }

    fn actor(&mut self) -> Actor {
        Actor::new(&self.site, &self.doors, self.random.fork())
    }

    /// Begins to redeem the codes, spread over `duration`.
    pub(crate) fn redeem(&mut self, duration: Duration) {
        let share = self.codes.len().div_ceil(REDEEMERS).max(1);
        let each = duration / u32::try_from(share).unwrap_or(1);
        let shares: Vec<Vec<String>> = self.codes.chunks(share).map(<[String]>::to_vec).collect();
        for codes in shares {
            let pair = [self.actor(), self.actor()];
            self.tasks.spawn(redeem_all(pair, codes, each));
        }
    }

    /// Lets everybody finish what they are at.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Family>> {
        self.over.store(true, Ordering::Relaxed);
        let mut families = Vec::new();
        while let Some(task) = self.tasks.join_next().await {
            families.extend(task??);
        }
        Ok(families)
    }

    /// Looks at everything that was handed out, and misuses it: what was answered is there, what was used is used,
    /// and a family of which a used token came back is ended as a whole.
    pub(crate) async fn sweep(&mut self, families: Vec<Family>) -> Result<()> {
        let mut shares: Vec<Vec<Family>> = (0..REDEEMERS).map(|_| Vec::new()).collect();
        for (family, number) in families.into_iter().zip((0..REDEEMERS).cycle()) {
            if let Some(share) = shares.get_mut(number) {
                share.push(family);
            }
        }
        let mut tasks = JoinSet::new();
        for share in shares {
            tasks.spawn(sweep_share(self.actor(), share));
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        Ok(())
    }

    /// Figures of what was done, for the report.
    pub(crate) fn report(&self, families: usize) -> Result<String> {
        let [redeemed, rotated, looked] =
            [Act::Redeem, Act::Refresh, Act::Look].map(|act| self.site.ledger.tally(act));
        let codes = self.codes.len();
        ensure!(redeemed.done >= codes / 2, "only {} of {codes} codes brought tokens", redeemed.done);
        Ok(format!(
            "{codes} codes, {} submissions ({} unknown); {families} families, {} refreshes ({} unknown); {} acknowledged tokens looked up",
            redeemed.tried, redeemed.unknown, rotated.tried, rotated.unknown, looked.tried
        ))
    }
}

impl Family {
    /// Whether its first refresh token has a successor that was used in turn: nothing forgives its reuse.
    fn is_long(&self) -> bool {
        let mut generations: Vec<_> = self.tokens.iter().map(|token| &token.refresh_token).collect();
        generations.dedup();
        generations.len() > 2
    }
}

/// Submits each code twice at once, and again while nobody knows what came of it.
async fn redeem_all(pair: [Actor; 2], codes: Vec<String>, each: Duration) -> Result<Vec<Family>> {
    let [mut one, mut other] = pair;
    let mut families = Vec::new();
    for code in codes {
        let watch = Stopwatch::start();
        let answers = tokio::join!(one.redeem(Act::Redeem, &code), other.redeem(Act::Redeem, &code));
        let mut answers = vec![answers.0, answers.1];
        let doubtful =
            watch.elapsed() > AT_ONCE && answers.iter().any(|(outcome, _)| matches!(outcome, Outcome::Ok(_)));
        while answers.iter().all(|(outcome, _)| outcome.is_unknown()) {
            ensure!(watch.elapsed() < PERSISTENCE, "no answer to a code within {PERSISTENCE:?}");
            sleep(one.random.pause(50, 150)).await;
            answers.push(one.redeem(Act::Redeem, &code).await);
        }
        let done = answers.into_iter().filter(|(outcome, _)| matches!(outcome, Outcome::Ok(_)));
        let tokens: Vec<Tokens> = done.map(|(_, tokens)| tokens).collect();
        families.push(Family { code: Some(code), tokens, doubtful });
        sleep(each.saturating_sub(watch.elapsed())).await;
    }
    Ok(families)
}

/// Each family in turn: whether all of it is there, whether it goes on, and whether its misuse ends it.
async fn sweep_share(mut actor: Actor, families: Vec<Family>) -> Result<()> {
    for family in families.iter().filter(|family| !family.doubtful) {
        for token in &family.tokens {
            actor.look(Act::Look, &token.access_token).await;
        }
        let Some(last) = family.tokens.last() else { continue };
        let (outcome, _) = actor.refresh(Act::Refresh, &last.refresh_token).await;
        ensure!(!outcome.is_unknown(), "no answer in calm weather: {outcome:?}");
        actor.refresh(Act::Refresh, &last.refresh_token).await;
    }
    sleep(DOUBLE_SUBMISSION).await;
    let mut ended = Vec::new();
    for family in &families {
        match (&family.code, family.tokens.first()) {
            (Some(code), _) => drop(actor.redeem(Act::Reuse, code).await),
            (None, Some(first)) if family.is_long() => {
                actor.refresh(Act::Reuse, &first.refresh_token).await;
            }
            _ => continue,
        }
        ended.extend(&family.tokens);
    }
    sleep(EVERYWHERE).await;
    for token in ended {
        actor.look(Act::LookAtEnded, &token.access_token).await;
    }
    Ok(())
}

/// A client that rotates its token all the time, and asks again when it does not know.
async fn chain(mut actor: Actor, first: Tokens, over: Arc<AtomicBool>) -> Result<Vec<Family>> {
    let mut tokens = vec![first.clone()];
    let mut current = first;
    let mut watch = Stopwatch::start();
    loop {
        match actor.refresh(Act::Refresh, &current.refresh_token).await {
            (Outcome::Ok(_), next) => {
                if actor.random.below(8) == 0 {
                    // As if the answer had been lost: the same successor once more.
                    let (outcome, again) = actor.refresh(Act::Refresh, &current.refresh_token).await;
                    tokens.extend(matches!(outcome, Outcome::Ok(_)).then_some(again));
                }
                tokens.push(next.clone());
                current = next;
                watch = Stopwatch::start();
                if over.load(Ordering::Relaxed) {
                    break;
                }
                sleep(actor.random.pause(10, 60)).await;
            }
            // The ledger holds it against the server.
            (Outcome::Refused(_) | Outcome::Wrong(_), _) => break,
            (Outcome::Unavailable | Outcome::Lost(_), _) => {
                ensure!(watch.elapsed() < PERSISTENCE, "no answer to a refresh within {PERSISTENCE:?}");
                sleep(actor.random.pause(20, 80)).await;
            }
        }
    }
    Ok(vec![Family { code: None, tokens, doubtful: false }])
}
