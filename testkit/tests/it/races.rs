//! Many at once: exactly one wins, nobody sees a 5xx.

use std::time::Duration;

use testkit::{Answer, RelyingParty, TestServer, Tokens};
use tokio::task::JoinSet;

const MANY: usize = 64;

async fn at_once<F>(ask: impl Fn() -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..MANY {
        tasks.spawn(ask());
    }
    tasks.join_all().await
}

fn party(server: &TestServer) -> RelyingParty {
    server.party("app").with_scope("openid offline_access")
}

async fn redeem_many(server: &TestServer) {
    let app = party(server);
    let code = app.code().await;
    let answers = at_once(|| {
        let (app, code) = (app.clone(), code.clone());
        async move { app.redeem(&code).await }
    })
    .await;
    let (won, lost): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|a| a.status == 200);
    assert_eq!(won.len(), 1, "exactly one redemption wins");
    for answer in lost {
        answer.expect_error(400, "invalid_grant");
    }
    // All came within one second: double submits refuse, and revoke nothing.
    let tokens = Tokens(won[0].json());
    app.userinfo(tokens.access_token()).await.expect(200);
    app.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cod_02_of_64_redemptions_of_one_code_exactly_one_wins() {
    redeem_many(&TestServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cod_02_of_64_redemptions_over_sqlite_exactly_one_wins() {
    redeem_many(&TestServer::on_sqlite().await).await;
}

async fn refresh_many(server: &TestServer) {
    let app = party(server);
    let tokens = app.tokens().await;
    let parent = tokens.refresh_token().to_owned();
    let answers = at_once(|| {
        let (app, parent) = (app.clone(), parent.clone());
        async move { app.refresh(&parent).await }
    })
    .await;
    let mut successors: Vec<String> = answers
        .into_iter()
        .map(|answer| Tokens(answer.expect(200).json()).refresh_token().to_owned())
        .collect();
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1, "all get the same successor");
    assert_ne!(successors[0], parent);
    app.refresh(&successors[0]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rtk_03_64_parallel_refreshes_get_the_same_successor() {
    refresh_many(&TestServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rtk_03_64_parallel_refreshes_over_sqlite_get_the_same_successor() {
    refresh_many(&TestServer::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rtk_03_a_stolen_parent_used_by_many_at_once_revokes_the_family() {
    let server = TestServer::start().await;
    let app = party(&server);
    let first = app.tokens().await;
    let second = Tokens(app.refresh(first.refresh_token()).await.expect(200).json());
    let third = Tokens(app.refresh(second.refresh_token()).await.expect(200).json());
    server.clock().advance(Duration::from_secs(1));
    let stolen = first.refresh_token().to_owned();
    let answers = at_once(|| {
        let (app, stolen) = (app.clone(), stolen.clone());
        async move { app.refresh(&stolen).await }
    })
    .await;
    for answer in answers {
        answer.expect_error(400, "invalid_grant");
    }
    app.refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consent_form_sent_many_times_at_once_yields_one_code_and_no_5xx() {
    let server = TestServer::start().await;
    let app = party(&server);
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[])).await;
    let consent = browser.log_in(&login).await;
    let form = consent.form("consent-form").with("decision", "allow");
    let answers = at_once(|| {
        let (browser, form) = (browser.copy(), form.clone());
        async move { browser.post(&form).await }
    })
    .await;
    let mut codes = 0;
    for answer in &answers {
        assert!(answer.is_redirect(), "{} {}", answer.status, answer.text());
        if answer.location().host_str() == Some("example.com") {
            codes += usize::from(answer.response_parameter("code").is_some());
        }
    }
    assert_eq!(codes, 1, "one interaction, one code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creating_one_client_many_times_at_once_creates_it_once() {
    let server = TestServer::on_sqlite().await;
    let administrator = server.administrator().await;
    let body = serde_json::json!({
        "authorization_server_id": "default",
        "client_id": "contested",
        "redirect_uris": ["https://example.com/callback"]
    });
    let answers = at_once(|| {
        let (administrator, body) = (administrator.clone(), body.clone());
        async move { administrator.post("/clients", &body).await }
    })
    .await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((created, refused), (1, MANY - 1));
}
