//! The clock jumps, goes back, and differs between two nodes (E10). Whoever sets it harms nobody but their own time:
//! nothing that was used up works again, and no token ends before it begins.

use serde_json::Value;
use testkit::{DpopKey, RelyingParty, TestServer, Tokens, claims, header};

use engine::Clock;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// One second after what 32 bits with a sign can count.
const YEAR_2038: i64 = 2_147_483_648 * SECOND;
const YEAR_2100: i64 = 4_102_444_800 * SECOND;
/// How far two nodes may differ in what they call expired.
const ALLOWED_SKEW: i64 = 5 * SECOND;

fn party(server: &TestServer) -> RelyingParty {
    server.party("client").with_scope("openid profile offline_access")
}

/// Where the clock is put, starting from `now`, in this order: forth and back.
fn jumps(now: i64) -> Vec<i64> {
    let by = [SECOND, -SECOND, 5 * MINUTE, -5 * MINUTE, DAY, -DAY].map(|jump| now + jump);
    [&by[..], &[YEAR_2038 - SECOND, YEAR_2038, YEAR_2100, now, 0, now]].concat()
}

#[track_caller]
fn check_life(token: &str) {
    let claims = claims(token);
    let [iat, exp] =
        ["iat", "exp"].map(|name| claims[name].as_i64().unwrap_or_else(|| panic!("{name}: {claims}")));
    assert!(exp > iat, "{claims}");
}

async fn kids(server: &TestServer) -> Vec<Value> {
    let set = server.get("/default/default/.well-known/jwks.json").await.expect(200).json();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

/// At any time whole flows work, what they bring lives, and no jump makes or changes a key.
#[tokio::test]
async fn e_10_at_any_time_tokens_begin_before_they_end() {
    let server = TestServer::start().await;
    let party = party(&server);
    let keys = kids(&server).await;
    let mut signed_by = Vec::new();
    for at in jumps(server.clock().now().millis()) {
        server.clock().set(at);
        let tokens = party.tokens().await;
        check_life(tokens.access_token());
        check_life(tokens.id_token());
        assert!(tokens.0["expires_in"].as_i64().unwrap() > 0, "at {at}");
        party.userinfo(tokens.access_token()).await.expect(200);
        assert!(party.is_active(tokens.access_token()).await, "at {at}");
        let next = Tokens(party.refresh(tokens.refresh_token()).await.expect(200).json());
        check_life(next.access_token());
        check_life(party.client_credentials("").await.expect(200).json()["access_token"].as_str().unwrap());
        signed_by.push(header(tokens.id_token())["kid"].clone());
        assert_eq!(kids(&server).await, keys, "at {at}");
    }
    signed_by.dedup();
    assert_eq!(signed_by.len(), 1, "no jump rotates a key");
}

/// Consumption is a state and no time.
#[tokio::test]
async fn e_10_what_was_used_up_stays_so_wherever_the_clock_goes() {
    let server = TestServer::start().await;
    let party = party(&server);
    let now = server.clock().now().millis();
    // A step back that two nodes may differ by leaves a rotated token one that may be asked for again.
    for at in jumps(now).into_iter().filter(|at| *at != now - SECOND) {
        server.clock().set(now);
        let code = party.code().await;
        let first = Tokens(party.redeem(&code).await.expect(200).json());
        let second = Tokens(party.refresh(first.refresh_token()).await.expect(200).json());
        let third = Tokens(party.refresh(second.refresh_token()).await.expect(200).json());
        let ended = party.tokens().await;
        party.revoke(ended.refresh_token()).await.expect(200);
        party.revoke(ended.access_token()).await.expect(200);
        server.clock().set(at);
        party.redeem(&code).await.expect_error(400, "invalid_grant");
        party.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
        party.refresh(ended.refresh_token()).await.expect_error(400, "invalid_grant");
        assert!(!party.is_active(ended.access_token()).await, "revoked, and active at {at}");
        // The replay ended the family, and no time brings it back.
        for at in [at, now, at] {
            server.clock().set(at);
            party.refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
            assert!(!party.is_active(third.access_token()).await, "ended, and active at {at}");
        }
    }
}

/// A proof of possession is good once, before and after the clock went back.
#[tokio::test]
async fn e_10_a_jti_counts_once_wherever_the_clock_goes() {
    let server = TestServer::start().await;
    let key = DpopKey::new(&server);
    let party = server.party("app").with_dpop(&key);
    let now = server.clock().now().millis();
    for back in [0, SECOND, 30 * SECOND] {
        server.clock().set(now);
        let codes = [party.code().await, party.code().await];
        let proof = key.proof("POST", &party.path("/oauth2/token"));
        let [first, second] = codes
            .each_ref()
            .map(|code| party.without_proof("/oauth2/token", &party.redemption(code)).proof(&proof));
        server.send(first).await.expect(200);
        server.clock().set(now - back);
        server.send(second).await.expect_error(400, "invalid_dpop_proof");
    }
}

/// Whatever one node issues the other takes up, thirty seconds before or behind it; and both agree on an end, up to
/// what is allowed between nodes.
#[tokio::test]
async fn e_10_two_nodes_that_differ_by_half_a_minute_work_together() {
    let server = TestServer::start().await;
    for skew in [30 * SECOND, -30 * SECOND] {
        let other = server.node(skew);
        for (one, two) in [(&server, &other), (&other, &server)] {
            let browser = one.browser();
            let code = party(one).code_in(&browser).await;
            let tokens = Tokens(party(two).redeem(&code).await.expect(200).json());
            check_life(tokens.access_token());
            let next = Tokens(party(one).refresh(tokens.refresh_token()).await.expect(200).json());
            let next = Tokens(party(two).refresh(next.refresh_token()).await.expect(200).json());
            // The session of one is one at the other too.
            let silent = party(two).authorize_url(&[("prompt", "none")]);
            let answer = browser.at(two).load(&silent).await;
            assert!(answer.response_parameter("code").is_some(), "{}", answer.location());
            // Neither clock makes a token that was replaced good again, nor a code.
            party(one).refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
            party(two).refresh(next.refresh_token()).await.expect_error(400, "invalid_grant");
            party(one).redeem(&code).await.expect_error(400, "invalid_grant");
        }
    }
}

/// Expired by so much that no difference between nodes explains it: no node may call it good.
#[tokio::test]
async fn e_10_what_has_expired_is_not_revived_by_a_small_step_back() {
    let server = TestServer::start().await;
    let party = party(&server);
    let tokens = party.tokens().await;
    let end = claims(tokens.access_token())["exp"].as_i64().unwrap() * SECOND;
    for (at, active) in
        [(end - SECOND, true), (end + ALLOWED_SKEW, false), (end, false), (end - SECOND, true)]
    {
        server.clock().set(at);
        assert_eq!(party.is_active(tokens.access_token()).await, active, "{} ms after its end", at - end);
    }
}

/// Each node looks how far its clock is from the store's, and says so.
#[tokio::test]
async fn e_10_a_clock_that_differs_from_the_store_is_measured() {
    let server = TestServer::start().await;
    assert_eq!(server.engine().compare_clocks().await.unwrap(), None, "a store without a clock of its own");
    let now = server.clock().now().millis();
    for (ahead, shown) in [(2_500, "2.5"), (0, "0"), (-12_250, "-12.25")] {
        server.set_store_clock(now - ahead);
        assert_eq!(server.engine().compare_clocks().await.unwrap(), Some(ahead));
        let line = format!("clock_skew_seconds {shown}");
        let metrics = server.metrics();
        let seconds: f64 = metrics
            .lines()
            .find_map(|line| line.strip_prefix("clock_skew_seconds ")?.parse().ok())
            .unwrap_or_else(|| panic!("{line} in {metrics}"));
        assert!((seconds - shown.parse::<f64>().unwrap()).abs() < 0.001, "{seconds}");
    }
    server.fail_store(true, false);
    server.engine().compare_clocks().await.unwrap_err();
}
