//! Pushed authorization requests (RFC 9126).
//!
//! A client sends its request to us directly and gets a `request_uri` for the browser. The request is checked whole
//! when it is pushed (attack PAR-12), by the same table as any other, and again when it is opened.

use crate::authorize::interaction::INTERACTION_LIFE;
use crate::authorize::{Envelope, push as validate};
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::id::{ClientId, Uid};
use crate::params::Params;
use crate::profile::Rules;
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Payload, Write};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a pushed request's `request_uri` begins with (RFC 9126 §2.2).
pub const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

const DPOP_JKT: &str = "dpop_jkt";

/// What proves the client at the token endpoint is no part of the request (RFC 9126 §2.1), and secrets are not kept.
const AUTHENTICATION_PARAMETERS: &[&str] = &["client_secret", "client_assertion", "client_assertion_type"];

/// Body of a pushed request's artifact; the handle is the end of the `request_uri`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PushedRequest {
    pub client: ClientId,
    pub client_uid: Uid,
    pub server_uid: Uid,
    /// The request's parameters, encoded.
    pub query: String,
    /// It can be opened until then; the row stays for logins that it began.
    pub expires_at: Timestamp,
}

impl Payload for PushedRequest {
    const KIND: ArtifactKind = ArtifactKind::PushedRequest;
}

/// What a push is answered with (RFC 9126 §2.2).
pub struct PushIssue {
    pub request_uri: String,
    /// Seconds.
    pub expires_in: u64,
}

/// The parameters of a push that are the authorization request.
///
/// # Errors
/// A `request_uri` of a request that was pushed already, or of another's (RFC 9126 §2.1; attack PAR-08).
pub fn request(params: &Params, client: &Client) -> Result<Params, Refusal> {
    if let Some(nested) = params.get("request_uri") {
        return Err(Refusal::new(Reason::RequestUriNested).parameter("request_uri").received(nested));
    }
    let mut request = Params::default();
    // RFC 6749 §3.1: what has no value was not sent.
    let sent = params.iter().filter(|(_, value)| !value.is_empty());
    for (name, value) in sent.filter(|(name, _)| !AUTHENTICATION_PARAMETERS.contains(name)) {
        request.push(name.to_owned(), value.to_owned())?;
    }
    if request.get("client_id").is_none() {
        // A client that authenticated otherwise has said who it is.
        request.push("client_id".to_owned(), client.client_id.as_str().to_owned())?;
    }
    Ok(request)
}

/// Binds a request to the key of the proof that it is pushed with, as `dpop_jkt` would (RFC 9449 §10.1).
///
/// # Errors
/// A `dpop_jkt` of another key.
pub fn bind(request: &mut Params, proven: &Confirmation) -> Result<(), Refusal> {
    let Confirmation::Jkt(jkt) = proven;
    match request.get(DPOP_JKT) {
        None => request.push(DPOP_JKT.to_owned(), jkt.clone()),
        Some(named) if named == jkt => Ok(()),
        Some(named) => Err(Refusal::new(Reason::DpopJktContradicts)
            .parameter(DPOP_JKT)
            .received(named)
            .expected(jkt.as_str())),
    }
}

/// Checks a request that an authenticated client pushes, and keeps it.
pub fn push(request: &Params, envelope: &Envelope, client: &Client, cx: &mut Cx<'_>) -> Decision<PushIssue> {
    if let Err(refusal) = validate(request, envelope, Some(client), cx) {
        let event = Event::new("pushed_request", "refused").client(&client.client_id).reason(&refusal);
        return Decision::refuse(refusal).and_event(event);
    }
    let handle = cx.handle();
    let rules = Rules::of(cx.server, client);
    let life = rules.pushed_request_ttl(cx.server.pushed_authorization_request_ttl).0;
    let pushed = PushedRequest {
        client: client.client_id.clone(),
        client_uid: client.uid.clone(),
        server_uid: cx.server.uid.clone(),
        query: request.to_query(),
        expires_at: cx.now.plus(life),
    };
    let swept_at = pushed.expires_at.plus(INTERACTION_LIFE);
    let artifact = Artifact::new(handle.hash(), swept_at, &pushed);
    let issue = PushIssue {
        request_uri: format!("{REQUEST_URI_PREFIX}{}", handle.expose()),
        expires_in: life.as_secs(),
    };
    Decision::reply(issue)
        .and_write(Write::PutArtifact { artifact, expect: Expect::Absent })
        .and_event(Event::new("pushed_request", "issued").client(&client.client_id))
}

/// Where the request behind a `request_uri` is kept; `None` if the URI is not one of ours.
pub fn reference(request_uri: &str) -> Option<HandleHash> {
    request_uri.strip_prefix(REQUEST_URI_PREFIX).map(HandleHash::of)
}

/// The parameters that a `request_uri` stands for: exactly those that were pushed, whatever the browser sends beside
/// it (RFC 9126 §4; attack PAR-05).
///
/// # Errors
/// There is none of that handle, or it is another client's (attack PAR-07), or its time is over (attack PAR-15).
pub fn open(artifact: Option<&Artifact>, client: &Client, cx: &Cx<'_>) -> Result<Params, Refusal> {
    let refuse = |reason: Reason| Refusal::new(reason).parameter("request_uri");
    let artifact = artifact.ok_or_else(|| refuse(Reason::RequestUriUnknown))?;
    let pushed: PushedRequest =
        artifact.payload().map_err(|row| Refusal::new(Reason::Internal).received(row.to_string()))?;
    if pushed.server_uid != cx.server.uid {
        return Err(refuse(Reason::RequestUriUnknown));
    }
    if pushed.client != client.client_id || pushed.client_uid != client.uid {
        return Err(refuse(Reason::RequestUriOfOtherClient));
    }
    if cx.now >= pushed.expires_at {
        return Err(refuse(Reason::RequestUriExpired));
    }
    Params::parse(pushed.query.as_bytes())
}

/// The write that uses a pushed request up, with its answer (RFC 9126 §7.3; attack PAR-02): whoever comes first.
pub fn used(reference: HandleHash) -> Write {
    // It is written once and never changed.
    let expect = Expect::Revision(1);
    Write::DeleteArtifact { kind: ArtifactKind::PushedRequest, hash: reference, expect }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::trial::Trial;
    use std::time::Duration;

    fn pushed(trial: &mut Trial, changes: &[(&str, &str)]) -> Result<(String, Artifact), Reason> {
        let params = request(&trial.params(changes), &trial.client).map_err(|refusal| refusal.reason)?;
        let decision = push(&params, &Envelope::default(), &trial.client, &mut trial.world.cx());
        assert_eq!(decision.events.len(), 1);
        let issue = decision.reply.map_err(|refusal| refusal.reason)?;
        assert_eq!(issue.expires_in, 60);
        match decision.writes.as_slice() {
            [Write::PutArtifact { artifact, expect: Expect::Absent }] => {
                Ok((issue.request_uri, artifact.clone()))
            }
            _ => panic!("one write"),
        }
    }

    fn opened(trial: &mut Trial, artifact: &Artifact) -> Result<String, Reason> {
        open(Some(artifact), &trial.client, &trial.world.cx())
            .map(|params| params.to_query())
            .map_err(|refusal| refusal.reason)
    }

    #[test]
    fn par_10_the_handle_is_long_random_and_stored_as_a_hash() {
        let mut trial = Trial::default();
        let (uri, artifact) = pushed(&mut trial, &[]).unwrap();
        let handle = uri.strip_prefix(REQUEST_URI_PREFIX).unwrap();
        assert_eq!(handle.len(), 43);
        assert_eq!(reference(&uri), Some(artifact.hash));
        assert!(!artifact.body.contains(handle));
        assert_ne!(pushed(&mut trial, &[]).unwrap().0, uri);
        assert_eq!(reference("https://app.example/request.jwt"), None);
    }

    #[test]
    fn par_12_everything_is_checked_when_it_is_pushed() {
        let mut trial = Trial::default();
        for (change, reason) in [
            (("redirect_uri", "https://evil.example/"), Reason::RedirectUriNotRegistered),
            (("response_type", "code id_token"), Reason::ResponseTypeUnsupported),
            (("scope", "openid unheard_of"), Reason::ScopeNotAllowed),
            (("code_challenge_method", "plain"), Reason::CodeChallengeMethodAlone),
            (("prompt", "none login"), Reason::PromptInvalid),
            (("request_uri", "urn:ietf:params:oauth:request_uri:x"), Reason::RequestUriNested),
        ] {
            assert_eq!(pushed(&mut trial, &[change]).unwrap_err(), reason, "{change:?}");
        }
    }

    #[test]
    fn w_01_no_proof_of_the_client_is_kept() {
        let mut trial = Trial::default();
        let proofs = [("client_secret", "s3cret"), ("client_assertion", "a.b.c"), ("client_id", "")];
        let (_, artifact) = pushed(&mut trial, &proofs).unwrap();
        assert!(!artifact.body.contains("s3cret") && !artifact.body.contains("a.b.c"));
        assert!(opened(&mut trial, &artifact).unwrap().contains("client_id=web"));
    }

    #[test]
    fn par_07_par_15_only_its_client_and_only_for_a_minute() {
        let mut trial = Trial::default();
        let (_, artifact) = pushed(&mut trial, &[]).unwrap();
        assert!(opened(&mut trial, &artifact).is_ok());
        let mut other = Trial::public();
        assert_eq!(opened(&mut other, &artifact), Err(Reason::RequestUriOfOtherClient));
        trial.world.server.uid = "another-incarnation".into();
        assert_eq!(opened(&mut trial, &artifact), Err(Reason::RequestUriUnknown));
        let mut late = Trial::default();
        late.world.now = late.world.now.plus(Duration::from_secs(60));
        assert_eq!(opened(&mut late, &artifact), Err(Reason::RequestUriExpired));
    }
}
