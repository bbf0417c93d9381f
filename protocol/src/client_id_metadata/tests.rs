use super::*;
use serde_json::json;

const ID: &str = "https://app.example/oauth/client.json";

fn document(changes: &Value) -> Vec<u8> {
    let mut document = json!({
        "client_id": ID,
        "client_name": "App",
        "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in changes.as_object().unwrap() {
        document[name] = value.clone();
        if value.is_null() {
            document.as_object_mut().unwrap().remove(name);
        }
    }
    document.to_string().into_bytes()
}

fn refused(changes: &Value) -> String {
    let refusal = read(ID, &document(changes)).unwrap_err();
    assert_eq!(refusal.reason, Reason::ClientDocumentInvalid);
    refusal.parameter.unwrap()
}

#[test]
fn aut_31_only_plain_urls_are_client_identifiers() {
    let mut server = Server::default();
    for good in [ID, "https://app.example:8443/c", "https://app.example/c?v=1", "https://app.example/a/"] {
        assert!(check_url(good, &server, false).is_ok(), "{good}");
    }
    for bad in [
        "http://app.example/c",
        "http://localhost/c",
        "https://app.example",
        "https://app.example/",
        "https://app.example/c#f",
        "https://user@app.example/c",
        "https://user:pass@app.example/c",
        "https://app.example/a/../c",
        "https://app.example/./c",
        "https://app.example/a/%2e%2e/c",
        "https://APP.example/c",
        "HTTPS://app.example/c",
        "https://app.example:443/c",
        "https:\\\\app.example\\c",
        "https:/app.example/c",
        "https://app.example/c\n",
        "https://app.example/ c",
        "https://0x7f.1/c",
        "https://2130706433/c",
    ] {
        assert!(check_url(bad, &server, false).is_err(), "{bad}");
    }
    assert!(check_url("http://127.0.0.1:9000/c", &server, true).is_ok());
    assert!(check_url("http://app.example/c", &server, true).is_err());
    server.client_id_metadata_documents.allowed_hosts =
        vec!["App.example".into(), "other.example:8443".into()];
    assert!(check_url(ID, &server, false).is_ok());
    assert!(check_url("https://other.example:8443/c", &server, false).is_ok());
    assert!(check_url("https://other.example/c", &server, false).is_err());
    assert!(check_url("https://sub.app.example/c", &server, false).is_err());
}

#[test]
fn b_11_unknown_members_are_passed_over() {
    let changes =
        json!({"x": {"deep": [1, 2]}, "contacts": 7, "jwks_uri": 3, "logo_uri": "javascript:alert(1)"});
    let client = read(ID, &document(&changes)).unwrap();
    assert_eq!((client.client_name.as_str(), client.application_type.as_str()), ("App", "web"));
    assert_eq!(client.logo_uri, "");
    assert!(client.is_public());
    assert_eq!(client.grant_types, ["authorization_code", "refresh_token"]);
}

#[test]
fn the_document_is_about_its_own_address() {
    assert_eq!(refused(&json!({"client_id": "https://app.example/oauth/client.json/"})), "client_id");
    assert_eq!(refused(&json!({"client_id": null})), "client_id");
    assert_eq!(refused(&json!({"client_name": null})), "client_name");
    assert_eq!(refused(&json!({"client_name": "evil \u{202e}ppa"})), "client_name");
    assert_eq!(refused(&json!({"redirect_uris": []})), "redirect_uris");
    assert_eq!(refused(&json!({"redirect_uris": "https://app.example/cb"})), "redirect_uris");
    assert_eq!(refused(&json!({"redirect_uris": ["http://app.example/cb"]})), "redirect_uris");
    assert_eq!(refused(&json!({"redirect_uris": ["javascript:alert(1)"]})), "redirect_uris");
    assert_eq!(refused(&json!({"client_secret": "s"})), "client_secret");
    assert!(read(ID, b"[]").is_err() && read(ID, b"{\"client_id\":1,\"client_id\":2}").is_err());
}

#[test]
fn no_shared_secret_authenticates_such_a_client() {
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt", "x"] {
        let changes = json!({"token_endpoint_auth_method": method});
        assert_eq!(refused(&changes), "token_endpoint_auth_method");
    }
    assert_eq!(refused(&json!({"token_endpoint_auth_method": "private_key_jwt"})), "jwks");
    let symmetric = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]});
    let changes = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": symmetric});
    assert_eq!(refused(&changes), "jwks");
}

#[test]
fn rp_metadata_choices_the_first_that_is_supported_counts() {
    let changes = json!({
        "token_endpoint_auth_method": "client_secret_basic",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["HS256", "ES512X", "PS256", "ES256"],
        "id_token_signing_alg_values_supported": ["HS256", "ES256"],
        "jwks_uri": "https://app.example/jwks",
    });
    let client = read(ID, &document(&changes)).unwrap();
    assert_eq!(client.token_endpoint_auth_method, TokenEndpointAuthMethod::PrivateKeyJwt);
    assert_eq!(client.token_endpoint_auth_signing_alg, Some(Algorithm::PS256));
    assert_eq!(client.id_token_signed_response_alg, Some(Algorithm::ES256));
}

#[test]
fn b_10_loopback_and_own_schemes_make_a_native_application() {
    for uris in [json!(["http://localhost/callback", "http://127.0.0.1/callback"]), json!(["cursor://x/cb"])]
    {
        let client = read(ID, &document(&json!({"redirect_uris": uris}))).unwrap();
        assert!(client.is_native(), "{uris}");
    }
}

#[test]
fn pages_of_other_sites_are_not_shown_as_its_own() {
    let changes = json!({
        "client_uri": "https://bank.example/", "logo_uri": "https://bank.example/logo.png",
        "policy_uri": "https://app.example/policy",
    });
    let client = read(ID, &document(&changes)).unwrap();
    assert_eq!((client.client_uri.as_str(), client.logo_uri.as_str()), ("", ""));
    assert_eq!(client.policy_uri, "https://app.example/policy");
}

#[test]
fn w_09_each_workspace_incarnation_has_its_own_client() {
    let client = read(ID, &document(&json!({}))).unwrap();
    let server = |uid: &str| Server { uid: Uid::new(uid), ..Server::default() };
    let uid = |name: &str| in_workspace(&client, &server(name), &Catalog::default()).uid;
    assert_eq!(uid("a"), uid("a"));
    assert_ne!(uid("a"), uid("b"));
}

#[test]
fn a_document_says_where_to_tell_of_a_logout() {
    let members = json!({
        "frontchannel_logout_uri": "https://app.example/out",
        "frontchannel_logout_session_required": true,
        "backchannel_logout_uri": "https://app.example/backchannel",
        "initiate_login_uri": "https://app.example/start",
    });
    let client = read(ID, &document(&members)).unwrap();
    assert_eq!(client.frontchannel_logout_uri, "https://app.example/out");
    assert!(client.frontchannel_logout_session_required && !client.backchannel_logout_session_required);
    assert_eq!(client.backchannel_logout_uri, "https://app.example/backchannel");
    assert_eq!(client.initiate_login_uri, "https://app.example/start");
    // Elsewhere nobody is loaded or called on the document's word.
    let members = json!({
        "frontchannel_logout_uri": "https://bank.example/out",
        "backchannel_logout_uri": "https://bank.example/backchannel",
    });
    let client = read(ID, &document(&members)).unwrap();
    assert_eq!((client.frontchannel_logout_uri.as_str(), client.backchannel_logout_uri.as_str()), ("", ""));
}
