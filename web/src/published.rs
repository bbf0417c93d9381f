//! What a workspace publishes, answered without a way through the router.
//!
//! Discovery and key sets are bytes that lie ready; routing, extracting and boxing cost more than answering. What is not
//! at hand (an unknown workspace, a cache that is due for a look at the store, another method) goes the usual way, which
//! gives the same answer.

use crate::oauth2::discovery::LOCALES;
use crate::{answer, cors};
use axum::response::Response;
use engine::Engine;
use http::Method;

/// What is published, and the template of the route that would have answered.
type Place<'a> = (Document, &'static str, &'a str, &'a str);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Document {
    Discovery,
    KeySet,
}

/// The answer to `GET` of discovery or a key set, with the template of its route.
pub fn published(engine: &Engine, method: &Method, path: &str) -> Option<(&'static str, Response)> {
    let (document, route, tenant, server) = place(path).filter(|_| *method == Method::GET)?;
    let workspace = engine.workspace_at_hand(tenant, server)?;
    let body = match document {
        Document::Discovery => engine.discovery(&workspace, &LOCALES),
        Document::KeySet => engine.jwks(&workspace),
    };
    let mut response = answer::public_json(body);
    cors::make_readable(response.headers_mut());
    Some((route, response))
}

/// The routes of [`crate::router`] that lead to [`crate::oauth2::discovery`] and [`crate::oauth2::jwks`].
fn place(path: &str) -> Option<Place<'_>> {
    use Document::{Discovery, KeySet};
    let mut segments = path.strip_prefix('/')?.split('/');
    let mut next = || segments.next();
    match (next()?, next()?, next()?, next()?, next()) {
        (tid, aid, ".well-known", "openid-configuration", None) => {
            Some((Discovery, "/{tid}/{aid}/.well-known/openid-configuration", tid, aid))
        }
        (tid, aid, ".well-known", "oauth-authorization-server", None) => {
            Some((Discovery, "/{tid}/{aid}/.well-known/oauth-authorization-server", tid, aid))
        }
        (tid, aid, ".well-known", "jwks.json", None) => {
            Some((KeySet, "/{tid}/{aid}/.well-known/jwks.json", tid, aid))
        }
        (".well-known", "openid-configuration", tid, aid, None) => {
            Some((Discovery, "/.well-known/openid-configuration/{tid}/{aid}", tid, aid))
        }
        (".well-known", "oauth-authorization-server", tid, aid, None) => {
            Some((Discovery, "/.well-known/oauth-authorization-server/{tid}/{aid}", tid, aid))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_an_issuer_and_no_other() {
        for (path, document) in [
            ("/t/a/.well-known/openid-configuration", Document::Discovery),
            ("/t/a/.well-known/oauth-authorization-server", Document::Discovery),
            ("/.well-known/openid-configuration/t/a", Document::Discovery),
            ("/.well-known/oauth-authorization-server/t/a", Document::Discovery),
            ("/t/a/.well-known/jwks.json", Document::KeySet),
        ] {
            let (found, route, tenant, server) = place(path).unwrap();
            assert_eq!((found, tenant, server), (document, "t", "a"), "{path}");
            assert_eq!(route.replace("{tid}", "t").replace("{aid}", "a"), path);
        }
        for other in [
            "",
            "/",
            "/t/a",
            "/t/a/.well-known/jwks.json/",
            "/t/a/.well-known/jwks.json/x",
            "//t/a/.well-known/jwks.json",
            "/t/a/.well-known/other",
            "/.well-known/openid-configuration/t",
        ] {
            assert!(place(other).is_none(), "{other}");
        }
    }
}
