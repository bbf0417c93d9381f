//! Members of another type than the management API has: each is refused by its path, with what it was and what it
//! should be. The table of the members is the API's own description.

use serde_json::{Map, Value, json};
use testkit::{Administrator, TestServer};

/// A boolean or a number in a document.
struct Member {
    path: Vec<String>,
    is_boolean: bool,
}

impl Member {
    fn name(&self) -> String {
        self.path.join(".")
    }

    /// The members of a document with `value` here.
    fn with(&self, value: &Value) -> Map<String, Value> {
        let (last, outer) = self.path.split_last().expect("a name");
        let inner = Map::from_iter([(last.clone(), value.clone())]);
        outer.iter().rev().fold(inner, |inner, name| Map::from_iter([(name.clone(), Value::Object(inner))]))
    }

    fn wrong(&self) -> Vec<(Value, &'static str)> {
        let scalar = if self.is_boolean { (json!(1), "a number") } else { (json!(true), "a boolean") };
        let fraction = if self.is_boolean { (json!(0.5), "a number") } else { (json!(7.5), "a number") };
        vec![
            scalar,
            fraction,
            (json!("yes"), "a string"),
            (json!("1"), "a string"),
            (json!([]), "an empty array"),
            (json!([true]), "an array"),
            (json!({"x": 1}), "an object"),
        ]
    }
}

/// The booleans and numbers of a schema, with those of the objects in it.
fn members(description: &Value, schema: &Value, path: &[String], found: &mut Vec<Member>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = description.pointer(reference.trim_start_matches('#')).expect("a schema");
        return members(description, target, path, found);
    }
    for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|kind| schema[*kind].as_array()).flatten() {
        members(description, part, path, found);
    }
    let is = |name: &str| {
        schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.contains(&json!(name)))
    };
    if is("boolean") || is("integer") {
        found.push(Member { path: path.to_vec(), is_boolean: is("boolean") });
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        members(description, inner, &[path, std::slice::from_ref(name)].concat(), found);
    }
}

async fn described(server: &TestServer, schema: &str) -> Vec<Member> {
    let description = server.get("/api/swagger/default/openapi.json").await.expect(200).json();
    let mut found = Vec::new();
    members(&description, &description["components"]["schemas"][schema], &[], &mut found);
    found
}

/// What was received and expected of the member, as the refusal of the body tells it.
async fn told(administrator: &Administrator, path: &str, body: &Value, member: &str) -> (String, String) {
    let sent = if path.matches('/').count() > 1 {
        administrator.put(path, body).await
    } else {
        administrator.post(path, body).await
    };
    let answer = sent.expect(422).json();
    let text = |part: &str| match answer["details"][member][part].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no {part} of {member} with {body}: {answer}"),
    };
    (text("received"), text("expected"))
}

const READ_ONLY: [&str; 4] = ["system", "dynamically_registered", "client_id_issued_at", "version"];

#[tokio::test]
async fn every_boolean_and_number_of_clients_and_workspaces_is_refused_in_another_type() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for (schema, collection, one, base, at_least) in [
        ("ClientAdminRequest", "/clients", "/clients/app", json!({"authorization_server_id": "default"}), 13),
        ("Server", "/servers", "/servers/default", json!({"id": "types"}), 16),
    ] {
        let found = described(&server, schema).await;
        assert!(found.len() >= at_least, "{:?}", found.iter().map(Member::name).collect::<Vec<_>>());
        let current = administrator.get(one).await.expect(200).json();
        for member in &found {
            let is_read_only = READ_ONLY.contains(&&*member.name());
            for (value, kind) in member.wrong() {
                for (path, base) in [(collection, &base), (one, &current)] {
                    let mut body = base.clone();
                    body.as_object_mut().unwrap().extend(member.with(&value));
                    let (received, expected) = told(&administrator, path, &body, &member.name()).await;
                    let (article, _) = kind.split_once(' ').unwrap();
                    assert!(received.starts_with(article), "{path} {body}: {received}");
                    if !is_read_only {
                        assert!(received.starts_with(kind), "{path} {body}: {received}");
                        let wanted = if member.is_boolean { "a boolean" } else { "a whole number" };
                        assert!(expected.starts_with(wanted), "{path} {body}: {expected}");
                    }
                }
            }
        }
        assert_eq!(administrator.get(one).await.expect(200).json(), current, "nothing was changed");
    }
}

#[tokio::test]
async fn other_members_are_told_by_their_paths_too() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for (path, member, value, received, expected) in [
        ("/clients", "redirect_uris", json!(7), "a number: 7", "an array of strings"),
        ("/clients", "redirect_uris[1]", json!(["https://a.example/", 7]), "a number: 7", "a string"),
        (
            "/clients",
            "token_ttls.access_token_ttl",
            json!({"access_token_ttl": 7}),
            "a number: 7",
            "a string",
        ),
        ("/clients", "token_ttls", json!([]), "an array", "an object"),
        ("/clients", "client_secret", json!(7), "a number", "a string"),
        ("/clients", "jwks", json!({"keys": [{"kty": 7}]}), "an object", "inside it: a string"),
        ("/servers", "dynamic_client_registration", json!([true]), "an array", "an object"),
        ("/servers", "sso", json!([]), "an array", "an object"),
        (
            "/servers",
            "dynamic_client_registration.default_scopes[0]",
            json!({"default_scopes": [{}]}),
            "an object",
            "a string",
        ),
    ] {
        let base = json!({"authorization_server_id": "default", "id": "paths"});
        let mut body = base.clone();
        let (name, _) = member.split_once(['.', '[']).unwrap_or((member, ""));
        body[name] = value;
        let told = told(&administrator, path, &body, member).await;
        assert_eq!((&*told.0, &*told.1), (received, expected), "{member}");
    }
    // What is free stays free.
    let free = json!({"tags": ["a", {"b": [1, [], {}]}], "n": 7, "yes": true, "empty": []});
    let body =
        json!({"authorization_server_id": "default", "client_id": "free", "metadata": free, "public": true});
    let made = administrator.post("/clients", &body).await.expect(201).json();
    assert_eq!(made["metadata"], free);
}

#[tokio::test]
async fn a_mistake_inside_a_person_is_told_by_its_path_and_without_the_value() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let ada = || json!({"username": "ada", "password": "ada's own"});
    for (member, value, received, expected) in [
        ("username", json!(7), "a number", "a string"),
        ("password", json!(["hunter2"]), "an array", "a string"),
        ("email_verified", json!("hunter2"), "a string", "a boolean"),
        ("authentication_context", json!("hunter2"), "a string", "an object"),
    ] {
        let mut wrong = ada();
        wrong[member] = value;
        for (list, body) in [
            ("credentials.users", json!({"name": "P", "credentials": {"users": [ada(), ada(), wrong]}})),
            ("users", json!({"name": "P", "users": [ada(), ada(), wrong]})),
        ] {
            let answer = administrator.post("/servers/default/idps/static", &body).await.expect(422);
            assert!(!answer.text().contains("hunter2"), "{}", answer.text());
            let told = &answer.json()["details"][format!("{list}[2].{member}")];
            assert_eq!(*told, json!({"received": received, "expected": expected}), "{}", answer.text());
        }
    }
    for (body, member) in [
        (json!({"name": "P", "credentials": {"users": [["ada", "hunter2"]]}}), "credentials.users[0]"),
        (json!({"name": "P", "credentials": "hunter2"}), "credentials"),
        (json!({"name": "P", "users": {"ada": "hunter2"}}), "users"),
    ] {
        let answer = administrator.post("/servers/default/idps/static", &body).await.expect(422);
        assert!(answer.json()["details"][member]["expected"].is_string(), "{}", answer.text());
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }
}
