use super::*;
use axum::body::{Body, to_bytes};
use engine::{EngineConfig, SystemClock};
use http::{Request, StatusCode, header};
use protocol::id::TenantId;
use protocol::record::{DocumentKind, Expect, Write};
use protocol::server::Server;
use store::memory::MemoryStore;
use tokio::sync::OnceCell;
use tower::ServiceExt;

const URL: &str = "https://as.example";

/// A server that holds nothing.
fn empty(demo: bool) -> Arc<Engine> {
    let mut config = EngineConfig::new(URL, [7; 32].into());
    config.demo = demo;
    Engine::open(config, Arc::new(MemoryStore::new()), Arc::new(SystemClock)).unwrap()
}

/// The demonstration, made once: its RSA keys take their time.
async fn demonstration() -> &'static Router {
    static ROUTER: OnceCell<Router> = OnceCell::const_new();
    let start = || async {
        let engine = empty(true);
        engine.bootstrap_demo().await.unwrap();
        router(engine)
    };
    ROUTER.get_or_init(start).await
}

/// Stores a workspace without keys.
async fn put_workspace(engine: &Engine, tenant: &TenantId, server: &Server) {
    let document = engine.new_document(DocumentKind::Server, server.id.as_str(), None, server).unwrap();
    let write = Write::PutDocument { document, expect: Expect::Absent };
    engine.commit(tenant, vec![write], Vec::new(), None, &engine::Call::default()).await.unwrap();
}

async fn ask(router: &Router, method: &str, path: &str, accept: &str) -> (http::response::Parts, String) {
    let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
    let request = request.header(header::HOST, "as.example").body(Body::empty()).unwrap();
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (head, String::from_utf8(body.to_vec()).unwrap())
}

const BROWSER: &str = "text/html,*/*;q=0.8";

#[tokio::test]
async fn aut_26_web_03_pages_are_for_people_only() {
    let router = demonstration().await;
    for path in [
        "/",
        "/default",
        "/default/default/login",
        "/default/default/consent",
        "/default/default/select-account",
        "/default/default/logout",
        "/default/default/oidc/logout",
        "/default/default/error",
        "/default/default/demo",
        "/default/default/oauth2/authorize?client_id=nobody",
    ] {
        let (head, body) = ask(router, "GET", path, "*/*").await;
        assert!(body.starts_with("<!doctype html>"), "{path}: {body}");
        assert!(!head.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
        assert_eq!(head.headers[header::CACHE_CONTROL], "no-store", "{path}");
        let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let scripts = policy.split("; ").find(|directive| directive.starts_with("script-src"));
        let own = format!("script-src {}", crate::pages::error::SCRIPT_SHA256);
        assert!(scripts.is_none_or(|scripts| scripts == own), "{path}: {policy}");
        assert_eq!(head.headers[header::CONTENT_LANGUAGE], "en", "{path}");
    }
}

#[tokio::test]
async fn where_nothing_is_people_get_a_page_and_programs_get_json() {
    let router = demonstration().await;
    for path in
        ["/nothing/here/at/all", "/nobody", "/nobody/default/userinfo", "/static/x.css", "/%ff/a/userinfo"]
    {
        let (head, body) = ask(router, "GET", path, BROWSER).await;
        let is_api = path.ends_with("userinfo");
        assert_eq!(head.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(body.starts_with("<!doctype html>"), !is_api, "{path}");
        let (head, body) = ask(router, "GET", path, "*/*").await;
        assert_eq!(head.status, StatusCode::NOT_FOUND, "{path}");
        assert!(body.contains("\"error\":\"not_found\""), "{path}: {body}");
    }
    let (_, body) = ask(router, "GET", "/default/default/oauth/authorize", BROWSER).await;
    assert!(body.contains("href=\"/default/default/oauth2/authorize\""), "{body}");
}

#[tokio::test]
async fn rfc9110_15_5_6_a_wrong_method_is_told_the_right_ones() {
    let router = demonstration().await;
    for (method, path, allowed) in [
        ("GET", "/default/default/oauth2/token", "POST"),
        ("PUT", "/default/default/userinfo", "GET,HEAD,POST"),
        ("DELETE", "/default/default/.well-known/jwks.json", "GET,HEAD"),
        ("PUT", "/default/default/login", "GET,HEAD,POST"),
        ("PATCH", "/default/default/demo", "GET,HEAD,POST"),
    ] {
        let (head, body) = ask(router, method, path, "*/*").await;
        assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(head.headers[header::ALLOW], allowed, "{path}");
        assert!(body.contains("\"cause\":\"method_not_allowed\""), "{body}");
    }
}

#[tokio::test]
async fn a_login_in_a_pop_up_keeps_its_opener_and_other_pages_do_not() {
    let router = demonstration().await;
    let opener = "cross-origin-opener-policy";
    for (path, keeps) in
        [("/default/default/login", true), ("/default/default/oauth2/authorize", true), ("/", false)]
    {
        let (head, _) = ask(router, "GET", path, BROWSER).await;
        assert_eq!(head.headers.contains_key(opener), keeps, "{path}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_a_name_that_changes_with_them() {
    let router = demonstration().await;
    for asset in crate::pages::ASSETS.iter() {
        let (head, _) = ask(router, "GET", &asset.path, "*/*").await;
        assert_eq!(head.headers[header::CONTENT_TYPE], asset.content_type);
        assert!(head.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
}

#[tokio::test]
async fn w_05_without_the_demonstration_nothing_of_it_is_there() {
    let engine = empty(false);
    let router = &router(Arc::clone(&engine));
    let tenant = TenantId::new("default");
    engine.create_tenant(&tenant, "Acme").await.unwrap();
    let server = Server { id: "default".into(), name: "Main".to_owned(), ..Server::default() };
    put_workspace(&engine, &tenant, &server).await;
    let (head, _) = ask(router, "GET", "/default/default/demo", BROWSER).await;
    assert_eq!(head.status, StatusCode::NOT_FOUND);
    for path in ["/", "/default"] {
        let (head, body) = ask(router, "GET", path, BROWSER).await;
        assert_eq!(head.status, StatusCode::OK);
        assert!(!body.contains("n8HF35qz") && !body.contains("/demo"), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_tenant_with_many_workspaces_shows_them_a_page_at_a_time() {
    let engine = empty(false);
    let router = &router(Arc::clone(&engine));
    let tenant = TenantId::new("big");
    engine.create_tenant(&tenant, "Big").await.unwrap();
    for number in 0..22 {
        let server = Server { id: format!("w{number:02}").as_str().into(), ..Server::default() };
        put_workspace(&engine, &tenant, &server).await;
    }
    let (_, first) = ask(router, "GET", "/big", BROWSER).await;
    assert!(first.contains("/big/w19/") && !first.contains("/big/w20/"));
    assert!(first.contains("href=\"/big?after_workspace_id=w19\""), "{first}");
    let (_, second) = ask(router, "GET", "/big?after_workspace_id=w19", BROWSER).await;
    assert!(second.contains("/big/w21/") && !second.contains("after_workspace_id"), "{second}");
}
