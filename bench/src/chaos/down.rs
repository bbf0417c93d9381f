//! E5: the database is away (promise P5).
//!
//! What needs none goes on; everything else says 503 and when to come again, soon, and never that something is
//! invalid. It comes back by itself, and a node that starts meanwhile waits.

use std::time::Duration;

use anyhow::{Result, ensure};
use bench::connection::{Connection, Reply, Request};
use bench::page::encode;
use bench::process;
use bench::stopwatch::Stopwatch;
use tokio::time::{sleep, timeout};

use crate::actor::{Actor, FORM, Site, Tokens};
use crate::cluster::{Node, PATIENCE, TENANT};
use crate::ledger::Act;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "down", stores: &[Store::Postgres], run: |world| Box::pin(run(world)) };

/// Rounds of questions while the database is away, at scale 1.
const ROUNDS: usize = 8;
/// A refusal that takes longer is none that a client can wait for. The promise is 250 ms; this machine may be busy.
const LONGEST_REFUSAL: Duration = Duration::from_secs(3);

/// One question, and whether it can be answered without a database.
struct Question {
    request: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    form: Option<String>,
    answered: bool,
}

async fn run(world: &mut World) -> Result<Verdict> {
    let Yard { cluster, site, office } = world.yard().await?;
    let doors = cluster.doors()?;
    let mut actor = Actor::new(&site, &doors, world.random.fork());
    let tokens = actor.log_in().await?;
    let questions = questions(&site, &tokens, office.bearer());
    for question in &questions {
        // Every node has what it may keep.
        for _ in 0..8 {
            let reply = ask(&mut actor, question).await?;
            ensure!(reply.status < 400, "{}: {} {}", question.request, reply.status, reply.text());
        }
    }
    let memory = || cluster.nodes.iter().filter_map(Node::pid).map(|pid| process::memory(pid).0).max();
    let before = memory().unwrap_or(0);

    world.postgres()?.stop()?;
    // For up to a second a node goes on by what it saw last: a token that needs no write may still be minted.
    sleep(Duration::from_secs(1)).await;
    let mut slowest = Duration::ZERO;
    let mut asked = 0;
    for _ in 0..ROUNDS * world.scale {
        for question in &questions {
            let watch = Stopwatch::start();
            let reply = ask(&mut actor, question).await?;
            let took = watch.elapsed();
            check(question, &reply)?;
            ensure!(took < LONGEST_REFUSAL, "{}: answered after {took:?}", question.request);
            slowest = slowest.max(took);
            asked += 1;
        }
        for node in &cluster.nodes {
            ensure!(node.side("/alive").await?.status == 200, "not alive");
            ensure!(node.side("/ready").await?.status == 503, "ready without a database");
        }
    }
    let grown = memory().unwrap_or(0).saturating_sub(before) / 1024;
    // One that starts now waits.
    let late = cluster.node(2)?;
    late.kill()?;
    late.start()?;
    sleep(Duration::from_millis(1500)).await;
    ensure!(!late.died()?, "a node that starts without its database ended");
    ask_waiting(late).await?;

    world.postgres()?.start_again()?;
    let watch = Stopwatch::start();
    for node in &cluster.nodes {
        node.ready().await?;
    }
    let back = watch.elapsed();
    ensure!(back < PATIENCE, "not ready after {back:?}");
    actor.look(Act::Look, &tokens.access_token).await;
    actor.refresh(Act::Refresh, &tokens.refresh_token).await;
    actor.log_in().await?;
    ensure!(cluster.panics() == 0, "a node panicked");
    Ok(Verdict::Held(format!(
        "{asked} questions of {} kinds while PostgreSQL was stopped, the slowest answered after {} ms; a node started \
         meanwhile waited and said so; memory grew by {grown} MiB; all ready {} ms after its return; nothing called invalid",
        questions.len(),
        slowest.as_millis(),
        back.as_millis()
    )))
}

/// It says that it lives, and refuses everything else for a while.
async fn ask_waiting(late: &Node) -> Result<()> {
    ensure!(late.side("/alive").await?.status == 200, "who waits for the database is not alive");
    ensure!(late.side("/ready").await?.status == 503, "who waits for the database is ready");
    ensure!(late.side("/metrics").await?.status == 200, "who waits for the database has no numbers");
    let path = Site::path(".well-known/openid-configuration");
    let mut connection = Connection::new(late.door()?);
    let request = Request { path: &path, ..Request::default() };
    let reply = timeout(LONGEST_REFUSAL, connection.send(&request)).await??;
    ensure!(reply.status == 503, "who waits for the database says {} {}", reply.status, reply.text());
    ensure!(reply.header("retry-after").is_some(), "503 without Retry-After");
    Ok(())
}

/// What is asked before, during and after.
fn questions(site: &Site, tokens: &Tokens, admin: &str) -> Vec<Question> {
    let get = |request, path: String, answered| Question {
        request,
        path,
        headers: Vec::new(),
        form: None,
        answered,
    };
    let post = |request, endpoint: &str, form: String| Question {
        request,
        path: Site::path(endpoint),
        headers: vec![("authorization", site.basic())],
        form: Some(form),
        answered: false,
    };
    let bearer = |request, path: String, token: &str| Question {
        request,
        path,
        headers: vec![("authorization", format!("Bearer {}", token.trim_start_matches("Bearer ")))],
        form: None,
        answered: false,
    };
    vec![
        get("discovery", Site::path(".well-known/openid-configuration"), true),
        get("jwks", Site::path(".well-known/jwks.json"), true),
        get("alive", "/alive".to_owned(), true),
        get("swagger", format!("/api/swagger/{TENANT}"), true),
        get("ready", "/ready".to_owned(), false),
        get("authorize", site.authorization(), false),
        post("client_credentials", "oauth2/token", "grant_type=client_credentials".to_owned()),
        post("introspect", "oauth2/introspect", format!("token={}", encode(&tokens.access_token))),
        post("revoke", "oauth2/revoke", "token=nobodys".to_owned()),
        bearer("userinfo", Site::path("userinfo"), &tokens.access_token),
        bearer("admin", format!("/api/admin/{TENANT}/servers"), admin),
    ]
}

async fn ask(actor: &mut Actor, question: &Question) -> Result<Reply> {
    let headers: Vec<(&str, &str)> =
        question.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = Request {
        method: question.form.as_ref().map(|_| "POST"),
        path: &question.path,
        headers: &headers,
        body: question.form.as_deref().map(|form| (FORM, form)),
    };
    actor.send(&request).await
}

fn check(question: &Question, reply: &Reply) -> Result<()> {
    let name = question.request;
    if question.answered {
        ensure!(reply.status < 400, "{name} needs no database, and was answered {}", reply.status);
        return Ok(());
    }
    ensure!(reply.status == 503, "{name}: {} {}", reply.status, reply.text());
    ensure!(reply.header("retry-after").is_some(), "{name}: 503 without Retry-After");
    Ok(())
}
