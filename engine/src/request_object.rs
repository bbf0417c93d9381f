//! Request objects (OIDC Core §6, RFC 9101): finds the object and its client's keys, and has the rules open it.

use crate::entropy::SystemEntropy;
use crate::{Engine, Workspace};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::jar::{self, Source};
use protocol::params::Params;

/// What an object by reference is asked for as (RFC 9101 §5.2.3, OIDC Core §6.2).
const ACCEPT: &str = "application/oauth-authz-req+jwt, application/jwt;q=0.9, */*;q=0.1";

/// Largest object that is read.
const MAX_OBJECT_BYTES: usize = jose::MAX_JWT_BYTES;

impl Engine {
    /// The parameters of a request with an object; `None` if it has none.
    ///
    /// # Errors
    /// Why the object does not count.
    pub(crate) async fn open_request_object(
        &self,
        workspace: &Workspace,
        beside: &Params,
        pushed: bool,
        client: &Client,
    ) -> Result<Option<Params>, Refusal> {
        let (object, unsupported) = match jar::source(beside, client)? {
            None => return Ok(None),
            Some(Source::Value(object)) => (object.to_owned(), Reason::RequestObjectUnsupported),
            Some(Source::Reference(address)) => {
                (self.fetch_request_object(address, client).await?, Reason::RequestUriUnsupported)
            }
        };
        let object = jar::decrypt(object, &workspace.cx(self.now(), &mut SystemEntropy::default()))?;
        let keys = self.client_keys(client, jar::kid(&object).as_deref()).await;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        jar::open(&object, beside, pushed, client, &keys, &cx).map(Some).map_err(|refusal| {
            // The error names the parameter that brought the object (OIDC Core §3.1.2.6).
            match refusal.reason {
                Reason::RequestObjectUnsupported => Refusal { reason: unsupported, ..refusal },
                _ => refusal,
            }
        })
    }

    /// Fetches an object from an address that its client registered, through the guarded client. What is there may
    /// change with every request, so nothing is kept.
    async fn fetch_request_object(&self, address: &str, client: &Client) -> Result<String, Refusal> {
        let refusal = |why: &str| {
            tracing::warn!(client = %client.client_id, %why, "no request object at the registered request_uri");
            Refusal::new(Reason::RequestUriUnreachable).parameter("request_uri")
        };
        let unusable = |why: &str| refusal(why).received(format!("{why}: {address}"));
        let fetched = self.fetch().get(address, ACCEPT).await;
        let fetched = fetched.map_err(|error| error.told_in(refusal(&error.to_string()), address))?;
        if fetched.status != 200 {
            return Err(unusable(&format!("status {}", fetched.status)).expected("status 200"));
        }
        if fetched.body.len() > MAX_OBJECT_BYTES {
            let expected = format!("at most {MAX_OBJECT_BYTES} bytes");
            return Err(unusable(&format!("{} bytes", fetched.body.len())).expected(expected));
        }
        let text = std::str::from_utf8(&fetched.body)
            .map_err(|_| unusable("an answer that is not text").expected("a compact JWS"))?;
        Ok(text.trim().to_owned())
    }
}
