//! One authorization request and what it is checked against, for the tests of the checks.

use super::{AuthorizeRefusal, AuthorizeRequest, validate};
use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::World;
use crate::params::Params;

pub(super) struct Trial {
    pub(super) world: World,
    pub(super) client: Client,
    /// Whether the client is found under its id.
    pub(super) registered: bool,
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
    pub(super) fn public() -> Self {
        let trial = Self::default();
        Self { client: trial.world.public(), ..trial }
    }

    /// Parameters that pass, with `changes`; an empty value takes the parameter out.
    pub(super) fn params(&self, changes: &[(&str, &str)]) -> Params {
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

    pub(super) fn run(&mut self, changes: &[(&str, &str)]) -> Result<AuthorizeRequest, AuthorizeRefusal> {
        let params = self.params(changes);
        validate(&params, self.registered.then_some(&self.client), &mut self.world.cx())
    }

    /// The reason of a refusal that the client gets.
    pub(super) fn refused(&mut self, changes: &[(&str, &str)]) -> Reason {
        match self.run(changes) {
            Err(AuthorizeRefusal::Respond(refusal, target)) => {
                assert_eq!(target.state.as_deref(), Some("s-1"));
                refusal.reason
            }
            other => panic!("not refused at the client: {other:?}"),
        }
    }

    /// The reason of a refusal that the user sees.
    pub(super) fn page(&mut self, changes: &[(&str, &str)]) -> Reason {
        match self.run(changes) {
            Err(AuthorizeRefusal::Page(refusal)) => refusal.reason,
            other => panic!("no page: {other:?}"),
        }
    }
}
