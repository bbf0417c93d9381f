//! What some grants need beside stored records. A grant says so by [`super::Grant::needs`]; the engine gathers it
//! once, before the grant decides, since it takes a fetch, a slow hash or a second look into the store.

use crate::error::{Reason, Refusal};
use crate::record::Write;
use crate::subject::Subject;
use crate::token::ActiveToken;
use jose::VerifyingKey;

/// One kind of evidence, by the parameter that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// The living access token of this workspace that the parameter holds.
    AccessToken(&'static str),
    /// The client's public keys, with the one that the JWT in the parameter names.
    ClientKeys(&'static str),
    /// The person whose `username` and `password` fit.
    Password,
}

/// A person who proved to be there.
#[derive(Clone, PartialEq, Debug)]
pub struct Person {
    pub subject: Subject,
    /// Belong into the commit of whatever follows.
    pub writes: Vec<Write>,
}

/// What was gathered.
#[derive(Default)]
pub struct Evidence {
    pub access_tokens: Vec<(&'static str, Result<ActiveToken, Refusal>)>,
    pub client_keys: Vec<VerifyingKey>,
    pub person: Option<Result<Person, Refusal>>,
}

impl Evidence {
    /// The access token of a parameter; `None` when the parameter was not sent.
    ///
    /// # Errors
    /// Why the token does not count.
    pub fn access_token(&self, parameter: &str) -> Result<Option<&ActiveToken>, &Refusal> {
        self.access_tokens
            .iter()
            .find(|(name, _)| *name == parameter)
            .map(|(_, token)| token.as_ref())
            .transpose()
    }

    /// The person.
    ///
    /// # Errors
    /// Why the password does not count.
    pub fn person(&self) -> Result<Person, Refusal> {
        self.person.clone().unwrap_or_else(|| Err(Reason::PasswordWrong.into()))
    }
}
