//! The demonstration's relying party, `/{tid}/{aid}/demo`: one button runs the authorization code flow with PKCE
//! and shows every request and token. It lives only in the demonstration.
//!
//! It shares this process, but nothing else: it calls the endpoints as any client would, through the same router.

mod exchange;
mod relying_party;
mod runs;
mod shown;

use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::demo::{DemoProblem, DemoView, demo};
use crate::visit::{Visit, page};
use crate::{cookies, landing, not_found};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::demo::DEMO_CLIENT;
use engine::{Engine, relying_party as cryptography};
use http::{StatusCode, header};
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use relying_party::RelyingParty;
use runs::{Run, Runs};
use std::sync::Arc;

/// Binds runs to the browser that started them.
const COOKIE: &str = "__Host-postern-demo";

/// What the client asks for: a person, two kinds of data about them, and refresh.
const SCOPE: &str = "openid profile email offline_access";

/// What the relying party remembers and calls.
#[derive(Clone)]
struct Demo {
    engine: Arc<Engine>,
    runs: Arc<Runs>,
    /// The endpoints of this server.
    endpoints: Router,
}

impl FromRef<Demo> for Arc<Engine> {
    fn from_ref(demo: &Demo) -> Self {
        Arc::clone(&demo.engine)
    }
}

/// The relying party's route; `endpoints` is where its requests go.
pub(crate) fn router(engine: Arc<Engine>, endpoints: Router) -> Router {
    let demo = Demo { engine: Arc::clone(&engine), runs: Arc::default(), endpoints };
    let methods = get(show).post(act).fallback(not_found::method);
    Router::new().route("/{tid}/{aid}/demo", methods).with_state(demo)
}

/// GET: the page before the flow, the return from the authorization endpoint, or what came out of it.
async fn show(State(demo): State<Demo>, visit: Visit) -> Response {
    let (browser, query) = match enter(&demo, &visit) {
        Ok(entered) => entered,
        Err(refusal) => return refused(&visit, &refusal).await,
    };
    if query.get("code").is_some() || query.get("error").is_some() {
        return returned(&demo, &visit, &browser, &query).await;
    }
    let run = query.get("run").and_then(|id| demo.runs.find(id, &browser));
    let response = match &run {
        Some(run) if run.tokens.is_some() => shown::result(&visit, &csrf(&browser), run),
        _ => start_page(&visit, &browser, run.as_ref(), None),
    };
    remembering(response, &visit, &browser)
}

/// POST: a button.
async fn act(State(demo): State<Demo>, visit: Visit) -> Response {
    match press(&demo, &visit).await {
        Ok(response) => response,
        Err(refusal) => refused(&visit, &refusal).await,
    }
}

async fn press(demo: &Demo, visit: &Visit) -> Result<Response, Refusal> {
    let (browser, query) = enter(demo, visit)?;
    let form = visit.form()?;
    if form.get("csrf") != Some(csrf(&browser).as_str()) {
        return Err(Reason::FormForged.into());
    }
    let party = RelyingParty::new(visit, &demo.endpoints);
    let action = form.get("action").unwrap_or_default();
    if action == "start" {
        let run = Run::start(&demo.engine, &browser);
        let location = party.authorization_url(&run, SCOPE);
        demo.runs.put(run);
        return visit.redirect(&location);
    }
    let Some(mut run) = query.get("run").and_then(|id| demo.runs.find(id, &browser)) else {
        return visit.redirect(&visit.path("demo"));
    };
    match action {
        "refresh" => party.refresh(&mut run).await,
        "userinfo" => party.userinfo(&mut run).await,
        "introspect" => party.introspect(&mut run).await,
        "sign_out" => {
            demo.runs.forget(&run.id);
            return visit.redirect(&visit.path("logout"));
        }
        _ => {}
    }
    let location = shown::path(visit, &run);
    demo.runs.put(run);
    visit.redirect(&location)
}

/// The authorization response (RFC 6749 §4.1.2). The page it ends on has another address, so that reloading it
/// does not send the code twice.
async fn returned(demo: &Demo, visit: &Visit, browser: &str, query: &Params) -> Response {
    // RFC 6749 §10.12: only what this browser started is taken up.
    let Some(mut run) = query.get("state").and_then(|state| demo.runs.of_state(state, browser)) else {
        let problem = DemoProblem {
            error: "state_unknown".to_owned(),
            description: Some(
                "This browser did not start that request, or too long ago. Start again.".to_owned(),
            ),
        };
        return remembering(start_page(visit, browser, None, Some(problem)), visit, browser);
    };
    let location = shown::path(visit, &run);
    if !run.is_returned {
        run.is_returned = true;
        demo.runs.put(run.clone());
        RelyingParty::new(visit, &demo.endpoints).take_response(&mut run, query).await;
        demo.runs.put(run);
    }
    visit.redirect(&location).unwrap_or_else(|refusal| visit.refused(&refusal, None))
}

/// The browser's name, a new one if it has none, and the query.
fn enter(demo: &Demo, visit: &Visit) -> Result<(String, Params), Refusal> {
    let workspace = &visit.workspace;
    if !landing::has_demo(&demo.engine, &workspace.tenant, workspace.server.id.as_str()) {
        return Err(Reason::UnknownPath.into());
    }
    let known = cookies::cookie(&visit.request.head.headers, COOKIE).map(str::to_owned);
    Ok((known.unwrap_or_else(|| demo.engine.new_id()), visit.request.query()?))
}

async fn refused(visit: &Visit, refusal: &Refusal) -> Response {
    match refusal.reason {
        Reason::UnknownPath => {
            not_found::refused(visit.engine(), &visit.request.head, visit.call(), refusal).await
        }
        _ => visit.refused(refusal, None),
    }
}

/// One-way, so that the value on the page does not tell the cookie's.
fn csrf(browser: &str) -> String {
    cryptography::s256(&format!("demo {browser}"))
}

fn start_page(visit: &Visit, browser: &str, run: Option<&Run>, problem: Option<DemoProblem>) -> Response {
    let view = DemoView {
        frame: visit.frame(),
        action: visit.path("demo"),
        csrf: csrf(browser),
        client_id: DEMO_CLIENT.to_owned(),
        redirect_uri: relying_party::redirect_uri(visit),
        scope: SCOPE.to_owned(),
        problem: problem.or_else(|| run.and_then(|run| run.problem.clone())),
        exchanges: run.map(|run| run.exchanges.clone()).unwrap_or_default(),
    };
    let lang = visit.lang(&[]);
    page(StatusCode::OK, lang, &ContentSecurityPolicy::default(), demo(&view, lang))
}

/// Sets the cookie on a browser that is new here.
fn remembering(response: Response, visit: &Visit, browser: &str) -> Response {
    if cookies::cookie(&visit.request.head.headers, COOKIE).is_some() {
        return response;
    }
    match cookies::set(COOKIE, browser, None) {
        Some(line) => ([(header::SET_COOKIE, line)], response).into_response(),
        None => response,
    }
}
