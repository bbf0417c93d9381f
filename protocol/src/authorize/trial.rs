//! One authorization request and what it is checked against, for the tests of the checks.

use super::{AuthorizeRefusal, AuthorizeRequest, Envelope, Progress, Step, next_step, validate};
use crate::client::Client;
use crate::consent::Consent;
use crate::error::Reason;
use crate::fixtures::{START, World};
use crate::id::Uid;
use crate::params::Params;
use crate::response_type::ResponseType;
use crate::scope::ScopeSet;
use crate::session::Session;
use crate::unknown_members::UnknownMembers;
use std::time::Duration;

pub(crate) struct Trial {
    pub(crate) world: World,
    pub(crate) client: Client,
    /// Whether the client is found under its id.
    pub(crate) registered: bool,
}

impl Default for Trial {
    /// A confidential client of the world.
    fn default() -> Self {
        let world = World::default();
        let client = world.confidential();
        Self { world, client, registered: true }
    }
}

impl Trial {
    pub(crate) fn public() -> Self {
        let trial = Self::default();
        Self { client: trial.world.public(), ..trial }
    }

    /// A confidential client that may use every response type, in a workspace that allows them.
    pub(crate) fn front_channel() -> Self {
        let mut trial = Self::default();
        trial.world.server.grant_types.push("implicit".to_owned());
        trial.client.grant_types.push("implicit".to_owned());
        trial.client.response_types = ResponseType::ALL.iter().map(|kind| kind.name().to_owned()).collect();
        trial
    }

    /// Parameters that pass, with `changes`; an empty value takes the parameter out.
    pub(crate) fn params(&self, changes: &[(&str, &str)]) -> Params {
        let usual = [
            ("client_id", self.client.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", self.client.redirect_uris.first().map_or("", String::as_str)),
            ("scope", "openid"),
            ("state", "s-1"),
        ];
        let unchanged = usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| name != changed));
        let mut params = Params::default();
        for (name, value) in unchanged.chain(changes) {
            params.push((*name).to_owned(), (*value).to_owned()).unwrap();
        }
        params
    }

    pub(crate) fn run(&mut self, changes: &[(&str, &str)]) -> Result<AuthorizeRequest, AuthorizeRefusal> {
        let params = self.params(changes);
        validate(&params, &Envelope::default(), self.registered.then_some(&self.client), &mut self.world.cx())
    }

    /// The reason of a refusal that the client gets.
    pub(crate) fn refused(&mut self, changes: &[(&str, &str)]) -> Reason {
        match self.run(changes) {
            Err(AuthorizeRefusal::Respond(refusal, target)) => {
                assert_eq!(target.state.as_deref(), Some("s-1"));
                refusal.reason
            }
            other => panic!("not refused at the client: {other:?}"),
        }
    }

    /// The reason of a refusal that the user sees.
    pub(crate) fn page(&mut self, changes: &[(&str, &str)]) -> Reason {
        match self.run(changes) {
            Err(AuthorizeRefusal::Page(refusal)) => refusal.reason,
            other => panic!("no page: {other:?}"),
        }
    }
}

/// A checked request of a browser with a session, and what the user did so far.
pub(crate) struct Visit {
    pub(crate) trial: Trial,
    pub(crate) request: AuthorizeRequest,
    pub(crate) session: Option<Session>,
    pub(crate) consent: Option<Consent>,
    pub(crate) progress: Progress,
}

impl Visit {
    pub(crate) fn new(mut trial: Trial, changes: &[(&str, &str)]) -> Self {
        let request = trial.run(changes).unwrap();
        let session = Session {
            server: trial.world.server.id.clone(),
            server_uid: trial.world.server.uid.clone(),
            idp_uid: Uid::new("idp-uid"),
            subject: trial.world.subject(),
            created_at: START,
            ends_at: START.plus(Duration::from_secs(3600)),
            last_used_at: START,
            ip_address: String::new(),
            user_agent: String::new(),
            unknown: UnknownMembers::default(),
        };
        Self { trial, request, session: Some(session), consent: None, progress: Progress::default() }
    }

    /// With everything consented that is asked for.
    pub(crate) fn consented(changes: &[(&str, &str)]) -> Self {
        let mut visit = Self::new(Trial::default(), changes);
        visit.consent = Some(visit.consent_to(&visit.request.scope));
        visit
    }

    pub(crate) fn consent_to(&self, scope: &ScopeSet) -> Consent {
        Consent {
            server: self.trial.world.server.id.clone(),
            client: self.trial.client.client_id.clone(),
            client_uid: self.trial.client.uid.clone(),
            subject: self.trial.world.subject().sub,
            scopes: scope.iter().map(|name| (name.to_owned(), START)).collect(),
            resources: Default::default(),
        }
    }

    pub(crate) fn log_in(&mut self) {
        let now = self.trial.world.now;
        self.session.as_mut().unwrap().subject.auth_time = now;
        self.progress.logged_in_at = Some(now);
    }

    pub(crate) fn next(&mut self) -> Step {
        let Self { trial, request, session, consent, progress } = self;
        let cx = trial.world.cx();
        next_step(request, &trial.client, session.as_ref(), consent.as_ref(), progress, &cx)
    }

    /// Name of the error that the client gets.
    pub(crate) fn refused(&mut self) -> &'static str {
        match self.next() {
            Step::Refuse(refusal) => refusal.code().name(),
            step => panic!("not refused: {step:?}"),
        }
    }

    /// The scopes that the consent page asks for.
    pub(crate) fn asked(&mut self) -> Option<String> {
        match self.next() {
            Step::Consent { missing } => Some(missing.to_string()),
            Step::Respond => None,
            step => panic!("neither consent nor answer: {step:?}"),
        }
    }
}
