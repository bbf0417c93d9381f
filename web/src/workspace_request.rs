//! A request under `/{tid}/{aid}`: read whole, not yet judged.

use crate::answer;
use crate::call::call_of;
use crate::presented::presented_token;
use axum::RequestPartsExt;
use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Path, Request};
use axum::response::Response;
use bytes::Bytes;
use engine::{Call, Engine, Workspace};
use http::request::Parts;
use http::{Method, header};
use protocol::error::{Reason, Refusal};
use protocol::id::{TenantId, is_valid_chosen_id};
use protocol::params::Params;
use protocol::protected_resource::OwnResource;
use protocol::rate_limit::Module;
use protocol::resource_request::ResourceRequest;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

/// Largest body of a form, in bytes. The gate's own limit is the same by default.
const MAX_BODY_BYTES: usize = 256 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A request at an endpoint or page of one workspace.
pub(crate) struct WorkspaceRequest {
    pub(crate) engine: Arc<Engine>,
    /// `tid` and `aid` as the path says; nothing is known of them yet.
    pub(crate) tenant: TenantId,
    pub(crate) server: String,
    /// `cid`, where the path has one.
    pub(crate) client: Option<String>,
    /// `sid`, where the path has one.
    pub(crate) session: Option<String>,
    /// `name`, where the path has one.
    name: Option<String>,
    pub(crate) head: Parts,
    pub(crate) call: Call,
    body: Option<Bytes>,
    /// For the next DPoP proof; set when the workspace is found and gives nonces.
    nonce: OnceLock<String>,
    /// Whether the tenant's limit was asked already.
    counted: OnceLock<()>,
}

/// The names in the path.
#[derive(Default, Deserialize)]
struct Names {
    tid: String,
    /// Absent where the path is the tenant's.
    #[serde(default)]
    aid: String,
    #[serde(default)]
    cid: Option<String>,
    #[serde(default)]
    sid: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl<S> FromRequest<S> for WorkspaceRequest
where
    Arc<Engine>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let (mut head, body) = request.into_parts();
        let path = head.extract::<Path<Names>>().await;
        // A path that is not UTF-8 names no workspace; the empty names find none.
        let names = path.map(|Path(names)| names).unwrap_or_default();
        Ok(Self {
            engine: Arc::from_ref(state),
            tenant: TenantId::new(names.tid),
            server: names.aid,
            client: names.cid,
            session: names.sid,
            name: names.name,
            call: call_of(&head),
            body: to_bytes(body, MAX_BODY_BYTES).await.ok(),
            head,
            nonce: OnceLock::new(),
            counted: OnceLock::new(),
        })
    }
}

impl WorkspaceRequest {
    /// `name` of the path; empty where it has none.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The workspace that the path names, for a program.
    ///
    /// # Errors
    /// [`Reason::UnknownWorkspace`], or the tenant's limit.
    pub(crate) async fn workspace(&self) -> Result<Arc<Workspace>, Refusal> {
        self.workspace_for(Module::Oauth2).await
    }

    /// The workspace that the path names. The first time it is asked for, the request counts as one of the module.
    ///
    /// # Errors
    /// [`Reason::UnknownWorkspace`], or the tenant's limit.
    pub(crate) async fn workspace_for(&self, module: Module) -> Result<Arc<Workspace>, Refusal> {
        let (tenant, server) = self.names()?;
        let workspace = self.engine.workspace(tenant, server).await?.ok_or(Reason::UnknownWorkspace)?;
        if self.counted.set(()).is_ok() {
            self.engine.admit(&workspace, module)?;
        }
        if let Some(nonce) = self.engine.dpop_nonce(&workspace) {
            let _ = self.nonce.set(nonce);
        }
        Ok(workspace)
    }

    /// The same for what the workspace publishes, which goes on while the store does not answer.
    ///
    /// # Errors
    /// [`Reason::UnknownWorkspace`].
    pub(crate) async fn published_workspace(&self) -> Result<Arc<Workspace>, Refusal> {
        let (tenant, server) = self.names()?;
        Ok(self.engine.published_workspace(tenant, server).await?.ok_or(Reason::UnknownWorkspace)?)
    }

    /// What could never be an id is not looked up and not remembered.
    fn names(&self) -> Result<(&str, &str), Refusal> {
        let (tenant, server) = (self.tenant.as_str(), self.server.as_str());
        if !is_valid_chosen_id(tenant) || !is_valid_chosen_id(server) {
            return Err(Reason::UnknownWorkspace.into());
        }
        Ok((tenant, server))
    }

    /// This request as one at a protected resource of the workspace; `own` is the one that has metadata.
    ///
    /// # Errors
    /// Two `Authorization` headers or two proofs.
    pub(crate) fn resource<'a>(
        &'a self,
        workspace: &Workspace,
        own: Option<&OwnResource>,
        token_in_body: Option<&'a str>,
    ) -> Result<ResourceRequest<'a>, Refusal> {
        let path = self.head.uri.path().splitn(4, '/').nth(3).unwrap_or_default();
        Ok(ResourceRequest {
            presented: presented_token(&self.head.headers)?,
            token_in_body,
            method: self.head.method.as_str(),
            url: format!("{}/{path}", workspace.issuer),
            identifier: own.map(|own| own.identifier(&workspace.issuer)),
        })
    }

    /// A good answer, with the nonce for the next DPoP proof where the workspace gives nonces (RFC 9449 §8.2).
    pub(crate) fn with_nonce(&self, mut response: Response) -> Response {
        if let Some(nonce) = self.nonce.get() {
            answer::give_nonce(response.headers_mut(), nonce);
        }
        response
    }

    /// The parameters of a form body, and of nothing else: never of the URL, where they would be logged, and
    /// never of another kind of body (RFC 6749 §3.2; attacks CAU-10, TOK-13, TOK-20, INT-08, INT-13).
    ///
    /// # Errors
    /// Parameters in the query, another content type, a form that is broken or repeats a parameter.
    pub(crate) fn form_only(&self) -> Result<Params, Refusal> {
        if self.head.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Reason::ParametersInQuery.into());
        }
        self.form()
    }

    /// The parameters of a form body; the query is somebody else's. No body at all is a form without parameters:
    /// HTTP clients leave `Content-Type` out of an empty `POST`, and what is missing then is a parameter.
    ///
    /// # Errors
    /// Another content type, a form that is broken or repeats a parameter.
    pub(crate) fn form(&self) -> Result<Params, Refusal> {
        if !self.has_form() && !self.has_nothing() {
            let refusal = Refusal::new(Reason::WrongContentType).expected(FORM);
            return Err(refusal.received(self.content_type().unwrap_or("no Content-Type")));
        }
        Params::parse(self.body.as_deref().ok_or(Reason::BodyTooLarge)?)
    }

    /// The bytes of a JSON body.
    ///
    /// # Errors
    /// Another content type, or too many bytes.
    pub(crate) fn json(&self) -> Result<&[u8], Refusal> {
        let essence = self.content_type().and_then(|line| line.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(JSON) {
            let refusal = Refusal::new(Reason::RegistrationContentType).expected(JSON);
            return Err(refusal.received(self.content_type().unwrap_or("no Content-Type")));
        }
        Ok(self.body.as_deref().ok_or(Reason::BodyTooLarge)?)
    }

    /// The parameters of the query.
    ///
    /// # Errors
    /// A query that is broken or repeats a parameter.
    pub(crate) fn query(&self) -> Result<Params, Refusal> {
        Params::parse(self.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// Whether the body is a form; parameters of the media type (`charset`) say nothing.
    pub(crate) fn has_form(&self) -> bool {
        let essence = self.content_type().and_then(|line| line.split(';').next()).unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(FORM)
    }

    /// Neither a body nor a word about its type.
    fn has_nothing(&self) -> bool {
        !self.head.headers.contains_key(header::CONTENT_TYPE)
            && self.body.as_ref().is_some_and(Bytes::is_empty)
    }

    pub(crate) fn is_post(&self) -> bool {
        self.head.method == Method::POST
    }

    fn content_type(&self) -> Option<&str> {
        self.head.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }
}
