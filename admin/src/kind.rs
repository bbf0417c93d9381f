//! A kind of document that the management API keeps: what its resource file has to say about it.

use crate::failure::Failure;
use crate::members::Problems;
use crate::operation::Call;
use engine::{Cursor, EngineError, Page, readable};
use protocol::decision::Event;
use protocol::id::ServerId;
use protocol::record::{Document, DocumentKind, Expect, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::future::Future;
use utoipa::ToSchema;

/// Documents that can be read.
pub(crate) trait Kind: Send + Sync + 'static {
    /// As stored.
    type Stored: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync;
    /// As answered.
    type Shown: Serialize + ToSchema + Send;
    const KIND: DocumentKind;
    /// `client`: subject of events, and part of `after_client_id`.
    const NAME: &'static str;
    /// `clients`: the member of a list, and the segment of the path.
    const PLURAL: &'static str;
    /// `cid`: the identifier's name in paths.
    const SEGMENT: &'static str;
    /// `server_types`: the query parameter that keeps some types in a list, with the types there are.
    const TYPES: Option<(&'static str, &'static [&'static str])> = None;

    /// Identifier, display name and workspace.
    fn place(stored: &Self::Stored) -> Place<'_>;

    /// Where it is read, after `/api/admin/{tid}/`.
    fn location(stored: &Self::Stored) -> String {
        format!("{}/{}", Self::PLURAL, Self::place(stored).id)
    }

    /// The document as answered: without secrets, with computed members.
    fn show(
        stored: Self::Stored,
        document: &Document,
        call: &Call,
    ) -> impl Future<Output = Result<Self::Shown, Failure>> + Send;
}

/// Documents that can be created, replaced and deleted.
pub(crate) trait Editable: Kind {
    /// As sent.
    type Input: DeserializeOwned + ToSchema + Send;
    /// Members that only the server sets (decisions 14).
    const READ_ONLY: &'static [&'static str];
    /// Members that stay as they were created.
    const FIXED: &'static [&'static str];
    /// Whether something beside the identifier must be unique, so that changes go one after the other.
    const UNIQUE: bool = false;

    /// The document that `input` asks for, with everything that is wrong with it. `before` is what it replaces.
    fn plan(
        input: Self::Input,
        before: Option<&Self::Stored>,
        call: &Call,
    ) -> impl Future<Output = Result<Plan<Self::Stored>, Failure>> + Send;

    /// Stores a new document. A conflict means that its identifier is taken.
    fn create(
        stored: &Self::Stored,
        event: Event,
        call: &Call,
    ) -> impl Future<Output = Result<(), EngineError>> + Send {
        async move {
            let document = document::<Self>(stored, call)?;
            let write = Write::PutDocument { document, expect: Expect::Absent };
            let server = Self::place(stored).workspace;
            call.office
                .engine
                .commit(call.tenant(), vec![write], vec![event], Some(&server), &call.around)
                .await
        }
    }

    /// Whether the server can do without it.
    fn is_removable(_stored: &Self::Stored) -> bool {
        true
    }

    /// Deletes a document of exactly this revision, with all that hangs on it.
    fn delete(
        stored: &Self::Stored,
        document: &Document,
        event: Event,
        call: &Call,
    ) -> impl Future<Output = Result<(), EngineError>> + Send {
        async move {
            let expect = Expect::Revision(document.revision);
            let write = Write::DeleteDocument { kind: Self::KIND, id: document.id.clone(), expect };
            let server = Self::place(stored).workspace;
            call.office
                .engine
                .commit(call.tenant(), vec![write], vec![event], Some(&server), &call.around)
                .await
        }
    }
}

/// Where a document stands.
pub(crate) struct Place<'a> {
    pub(crate) id: &'a str,
    /// What a search looks at beside the identifier.
    pub(crate) name: &'a str,
    pub(crate) workspace: ServerId,
    /// One of the kind's types; empty for kinds without.
    pub(crate) type_name: &'a str,
    /// What it is listed under.
    pub(crate) parent: Option<&'a str>,
}

/// A document to be stored, if nothing is wrong with it.
pub(crate) struct Plan<S> {
    pub(crate) stored: S,
    pub(crate) problems: Problems,
    /// Members of this answer only: a secret is shown once (attack ADM-22).
    pub(crate) once: Map<String, Value>,
}

impl<S> Plan<S> {
    pub(crate) fn new(stored: S, problems: Problems) -> Self {
        Self { stored, problems, once: Map::new() }
    }
}

/// A document that was read.
pub(crate) async fn load<K: Kind + ?Sized>(call: &Call, id: &str) -> Result<(Document, K::Stored), Failure> {
    let found = call.office.engine.document(call.tenant(), K::KIND, id).await?;
    let document = found.ok_or_else(|| Failure::not_found(K::NAME, id))?;
    let stored = document.read()?;
    Ok((document, stored))
}

/// The document that the path names. A path that names a workspace too shows nothing of another one.
pub(crate) async fn load_here<K: Kind + ?Sized>(call: &Call) -> Result<(Document, K::Stored), Failure> {
    let id = call.segment(K::SEGMENT);
    let (document, stored) = load::<K>(call, id).await?;
    let named = call.path.contains_key("wid") && K::SEGMENT != "wid";
    if named && K::place(&stored).workspace != call.workspace() {
        return Err(Failure::not_found(K::NAME, id));
    }
    Ok((document, stored))
}

/// Every document of a kind under a parent.
pub(crate) async fn all<K: Kind>(call: &Call, parent: Option<&str>) -> Result<Vec<K::Stored>, Failure> {
    let rows = rows(call, K::KIND, parent).await?;
    Ok(readable(rows).into_iter().map(|(_, stored)| stored).collect())
}

/// Every row of a kind under a parent, page by page.
pub(crate) async fn rows(
    call: &Call,
    kind: DocumentKind,
    parent: Option<&str>,
) -> Result<Vec<Document>, EngineError> {
    let mut page = Page::first(1000);
    let mut all = Vec::new();
    loop {
        let documents = call.office.engine.documents(call.tenant(), kind, parent, &page).await?;
        let last =
            documents.last().map(|document| document.id.clone()).filter(|_| documents.len() == page.limit);
        all.extend(documents);
        match last {
            Some(id) => page.cursor = Cursor::After(id),
            None => return Ok(all),
        }
    }
}

/// `stored` as a row; the store keeps incarnation and creation of one that it replaces.
pub(crate) fn document<K: Kind + ?Sized>(stored: &K::Stored, call: &Call) -> Result<Document, EngineError> {
    let place = K::place(stored);
    call.office.engine.new_document(K::KIND, place.id, place.parent, stored)
}
