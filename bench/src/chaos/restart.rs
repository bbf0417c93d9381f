//! E20: what was used, ended or revoked stays so when all nodes die at once (promise P1).
//!
//! Each probe is asked before and after; the answers are the same.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bench::connection::{Reply, Request};
use bench::page::encode;
use serde_json::{Value, json};

use crate::actor::{Actor, FORM, Site, Tokens, WORKSPACE};
use crate::cluster::{Cluster, TENANT};
use crate::ledger::Act;
use crate::setup::Office;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict, proof};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "restart",
    stores: &[Store::Sqlite, Store::Postgres],
    run: |world| Box::pin(run(world)),
};

/// The client that authenticates with assertions.
const ASSERTING: &str = "asserting";

/// Something that must not work any more, as the request that tries it.
struct Probe {
    name: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    form: Option<String>,
}

async fn run(world: &mut World) -> Result<Verdict> {
    let Yard { cluster, site, mut office } = world.yard().await?;
    let doors = cluster.doors()?;
    let mut actor = Actor::new(&site, &doors, world.random.fork());
    let mut patient = Actor::new(&site, &doors, world.random.fork());
    let login = patient.login_form().await?;
    let probes = use_up(&mut actor, &cluster, &mut office).await?;
    let mut before = Vec::new();
    for probe in &probes {
        // The first reuse may end a family; from the second on the answer is the same.
        answer(&mut actor, probe).await?;
        before.push(answer(&mut actor, probe).await?);
    }
    for round in 0..world.scale {
        for node in &cluster.nodes {
            node.kill()?;
        }
        for node in &cluster.nodes {
            node.start()?;
        }
        for node in &cluster.nodes {
            node.ready().await?;
        }
        for (probe, before) in probes.iter().zip(&before) {
            let after = answer(&mut actor, probe).await?;
            ensure!(*before == after, "{}: {before} before, {after} after", probe.name);
        }
        if round == 0 {
            // What was under way goes on.
            let reply = patient.visit(&login.0, Some(&login.1)).await?;
            ensure!(reply.status < 400, "a login under way: {} {}", reply.status, reply.text());
        }
    }
    let names: Vec<_> = probes.iter().map(|probe| probe.name).collect();
    Ok(Verdict::Held(format!(
        "all {} nodes killed {} times; the same answers for {}; a login under way went on",
        cluster.nodes.len(),
        world.scale,
        names.join(", ")
    )))
}

/// Uses up one of each kind.
async fn use_up(actor: &mut Actor, cluster: &Cluster, office: &mut Office) -> Result<Vec<Probe>> {
    let site = Arc::clone(&actor.site);
    let token = |name, form: String| Probe {
        name,
        path: Site::path("oauth2/token"),
        headers: vec![("authorization", site.basic())],
        form: Some(form),
    };
    let look = |name, token: &str| Probe {
        name,
        path: Site::path("oauth2/introspect"),
        headers: vec![("authorization", site.basic())],
        form: Some(format!("token={}", encode(token))),
    };

    let first = actor.log_in().await?;
    let (_, second) = actor.refresh(Act::Refresh, &first.refresh_token).await;
    actor.refresh(Act::Refresh, &second.refresh_token).await;
    let code = actor.code().await?;
    actor.redeem(Act::Redeem, &code).await;
    let revoked = actor.log_in().await?;
    post(actor, "oauth2/revoke", &format!("token={}", encode(&revoked.access_token))).await?;
    let ended = actor.log_in().await?;
    post(actor, "oauth2/revoke", &format!("token={}", encode(&ended.refresh_token))).await?;
    let mut probes = vec![
        token("a rotated refresh token", Site::rotation(&first.refresh_token)),
        token("a consumed code", Site::redemption(&code)),
        look("a revoked access token", &revoked.access_token),
        token("a revoked refresh token", Site::rotation(&ended.refresh_token)),
    ];

    // A pushed request, used to its end (RFC 9126 §4).
    let pushed = post(actor, "par", &site.authorization_parameters()).await?;
    let pushed: Value = serde_json::from_slice(&pushed.body)?;
    let uri = pushed.get("request_uri").and_then(Value::as_str).context("no request_uri")?;
    let query = format!("client_id={}&request_uri={}", encode(&site.client_id), encode(uri));
    let used = format!("{}?{query}", Site::path("oauth2/authorize"));
    actor.code_from(&used).await?;
    probes.push(Probe { name: "a used request_uri", path: used, headers: Vec::new(), form: None });

    probes.extend([assertion(actor, cluster, office).await?, dpop(actor, cluster, &site).await?]);

    // The cookie is kept by whoever copied it; the session behind it is ended.
    let cookie = actor.cookie();
    let subject = proof::subject(&actor.log_in().await?.access_token)?;
    let path = format!("/servers/{WORKSPACE}/sessions?subject={}", encode(&subject));
    office.call("DELETE", &path, None).await?;
    let path = format!("{}&prompt=none", site.authorization());
    let headers = vec![("cookie", cookie)];
    probes.push(Probe { name: "an ended session", path, headers, form: None });
    Ok(probes)
}

/// A client assertion that was used (RFC 7523 §3, `jti`).
async fn assertion(actor: &mut Actor, cluster: &Cluster, office: &mut Office) -> Result<Probe> {
    let client = json!({
        "authorization_server_id": WORKSPACE,
        "client_id": ASSERTING,
        "client_name": "Asserting",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_jwt",
    });
    let made = office.call("POST", "/clients", Some(&client)).await?;
    let secret = made.get("client_secret").and_then(Value::as_str).context("no client_secret")?;
    let issuer = format!("{}/{TENANT}/{WORKSPACE}", cluster.public_url);
    let assertion = proof::assertion(ASSERTING, secret, &issuer, "assertion-1")?;
    let kind = encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let probe = Probe {
        name: "a used client assertion",
        path: Site::path("oauth2/token"),
        headers: Vec::new(),
        form: Some(format!(
            "grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}"
        )),
    };
    first_use(actor, probe).await
}

/// A DPoP proof that was used (RFC 9449 §11.1).
async fn dpop(actor: &mut Actor, cluster: &Cluster, site: &Site) -> Result<Probe> {
    let path = Site::path("oauth2/token");
    let proof = proof::dpop("POST", &format!("{}{path}", cluster.public_url), "proof-1")?;
    let probe = Probe {
        name: "a used DPoP proof",
        path,
        headers: vec![("authorization", site.basic()), ("dpop", proof)],
        form: Some("grant_type=client_credentials".to_owned()),
    };
    first_use(actor, probe).await
}

/// The one time that it works.
async fn first_use(actor: &mut Actor, probe: Probe) -> Result<Probe> {
    let reply = send(actor, &probe).await?;
    ensure!(!Tokens::of(&reply).access_token.is_empty(), "{}: {} {}", probe.name, reply.status, reply.text());
    Ok(probe)
}

async fn post(actor: &mut Actor, endpoint: &str, form: &str) -> Result<Reply> {
    let reply = actor.post(endpoint, form).await?;
    ensure!(reply.status < 300, "{endpoint}: {} {}", reply.status, reply.text());
    Ok(reply)
}

async fn send(actor: &mut Actor, probe: &Probe) -> Result<Reply> {
    let headers: Vec<_> = probe.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = Request {
        method: probe.form.as_ref().map(|_| "POST"),
        path: &probe.path,
        headers: &headers,
        body: probe.form.as_deref().map(|form| (FORM, form)),
    };
    actor.send(&request).await
}

/// Status and reason of a refusal, without what differs each time.
async fn answer(actor: &mut Actor, probe: &Probe) -> Result<String> {
    let reply = send(actor, probe).await?;
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let location = reply.header("location").unwrap_or_default();
    let works = !text("access_token").is_empty()
        || body.get("active") == Some(&Value::Bool(true))
        || location.contains("code=")
        || (reply.status < 400 && location.is_empty() && body.is_null());
    ensure!(!works, "{} works again: {} {location}", probe.name, reply.status);
    let error = form_urlencoded::parse(location.split_once('?').unwrap_or_default().1.as_bytes())
        .find(|(name, _)| name == "error")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    Ok(format!("{} {} {} {error}", reply.status, text("error"), text("error_description")))
}
