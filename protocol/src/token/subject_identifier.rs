//! The `sub` that a client sees (OIDC Core §8).

use crate::client::Client;
use crate::decision::Cx;
use crate::subject::Subject;
use std::fmt::Write as _;

/// Kind of subject identifier, as the claim `st` names it.
pub fn subject_type(client: &Client) -> &'static str {
    if client.subject_type == "pairwise" { "pairwise" } else { "public" }
}

/// `sub` of the person towards `client`: the same for every client, or one per sector (OIDC Core §8.1). The latter is
/// derived with a key of the server, so that clients that compare notes learn nothing.
pub fn subject_identifier(client: &Client, subject: &Subject, cx: &Cx<'_>) -> String {
    if subject_type(client) == "public" {
        return subject.sub.clone();
    }
    let input = format!("{}\n{}\n{}\n{}", cx.tenant, cx.server.id, sector(client), subject.sub);
    let derived = cx.deriver.derive("pairwise subject identifier", &input);
    let mut hex = String::with_capacity(64);
    for byte in derived {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Host of `sector_identifier_uri`, else the one host of the redirect URIs, else the client itself: clients share a
/// sector only if they say so or live on one host (OIDC Core §8.1).
fn sector(client: &Client) -> String {
    let host = |uri: &str| url::Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    if let Some(host) = host(&client.sector_identifier_uri) {
        return host;
    }
    let mut hosts: Vec<_> = client.redirect_uris.iter().map(|uri| host(uri)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts.as_slice() {
        [Some(only)] => only.clone(),
        _ => format!("client {}", client.client_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;

    fn sub(world: &mut World, client: &Client) -> String {
        let subject = world.subject();
        subject_identifier(client, &subject, &world.cx())
    }

    #[test]
    fn oidc_core_8_1_pairwise_is_one_per_sector_and_stable() {
        let mut world = World::default();
        let public = world.confidential();
        let pairwise = Client { subject_type: "pairwise".to_owned(), ..public.clone() };
        let sibling = Client { client_id: "sibling".into(), ..pairwise.clone() };
        let stranger =
            Client { redirect_uris: vec!["https://other.example/cb".to_owned()], ..pairwise.clone() };
        let adopted =
            Client { sector_identifier_uri: "https://app.example/list.json".to_owned(), ..stranger.clone() };
        let scattered = Client {
            redirect_uris: vec!["https://app.example/cb".to_owned(), "https://other.example/cb".to_owned()],
            ..pairwise.clone()
        };
        let own = sub(&mut world, &pairwise);
        assert_eq!(own.len(), 64);
        assert_eq!(sub(&mut world, &public), world.subject().sub);
        assert_eq!(sub(&mut world, &pairwise), own);
        assert_eq!(sub(&mut world, &sibling), own);
        assert_eq!(sub(&mut world, &adopted), own);
        for other in [&public, &stranger, &scattered] {
            assert_ne!(sub(&mut world, other), own);
        }
    }
}
