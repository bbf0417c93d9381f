//! Writes every page in several states to a directory, to be looked at.
//!
//! `cargo run -p web --example gallery -- DIR`, then serve DIR on loopback and open `index.html`.

use std::error::Error;
use std::path::{Path, PathBuf};

use web::pages::consent::{ConsentView, ConsentWarning, Destination, ScopeView, consent};
use web::pages::demo::{
    DemoAction, DemoProblem, DemoResultView, DemoView, ExchangeKind, ExchangeView, TokenKind, TokenView,
    demo, demo_result,
};
use web::pages::device::{
    DeviceAnsweredView, DeviceCodeProblem, DeviceConfirmView, DeviceView, device, device_answered,
    device_confirm,
};
use web::pages::error::{DeveloperView, ErrorView, error};
use web::pages::form_post::{FormPostView, form_post};
use web::pages::landing::{CredentialKind, CredentialView, LandingView, WorkspaceView, landing};
use web::pages::login::{LoginProblem, LoginView, SampleAccount, login};
use web::pages::logout::{LoggedOutView, LogoutView, logged_out, logout};
use web::pages::not_found::{NotFoundView, not_found};
use web::pages::select_account::{AccountView, SelectAccountView, select_account};
use web::pages::sessions::{SessionView, SessionsView, sessions};
use web::pages::{ASSETS, ClientView, Frame, Lang, Place, PlaceKind};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("usage: gallery DIR")?);
    for asset in ASSETS.iter() {
        write(&directory, asset.path.trim_start_matches('/'), asset.bytes)?;
    }
    let mut index = String::new();
    for lang in Lang::ALL {
        for (name, html) in sign_in(*lang)
            .into_iter()
            .chain(ways_out(*lang))
            .chain(places(*lang))
            .chain(demos(*lang))
            .chain(devices(*lang))
        {
            let file = format!("{name}.{}.html", lang.tag());
            write(&directory, &file, html.as_bytes())?;
            index.push_str(&format!("<li><a href=\"{file}\">{file}</a>\n"));
        }
    }
    write(
        &directory,
        "index.html",
        format!("<!doctype html><title>Gallery</title><ul>\n{index}</ul>").as_bytes(),
    )
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().ok_or("no parent")?)?;
    Ok(std::fs::write(path, bytes)?)
}

fn frame() -> Frame {
    Frame { workspace_name: Some("Default workspace".to_owned()), demonstration: true }
}

fn client() -> ClientView {
    ClientView {
        name: "Acme Notes".to_owned(),
        logo_uri: Some("https://acme.example/logo.svg".to_owned()),
        client_uri: Some("https://acme.example/".to_owned()),
        policy_uri: Some("https://acme.example/privacy".to_owned()),
        tos_uri: Some("https://acme.example/terms".to_owned()),
    }
}

fn sign_in(lang: Lang) -> Vec<(&'static str, String)> {
    let view = LoginView {
        frame: frame(),
        client: Some(client()),
        action: "?login_id=abc".to_owned(),
        can_cancel: true,
        sample: Some(SampleAccount { username: "user".to_owned(), password: "user".to_owned() }),
        ..LoginView::default()
    };
    let failed =
        LoginView { username: "ada".to_owned(), problem: Some(LoginProblem::Credentials), ..view.clone() };
    let throttled = LoginView { problem: Some(LoginProblem::Throttled { seconds: 40 }), ..failed.clone() };
    let closed = LoginView { problem: Some(LoginProblem::Closed), ..view.clone() };
    let bare = LoginView {
        frame: Frame {
            workspace_name: Some("Bank of Nowhere – retail customers, northern branch".to_owned()),
            demonstration: false,
        },
        client: Some(ClientView {
            name: "A very long application name that its author could not keep short".to_owned(),
            ..ClientView::default()
        }),
        username: "ada.lovelace@analytical-engine.example".to_owned(),
        sample: None,
        ..view.clone()
    };
    let scope =
        |name: &str, granted: bool| ScopeView { name: name.to_owned(), granted, ..ScopeView::default() };
    let asked = ConsentView {
        frame: frame(),
        client: client(),
        user: "ada@example.com".to_owned(),
        scopes: vec![
            scope("openid", true),
            scope("profile", false),
            scope("email", false),
            scope("offline_access", false),
        ],
        destination: Destination::Host("acme.example".to_owned()),
        ..ConsentView::default()
    };
    let native = ConsentView {
        client: ClientView { name: "notes-cli".to_owned(), ..ClientView::default() },
        scopes: vec![
            scope("openid", false),
            ScopeView {
                name: "accounts.7711".to_owned(),
                display_name: Some("Savings account 7711".to_owned()),
                description: Some("Read balances and transactions of this account.".to_owned()),
                granted: false,
            },
            scope("urn:example:unnamed", false),
        ],
        destination: Destination::Loopback { port: Some(49152) },
        warnings: vec![ConsentWarning::Unverified, ConsentWarning::NativeApplication],
        ..asked.clone()
    };
    let account = |name: &str, detail: &str| AccountView {
        id: name.to_owned(),
        name: name.to_owned(),
        detail: Some(detail.to_owned()),
    };
    let accounts = SelectAccountView {
        frame: frame(),
        client: client(),
        accounts: vec![
            account("Ada Lovelace", "ada@example.com"),
            account("Ada at work", "ada.lovelace@analytical-engine.example"),
        ],
        ..SelectAccountView::default()
    };
    vec![
        ("login", login(&view, lang)),
        ("login-failed", login(&failed, lang)),
        ("login-throttled", login(&throttled, lang)),
        ("login-closed", login(&closed, lang)),
        ("login-bare", login(&bare, lang)),
        ("consent", consent(&asked, lang)),
        ("consent-native", consent(&native, lang)),
        ("select-account", select_account(&accounts, lang)),
    ]
}

fn ways_out(lang: Lang) -> Vec<(&'static str, String)> {
    let refused = ErrorView {
        frame: frame(),
        reason: "redirect_uri_not_registered".to_owned(),
        error: "invalid_request".to_owned(),
        description: "The redirect_uri is not one that this client registered.".to_owned(),
        trace_id: "0193523b7c1e7f3aa1c5d0e4f2b6987a".to_owned(),
        client: Some(client()),
        ..ErrorView::default()
    };
    let finished = ErrorView { reason: "login_finished".to_owned(), ..refused.clone() };
    let cookie = ErrorView { reason: "interaction_of_other_browser".to_owned(), ..refused.clone() };
    let other = ErrorView { reason: "nonce_missing".to_owned(), ..refused.clone() };
    let explained = ErrorView {
        developer: Some(DeveloperView {
            received: Some("https://acme.example/callback/".to_owned()),
            expected: Some("https://acme.example/callback".to_owned()),
            reason: Some("redirect_uri_not_registered".to_owned()),
            clause: Some("RFC 9700 §4.1.3".to_owned()),
            fix: Some("Register this URI for the client, or send the registered one: they differ by a trailing slash.".to_owned()),
        }),
        ..refused.clone()
    };
    let unknown =
        ErrorView { client: None, restart: Some("/default/default/demo".to_owned()), ..refused.clone() };
    let question = LogoutView {
        frame: frame(),
        user: Some("ada@example.com".to_owned()),
        client: Some(client()),
        ..LogoutView::default()
    };
    let done = LoggedOutView {
        frame: frame(),
        logged_out: true,
        client: Some(client()),
        ..LoggedOutView::default()
    };
    let told = LoggedOutView { go_on: Some("https://notes.example/bye".to_owned()), ..done.clone() };
    let answer = FormPostView {
        frame: frame(),
        redirect_uri: "about:blank".to_owned(),
        parameters: vec![("code".to_owned(), "abc".to_owned())],
        client: "Acme Notes".to_owned(),
    };
    vec![
        ("error", error(&refused, lang)),
        ("error-developer", error(&explained, lang)),
        ("error-finished", error(&finished, lang)),
        ("error-lost-cookie", error(&cookie, lang)),
        ("error-without-words", error(&other, lang)),
        ("error-unknown", error(&unknown, lang)),
        ("logout", logout(&question, lang)),
        ("logged-out", logged_out(&done, lang)),
        ("logged-out-going-on", logged_out(&told, lang)),
        ("sessions", sessions(&signed_in(), lang)),
        ("sessions-nobody", sessions(&SessionsView { frame: frame(), ..SessionsView::default() }, lang)),
        ("stayed", logged_out(&LoggedOutView { logged_out: false, ..done }, lang)),
        ("form-post", form_post(&answer, lang)),
    ]
}

fn signed_in() -> SessionsView {
    let session = |browser: Option<&str>, system: Option<&str>, last_used: &str, current| SessionView {
        id: last_used.to_owned(),
        browser: browser.map(str::to_owned),
        system: system.map(str::to_owned),
        last_used: format!("{last_used} UTC"),
        ip_address: Some("203.0.113.7".to_owned()),
        current,
    };
    SessionsView {
        frame: frame(),
        action: "/default/default/sessions".to_owned(),
        user: Some("user".to_owned()),
        sessions: vec![
            session(Some("Firefox"), Some("Windows"), "2026-11-28 21:00", true),
            session(Some("Samsung Internet"), Some("Android"), "2026-11-27 08:12", false),
            session(None, None, "2026-11-02 17:45", false),
        ],
        ..SessionsView::default()
    }
}

fn links() -> Vec<Place> {
    [
        (PlaceKind::SwaggerUi, "/api/swagger/default"),
        (PlaceKind::Demo, "/default/default/demo"),
        (PlaceKind::Discovery, "/default/default/.well-known/openid-configuration"),
        (PlaceKind::Jwks, "/default/default/.well-known/jwks.json"),
    ]
    .map(|(kind, href)| Place { kind, href: href.to_owned() })
    .to_vec()
}

fn places(lang: Lang) -> Vec<(&'static str, String)> {
    let credential = |kind, id: &str, secret: Option<&str>, workspace: &str| CredentialView {
        kind,
        id: id.to_owned(),
        secret: secret.map(str::to_owned),
        workspace: workspace.to_owned(),
    };
    let server = LandingView {
        frame: Frame { workspace_name: None, demonstration: true },
        places: links(),
        credentials: vec![
            credential(CredentialKind::User, "user", Some("user"), "default/default"),
            credential(
                CredentialKind::Client,
                "admin-swagger",
                Some("n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq"),
                "default/admin",
            ),
            credential(CredentialKind::Client, "default-demo", None, "default/default"),
        ],
        ..LandingView::default()
    };
    let workspace = |id: &str, name: &str, demo: bool| WorkspaceView {
        id: id.to_owned(),
        name: name.to_owned(),
        issuer: format!("https://localhost:8443/default/{id}"),
        discovery: format!("/default/{id}/.well-known/openid-configuration"),
        demo: demo.then(|| format!("/default/{id}/demo")),
    };
    let tenant = LandingView {
        frame: Frame { workspace_name: None, demonstration: true },
        tenant: Some("Default".to_owned()),
        workspaces: vec![
            workspace("admin", "Administration", false),
            workspace("default", "Default workspace", true),
        ],
        next_page: Some("/default?after_workspace_id=default".to_owned()),
        credentials: Vec::new(),
        ..server.clone()
    };
    let lost = NotFoundView {
        frame: Frame { workspace_name: None, demonstration: true },
        path: "/default/defualt/oauth2/authorise".to_owned(),
        nearest: Some("/default/default/oauth2/authorize".to_owned()),
        places: links(),
        trace_id: "0193523b7c1e7f3aa1c5d0e4f2b6987a".to_owned(),
    };
    vec![
        ("landing", landing(&server, lang)),
        ("landing-tenant", landing(&tenant, lang)),
        ("not-found", not_found(&lost, lang)),
    ]
}

fn devices(lang: Lang) -> Vec<(&'static str, String)> {
    let form = DeviceView { frame: frame(), user: "ada@example.com".to_owned(), ..DeviceView::default() };
    let wrong = DeviceView {
        user_code: "WDJB-MJHX".to_owned(),
        problem: Some(DeviceCodeProblem::Unknown),
        ..form.clone()
    };
    let scope = |name: &str| ScopeView { name: name.to_owned(), ..ScopeView::default() };
    let question = DeviceConfirmView {
        frame: frame(),
        client: ClientView { name: "Acme TV".to_owned(), ..ClientView::default() },
        user_code: "WDJB-MJHT".to_owned(),
        user: "ada@example.com".to_owned(),
        scopes: vec![scope("openid"), scope("profile"), scope("offline_access")],
        ..DeviceConfirmView::default()
    };
    let end = |allowed| DeviceAnsweredView { frame: frame(), client: question.client.clone(), allowed };
    vec![
        ("device", device(&form, lang)),
        ("device-wrong", device(&wrong, lang)),
        ("device-confirm", device_confirm(&question, lang)),
        ("device-allowed", device_answered(&end(true), lang)),
        ("device-denied", device_answered(&end(false), lang)),
    ]
}

fn demos(lang: Lang) -> Vec<(&'static str, String)> {
    let start = DemoView {
        frame: frame(),
        client_id: "default-demo".to_owned(),
        redirect_uri: "https://localhost:8443/default/default/demo".to_owned(),
        scope: "openid profile email offline_access".to_owned(),
        ..DemoView::default()
    };
    let denied = DemoView {
        problem: Some(DemoProblem {
            error: "access_denied".to_owned(),
            description: Some("The person did not allow the request.".to_owned()),
        }),
        exchanges: vec![exchange(ExchangeKind::Authorize, "GET", "/oauth2/authorize", 302)],
        ..start.clone()
    };
    let token = |kind, claims: &str| TokenView {
        kind,
        header: Some(
            "{\n  \"alg\": \"ES256\",\n  \"kid\": \"kWm3vJ2nQ9d0\",\n  \"typ\": \"at+jwt\"\n}".to_owned(),
        ),
        claims: Some(claims.to_owned()),
        verified_by: Some("kWm3vJ2nQ9d0".to_owned()),
    };
    let claims = "{\n  \"aud\": [\n    \"default-demo\"\n  ],\n  \"auth_time\": 1764000000,\n  \"email\": \"ada@example.com\",\n  \"exp\": 1764003600,\n  \"iat\": 1764000000,\n  \"iss\": \"https://localhost:8443/default/default\",\n  \"sub\": \"8f14e45fceea167a5a36dedd4bea2543a1b2c3d4e5f60718293a4b5c6d7e8f90\"\n}";
    let refresh = TokenView { kind: TokenKind::RefreshToken, header: None, claims: None, verified_by: None };
    let result = DemoResultView {
        frame: frame(),
        subject: "Ada Lovelace".to_owned(),
        actions: vec![DemoAction::Refresh, DemoAction::Userinfo, DemoAction::Introspect, DemoAction::SignOut],
        tokens: vec![token(TokenKind::IdToken, claims), token(TokenKind::AccessToken, claims), refresh],
        exchanges: vec![
            exchange(
                ExchangeKind::Authorize,
                "GET",
                "/oauth2/authorize?client_id=default-demo&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&response_type=code",
                302,
            ),
            exchange(ExchangeKind::Token, "POST", "/oauth2/token", 200),
            exchange(ExchangeKind::Jwks, "GET", "/.well-known/jwks.json", 200),
            exchange(ExchangeKind::Userinfo, "GET", "/userinfo", 401),
        ],
        ..DemoResultView::default()
    };
    vec![
        ("demo", demo(&start, lang)),
        ("demo-denied", demo(&denied, lang)),
        ("demo-result", demo_result(&result, lang)),
    ]
}

fn exchange(kind: ExchangeKind, method: &str, path: &str, status: u16) -> ExchangeView {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ExchangeView {
        kind,
        method: method.to_owned(),
        url: format!("https://localhost:8443/default/default{path}"),
        request_headers: vec![
            header("Accept", "application/json"),
            header("Content-Type", "application/x-www-form-urlencoded"),
        ],
        request_body: (method == "POST")
            .then(|| "grant_type=authorization_code\n&code=Rl1O…\n&code_verifier=dBjf…".to_owned()),
        status,
        response_headers: vec![
            header("Cache-Control", "no-store"),
            header("Content-Type", "application/json"),
        ],
        response_body: (status == 200).then(|| {
            "{\n  \"access_token\": \"eyJ…\",\n  \"expires_in\": 3600,\n  \"token_type\": \"bearer\"\n}"
                .to_owned()
        }),
        open: kind == ExchangeKind::Token,
    }
}
