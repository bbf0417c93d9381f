//! The sessions of one person: listed, and ended, by that person or by an administrator (contract: `sso/sessions`,
//! `tokens`).

use crate::session::LiveSession;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::consent::Consent;
use protocol::decision::{Derive, Event};
use protocol::error::Refusal;
use protocol::grant_record::GrantRecord;
use protocol::id::SessionId;
use protocol::record::{
    Artifact, ArtifactKind, DocumentKind, Found, GrantSelector, HandleHash, Lookup, Write,
};
use protocol::resource_request::ResourceRequest;
use protocol::session::Session;
use serde::Serialize;
use std::sync::Arc;
use store::{Cursor, MAX_ROWS, Page};

/// Scope that lists them.
const LIST: &str = "view_sessions";
/// Scope that ends one.
const END: &str = "manage_sessions";
/// Scope that takes back all that one has.
const REVOKE: &str = "manage_tokens";
/// Sessions of one person that are shown.
const SHOWN: usize = 100;

/// A session as it is listed.
pub struct KnownSession {
    /// Leads to the row and to nothing else: the cookie cannot be had from it.
    pub id: String,
    pub session: Session,
}

/// A session as its person reads it (contract: `UserSession`).
#[derive(Serialize)]
pub struct UserSession {
    pub id: String,
    /// As applications and audit events name it (claim `sid`).
    pub sid: SessionId,
    #[serde(rename = "type")]
    pub session_type: &'static str,
    pub auth_time: String,
    pub issue_time: String,
    pub active_time: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip_address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
}

impl From<KnownSession> for UserSession {
    fn from(KnownSession { id, session }: KnownSession) -> Self {
        Self {
            id,
            sid: session.subject.sid,
            session_type: "sso",
            auth_time: session.subject.auth_time.rfc3339(),
            issue_time: session.created_at.rfc3339(),
            active_time: session.last_used_at.rfc3339(),
            ip_address: session.ip_address,
            user_agent: session.user_agent,
        }
    }
}

/// What the page of one's own sessions needs.
pub struct SessionsPage {
    /// The one of this browser.
    pub current: String,
    /// The latest used first.
    pub sessions: Vec<KnownSession>,
    /// Anti-forgery value of the form, bound to the session of this browser.
    pub csrf: String,
}

/// How the form of that page is answered.
pub enum SessionsAnswer {
    /// Nobody is logged in here.
    Nobody,
    /// Show the page anew: something was ended elsewhere.
    Again,
    /// The form was not of this session: nothing was ended. Say so, and ask again.
    Outdated(SessionsPage),
    /// The session of this browser is over; what its applications want loaded.
    LoggedOut { front_channel: Vec<String> },
}

impl Engine {
    /// A page of the sessions of one person, by identifier.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn sessions(
        &self,
        workspace: &Workspace,
        sub: &str,
        page: &Page,
    ) -> Result<Vec<KnownSession>, EngineError> {
        let owner = Session::owner(&workspace.server.id, sub);
        let now = self.now();
        let rows = self.store.artifacts(&workspace.tenant, ArtifactKind::Session, &owner, now, page).await?;
        let mut known = Vec::new();
        for row in rows {
            let session: Session = row.payload()?;
            if session.server_uid == workspace.server.uid && !session.is_over(&workspace.server, now) {
                known.push(KnownSession { id: row.hash.key(), session });
            }
        }
        Ok(known)
    }

    /// Ends the session of that identifier, of `sub` if given; whether there was one.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn end_session_by_id(
        self: &Arc<Self>,
        workspace: &Workspace,
        id: &str,
        sub: Option<&str>,
        call: &Call,
    ) -> Result<bool, EngineError> {
        let Some(hash) = HandleHash::from_key(id) else { return Ok(false) };
        let lookup = [Lookup::Artifact(ArtifactKind::Session, hash)];
        let found = self.store.load(&workspace.tenant, &lookup).await?.pop();
        let Some(Found::Artifact(Some(row), _)) = found else { return Ok(false) };
        let live = live(&row)?;
        let is_here =
            live.session.server == workspace.server.id && live.session.server_uid == workspace.server.uid;
        if !is_here || sub.is_some_and(|sub| sub != live.session.subject.sub) {
            return Ok(false);
        }
        self.end(workspace, &live, call).await?;
        Ok(true)
    }

    /// Ends every session of a person but `except`.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn end_sessions_of(
        self: &Arc<Self>,
        workspace: &Workspace,
        sub: &str,
        except: impl Fn(&HandleHash, &Session) -> bool,
        call: &Call,
    ) -> Result<(), EngineError> {
        let owner = Session::owner(&workspace.server.id, sub);
        let mut page = Page::first(MAX_ROWS);
        loop {
            let now = self.now();
            let rows =
                self.store.artifacts(&workspace.tenant, ArtifactKind::Session, &owner, now, &page).await?;
            let Some(last) = rows.last().map(|row| row.hash.key()) else { return Ok(()) };
            for row in rows {
                let live = live(&row)?;
                if !except(&live.hash, &live.session) {
                    self.end(workspace, &live, call).await?;
                }
            }
            page.cursor = Cursor::After(last);
        }
    }

    /// Takes back all that a person has here: sessions, tokens of every kind, and what was allowed to applications
    /// (contract: `revokeTokens`).
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn revoke_subject(
        self: &Arc<Self>,
        workspace: &Workspace,
        sub: &str,
        call: &Call,
    ) -> Result<(), EngineError> {
        self.end_sessions_of(workspace, sub, |_, _| false, call).await?;
        let server = &workspace.server.id;
        let selector = GrantSelector::Subject(server.clone(), sub.to_owned());
        let parent = Consent::parent(server, sub);
        let writes = vec![
            Write::RevokeGrants { selector, at: self.now() },
            Write::DeleteChildren { kind: DocumentKind::Consent, parent },
        ];
        let event = Event::new("token", "revoked").subject(sub).detail("everything of the subject");
        self.commit_decision(workspace, writes, vec![event], call).await
    }

    /// The sessions of the user of an access token.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn own_sessions(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<Vec<UserSession>, Refusal> {
        let (subject, _) = self.user_with_scope(workspace, request, LIST, call).await?;
        let sessions = self.sessions(workspace, &subject.sub, &Page::first(SHOWN)).await?;
        Ok(sessions.into_iter().map(UserSession::from).collect())
    }

    /// Ends a session of the user of an access token; whether there was one.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn end_own_session(
        self: &Arc<Self>,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        id: &str,
        call: &Call,
    ) -> Result<bool, Refusal> {
        let (subject, _) = self.user_with_scope(workspace, request, END, call).await?;
        Ok(self.end_session_by_id(workspace, id, Some(&subject.sub), call).await?)
    }

    /// Takes back the tokens and sessions of the user of an access token; its own and the session that it comes from
    /// stay unless `current` is set (contract: `revokeTokens`).
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn revoke_own_tokens(
        self: &Arc<Self>,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        current: bool,
        call: &Call,
    ) -> Result<(), Refusal> {
        let (subject, grant) = self.user_with_scope(workspace, request, REVOKE, call).await?;
        let kept = Some(grant).filter(|_| !current);
        let is_kept = |session: &Session| {
            kept.as_ref().is_some_and(|kept| kept.session.as_ref() == Some(&session.subject.sid))
        };
        self.end_sessions_of(workspace, &subject.sub, |_, session| is_kept(session), call).await?;
        let selector = GrantSelector::Subject(workspace.server.id.clone(), subject.sub.clone());
        let at = self.now();
        let writes = match &kept {
            None => vec![Write::RevokeGrants { selector, at }],
            Some(kept) => {
                let grants = self.store.grants(&workspace.tenant, &selector, MAX_ROWS).await;
                let others = grants.map_err(EngineError::from)?.into_iter();
                let others = others.filter(|grant: &GrantRecord| {
                    grant.id != kept.id && !kept.body.ancestors.contains(&grant.id)
                });
                others.map(|grant| Write::RevokeGrant { id: grant.id, at }).collect()
            }
        };
        let event = Event::new("token", "revoked").person(&subject).detail("tokens of the user");
        Ok(self.commit_decision(workspace, writes, vec![event], call).await?)
    }

    /// The page of one's own sessions; `None` when nobody is logged in.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn sessions_page(
        &self,
        workspace: &Workspace,
        cookie: Option<&str>,
    ) -> Result<Option<SessionsPage>, EngineError> {
        let Some(live) = self.session(workspace, cookie).await? else { return Ok(None) };
        Ok(Some(self.page_of(workspace, &live).await?))
    }

    async fn page_of(&self, workspace: &Workspace, live: &LiveSession) -> Result<SessionsPage, EngineError> {
        let mut sessions = self.sessions(workspace, &live.session.subject.sub, &Page::first(SHOWN)).await?;
        sessions.sort_by_key(|known| std::cmp::Reverse(known.session.last_used_at));
        Ok(SessionsPage { current: live.hash.key(), sessions, csrf: csrf(workspace, live) })
    }

    /// Answers the form: `end` is the identifier of a session, or `others`. A form without the session's anti-forgery
    /// value ends nothing (CWE-352).
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn sessions_answer(
        self: &Arc<Self>,
        workspace: &Workspace,
        cookie: Option<&str>,
        form: &protocol::params::Params,
        call: &Call,
    ) -> Result<SessionsAnswer, Refusal> {
        let Some(live) = self.session(workspace, cookie).await? else { return Ok(SessionsAnswer::Nobody) };
        let sent = form.get("csrf").unwrap_or_default();
        if !jose::constant_time_eq(sent.as_bytes(), csrf(workspace, &live).as_bytes()) {
            return Ok(SessionsAnswer::Outdated(self.page_of(workspace, &live).await?));
        }
        let sub = live.session.subject.sub.as_str();
        match form.get("end") {
            Some("others") => {
                self.end_sessions_of(workspace, sub, |hash, _| *hash == live.hash, call).await?;
            }
            Some(id) if id == live.hash.key() => {
                let front_channel = self.end(workspace, &live, call).await?;
                return Ok(SessionsAnswer::LoggedOut { front_channel });
            }
            Some(id) => {
                self.end_session_by_id(workspace, id, Some(sub), call).await?;
            }
            None => {}
        }
        Ok(SessionsAnswer::Again)
    }
}

fn live(row: &Artifact) -> Result<LiveSession, EngineError> {
    Ok(LiveSession { session: row.payload()?, hash: row.hash, revision: row.revision })
}

fn csrf(workspace: &Workspace, live: &LiveSession) -> String {
    let session = jose::base64url::encode(&live.hash.0);
    jose::base64url::encode(&workspace.deriver.derive("sessions", &session))
}
