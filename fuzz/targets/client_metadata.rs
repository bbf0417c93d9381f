//! Client metadata from strangers: a client ID metadata document, and the body of a dynamic registration. What is
//! accepted has only redirect URIs that may be registered, only public keys, and is accepted again as it is shown.

use super::world::WORLDS;
use protocol::client::Client;
use protocol::client_id_metadata;
use protocol::redirect_uri::Parts;
use protocol::registration::{self, Registrant};
use protocol::web_uri::Reach;
use serde_json::Value;

const ID: &str = "https://client.example/metadata.json";

pub(super) fn run(data: &[u8]) {
    let world = &WORLDS[0];
    if let Ok(described) = client_id_metadata::read(ID, data) {
        is_harmless(&described);
        assert!(described.hashed_secret.is_none() && described.client_id.as_str() == ID);
        let here = client_id_metadata::in_workspace(&described, &world.server, &world.catalog);
        assert!(here.scopes.iter().all(|scope| world.catalog.scope(scope).is_some()), "{:?}", here.scopes);
    }
    if let Ok(url) = std::str::from_utf8(data)
        && client_id_metadata::check_url(url, &world.server, false).is_ok()
    {
        assert!(url.starts_with("https://") && !url.contains('#') && client_id_metadata::is_url(url));
    }
    let Ok(members) = registration::parse(data) else { return };
    let (server, catalog, reach) = (&world.server, &world.catalog, Reach::default());
    let Ok(client) = registration::client(&members, Registrant::Anybody, server, catalog, reach) else {
        return;
    };
    is_harmless(&client);
    assert!(!client.system && client.hashed_secret.is_none());
    assert!(
        !client.grant_types.iter().any(|name| name == "client_credentials" || name == "password"),
        "DCR-11"
    );
    let shown = registration::shown(&client, &members);
    assert!(shown.values().all(|value| !value.is_null()), "decisions 16");
    // RFC 7592 §2.2: a client may send back what it was told, without what only the server says.
    let again = registration::client(&shown, Registrant::Itself(&client), server, catalog, reach)
        .expect("what was shown is valid");
    let again = Value::Object(registration::shown(&again, &shown));
    assert_eq!(again, Value::Object(shown));
}

fn is_harmless(client: &Client) {
    for uri in &client.redirect_uris {
        assert!(Parts::read(uri).is_ok(), "{uri}");
    }
    for key in client.jwks.iter().flat_map(|set| &set.keys) {
        assert!(!key.is_private() && !key.is_symmetric(), "RFC 7517 §9.2");
    }
}
