//! Sandbox identity providers over the admin API: people are made, log in, change and go.

use serde_json::json;
use testkit::{TestServer, claims};

const IDPS: &str = "/servers/default/idps/static";

#[tokio::test]
async fn a_person_made_by_the_administrator_logs_in_and_goes_with_the_provider() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let body = json!({
        "id": "people",
        "name": "People",
        "users": [{ "username": "ada", "password": "ada's own", "authentication_context": { "name": "Ada" } }],
    });
    let made = administrator.post(IDPS, &body).await.expect(201);
    assert_eq!(made.header("location"), "/api/admin/default/servers/default/idps/static/people");
    assert!(!made.text().contains("password"), "{}", made.text());
    assert!(!made.text().contains("argon2"), "{}", made.text());

    let party = server.party("client");
    let browser = server.browser();
    let page = browser.open(&party.authorize_url(&[])).await;
    let wrong = page.form("login-form").with("username", "ada").with("password", "user");
    assert!(browser.submit(&wrong).await.has_form("login-form"));
    let right = page.form("login-form").with("username", "ada").with("password", "ada's own");
    let consent = browser.submit(&right).await;
    let answer = browser.allow(&consent).await;
    let code = answer.response_parameter("code").expect("a code");
    let tokens = party.redeem(&code).await.expect(200).json();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["idp"], "people");

    administrator.delete("/servers/default/idps/people").await.expect(204);
    let userinfo = party.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 401, "the person is gone");
}

#[tokio::test]
async fn a_provider_is_put_back_unchanged_and_passwords_stay() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let read = administrator.get("/servers/default/idps").await.expect(200).json();
    let id = read["idps"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{IDPS}/{id}");
    let before = administrator.get(&path).await.expect(200);
    let after = administrator.put(&path, &before.json()).await.expect(200);
    assert_eq!(before.json(), after.json());
    assert_eq!(before.header("etag"), after.header("etag"));
    server.party("client").tokens().await;
}

#[tokio::test]
async fn adm_09_a_provider_is_not_reached_through_another_workspace() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let id = administrator.get("/servers/default/idps").await.expect(200).json()["idps"][0]["id"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(administrator.get(&format!("/servers/admin/idps/static/{id}")).await.status, 404);
    assert_eq!(administrator.delete(&format!("/servers/admin/idps/{id}")).await.status, 404);
    administrator.get(&format!("{IDPS}/{id}")).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_provider_is_said_at_once() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let body = json!({ "name": " ", "users": [{ "username": " ada" }, { "username": "bob" }] });
    let refused = administrator.post(IDPS, &body).await.expect(422).json();
    let details = refused["details"].to_string();
    for member in ["name", "users[0].username", "users[1].password"] {
        assert!(details.contains(member), "{member} in {details}");
    }
    administrator.post("/servers/nobody/idps/static", &json!({ "name": "x" })).await.expect(404);
}

/// The contract's body: the people stand in `credentials`.
#[tokio::test]
async fn people_in_credentials_are_kept_and_put_back() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let ada =
        json!({ "username": "ada", "password": "ada's own", "authentication_context": { "name": "Ada" } });
    let body = json!({ "id": "people", "name": "People", "credentials": { "users": [ada] } });
    let made = administrator.post(IDPS, &body).await.expect(201);
    assert_eq!(made.json()["credentials"]["users"][0]["username"], "ada", "{}", made.text());
    assert_eq!(made.json()["users"], made.json()["credentials"]["users"]);
    assert!(!made.text().contains("password"), "{}", made.text());
    let path = format!("{IDPS}/people");
    let before = administrator.get(&path).await.expect(200);
    let after = administrator.put(&path, &before.json()).await.expect(200);
    assert_eq!((before.json(), before.header("etag")), (after.json(), after.header("etag")));

    // Of a body that was read, the list that was changed counts, whichever it is.
    let bob = json!({ "username": "bob", "password": "bob's own" });
    let both = json!({ "users": [{ "username": "ada" }, bob] });
    for change in [
        json!({ "credentials": both }),
        json!({ "credentials": { "users": [{ "username": "ada" }] } }),
        both.clone(),
    ] {
        let answer = administrator.change(&path, &change).await.json();
        let wanted =
            change.pointer("/credentials/users").unwrap_or(&change["users"]).as_array().unwrap().len();
        assert_eq!(answer["users"].as_array().unwrap().len(), wanted, "{change}");
        assert_eq!(answer["users"], answer["credentials"]["users"]);
    }
    let mut contradiction = before.json();
    contradiction["users"] = json!([bob]);
    contradiction["credentials"] = json!({ "users": [] });
    let refused = administrator.put(&path, &contradiction).await.expect(422).text();
    assert!(refused.contains("credentials.users"), "{refused}");
    let refused = json!({ "name": "x", "credentials": { "users": [{ "username": "eve" }] } });
    let refused = administrator.post(IDPS, &refused).await.expect(422).text();
    assert!(refused.contains("credentials.users[0].password"), "{refused}");
}

/// The contract's members of a person are kept, put back, and are claims where a scope asks for them.
#[tokio::test]
async fn every_member_of_a_person_is_kept_and_is_a_claim() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut ada = json!({
        "username": "ada", "email": "ada@example.com", "email_verified": true, "phone_number": "+41 44 000 00 00",
        "phone_number_verified": false, "authentication_context": {"name": "Ada", "email": "old@example.com"},
        "additional_attributes": {"locale": "de-CH", "name": "nobody"},
    });
    let shown = ada.clone();
    ada["password"] = json!("ada's own");
    let body = json!({"id": "people", "name": "People", "credentials": {"users": [ada]}});
    let path = format!("{IDPS}/people");
    administrator.post(IDPS, &body).await.expect(201);
    let before = administrator.get(&path).await.expect(200);
    assert_eq!(before.json()["credentials"]["users"], json!([shown]));
    let after = administrator.put(&path, &before.json()).await.expect(200);
    assert_eq!((before.json(), before.header("etag")), (after.json(), after.header("etag")));
    // One member more is a change of the list that has it.
    let mut changed = before.json();
    changed["credentials"]["users"][0]["email_verified"] = json!(false);
    let changed = administrator.put(&path, &changed).await.expect(200).json();
    assert_eq!(changed["users"][0]["email_verified"], false);

    let everything = "openid profile email phone";
    let scopes = json!({"scopes": ["openid", "profile", "email", "phone", "offline_access"]});
    administrator.change("/clients/client", &scopes).await;
    for (scope, names) in [
        (
            everything,
            &["email", "email_verified", "phone_number", "phone_number_verified", "name", "locale"][..],
        ),
        ("openid phone", &["phone_number", "phone_number_verified"][..]),
        ("openid", &[][..]),
    ] {
        let party = server.party("client").with_scope(scope);
        let browser = server.browser();
        let page = browser.open(&party.authorize_url(&[("prompt", "consent")])).await;
        let login = page.form("login-form").with("username", "ada").with("password", "ada's own");
        let answer = browser.allow(&browser.submit(&login).await).await;
        let code = answer.response_parameter("code").expect("a code");
        let tokens = party.redeem(&code).await.expect(200).json();
        let mut userinfo = party.userinfo(tokens["access_token"].as_str().unwrap()).await.expect(200).json();
        userinfo
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !["aid", "idp", "idp_method", "tid"].contains(&&**name));
        let mut expected = json!({
            "email": "ada@example.com", "email_verified": false, "phone_number": "+41 44 000 00 00",
            "phone_number_verified": false, "name": "Ada", "locale": "de-CH",
        });
        expected.as_object_mut().unwrap().retain(|name, _| names.contains(&name.as_str()));
        expected["sub"] = userinfo["sub"].clone();
        assert_eq!(userinfo, expected, "{scope}");
    }
}

/// A replacement that says nothing of the people is none of them.
#[tokio::test]
async fn a_body_without_people_keeps_them_and_an_empty_list_removes_them() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let ada = json!({"username": "ada", "password": "ada's own", "email": "ada@example.com"});
    administrator.post(IDPS, &json!({"id": "people", "name": "People", "users": [ada]})).await.expect(201);
    let path = format!("{IDPS}/people");
    for silent in [json!({"name": "Renamed"}), json!({"name": "Renamed", "credentials": {}})] {
        let kept = administrator.put(&path, &silent).await.expect(200).json();
        assert_eq!(kept["name"], "Renamed");
        assert_eq!(kept["credentials"]["users"], json!([{"username": "ada", "email": "ada@example.com"}]));
    }
    for empty in [json!({"name": "x", "users": []}), json!({"name": "x", "credentials": {"users": []}})] {
        assert_eq!(administrator.put(&path, &empty).await.expect(200).json()["users"], json!([]));
        administrator.change(&path, &json!({"users": [ada]})).await;
    }
}

/// OIDC Core §5.1: what goes out as a claim has the form of that claim.
#[tokio::test]
async fn oidc_core_5_1_birthdates_and_addresses_are_checked_where_they_come_in() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let person = |more: &serde_json::Value| {
        let mut ada = json!({"username": "ada", "password": "ada's own"});
        ada.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ada
    };
    let crlf = "ada@example.com\r\nBcc: eve@example.com";
    for (member, value) in [
        ("email", json!({"email": crlf})),
        ("email", json!({"email": "nobody"})),
        ("authentication_context.email", json!({"authentication_context": {"email": crlf}})),
        ("additional_attributes.email", json!({"additional_attributes": {"email": "a b@example.com"}})),
        ("authentication_context.birthdate", json!({"authentication_context": {"birthdate": "x"}})),
        ("authentication_context.birthdate", json!({"authentication_context": {"birthdate": "1990-02-30"}})),
        ("additional_attributes.birthdate", json!({"additional_attributes": {"birthdate": 1990}})),
    ] {
        for (list, body) in [
            ("credentials.users", json!({"name": "P", "credentials": {"users": [person(&value)]}})),
            ("users", json!({"name": "P", "users": [person(&value)]})),
        ] {
            let answer = administrator.post(IDPS, &body).await.expect(422);
            let told = &answer.json()["details"][format!("{list}[0].{member}")];
            assert!(told["received"].is_string(), "{value}: {}", answer.text());
            let rule = if member.ends_with("email") { "RFC 5322" } else { "OIDC Core §5.1" };
            assert!(told["expected"].as_str().is_some_and(|text| text.contains(rule)), "{}", answer.text());
        }
    }
    for birthdate in ["1990-05-17", "1990", "0000-05-17"] {
        let context = json!({"email": "ada@example.com", "authentication_context": {"birthdate": birthdate}});
        let body = json!({"name": "P", "users": [person(&context)]});
        administrator.post(IDPS, &body).await.expect(201);
    }
}

/// Where every provider is switched off there is nothing to type, and whoever types all the same is told why.
#[tokio::test]
async fn a_provider_that_is_switched_off_shows_no_form_and_takes_no_login() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let id = administrator.get("/servers/default/idps").await.expect(200).json()["idps"][0]["id"].clone();
    let path = format!("{IDPS}/{}", id.as_str().unwrap());
    let (app, browser) = (server.party("app"), server.browser());
    let before = browser.open(&app.authorize_url(&[("state", "s")])).await;
    administrator.change(&path, &json!({"disabled": true})).await;

    let typed = before.form("login-form").with("username", "user").with("password", "user");
    let device = server.browser();
    for page in [
        browser.load(&before.asked).await,
        browser.submit(&typed).await,
        server.browser().open(&app.authorize_url(&[])).await,
        device.open("/default/default/device").await,
    ] {
        let page = page.expect(403);
        assert!(
            !page.has_form("login-form") && !page.text().contains("type=\"password\""),
            "{}",
            page.text()
        );
        let problem = page.element("login-problem").expect("why");
        assert!(problem.contains("switched off"), "{problem}");
        assert_eq!(page.header("www-authenticate"), "");
        server.engine().flush().await;
        let told =
            server.engine().explanation(page.header("x-trace-id")).await.unwrap().expect("an explanation");
        assert_eq!(told.reason, "login_closed");
        assert!(told.fix.contains("disabled"), "{told:?}");
    }
    let silent = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(silent.response_parameter("error").as_deref(), Some("login_required"));

    // Another provider goes on, and the one that is switched off knows nobody.
    let ada = json!({"username": "ada", "password": "ada's own"});
    administrator.post(IDPS, &json!({"id": "people", "name": "People", "users": [ada]})).await.expect(201);
    let page = browser.load(&before.asked).await.expect(200);
    let refused = browser.log_in(&page).await.expect(403);
    assert!(refused.has_form("login-form"), "{}", refused.text());
    let ada = page.form("login-form").with("username", "ada").with("password", "ada's own");
    let answer = browser.allow(&browser.submit(&ada).await).await;
    assert_eq!(answer.response_parameter("state").as_deref(), Some("s"));
    assert!(answer.response_parameter("code").is_some(), "{}", answer.location());

    // The way back to the application is open, and so is the door when it is opened again.
    administrator.delete("/servers/default/idps/people").await.expect(204);
    let (first, second) = (server.browser(), server.browser());
    let closed = first.open(&app.authorize_url(&[("state", "t")])).await.expect(403);
    let cancelled = first.submit(&closed.form("login-cancel-form").with("action", "cancel")).await;
    assert_eq!(cancelled.response_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(cancelled.response_parameter("state").as_deref(), Some("t"));
    let closed = second.open(&app.authorize_url(&[("state", "u")])).await.expect(403);
    administrator.change(&path, &json!({"disabled": false})).await;
    let open = second.load(&closed.asked).await.expect(200);
    let answer = second.allow(&second.log_in(&open).await).await;
    assert_eq!(answer.response_parameter("state").as_deref(), Some("u"));
}
