//! Workspaces as the console lists them: the same documents as servers, seen from further away.

use super::servers::SERVER_TYPES;
use super::{Resource, Servers};
use crate::failure::Failure;
use crate::kind::{Kind, Place};
use crate::members;
use crate::operation::{Call, Method, Operation, Reply, Running, Shape};
use crate::verb::{amend, list, read};
use protocol::record::{Document, DocumentKind};
use protocol::server::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(super) const WORKSPACES: Resource = Resource {
    tag: "workspaces",
    description: "Workspaces: short views of authorization servers.",
    operations: &[
        list::<Workspaces>("listWorkspaces", "/workspaces", "List workspaces", Shape::of::<WorkspaceList>()),
        read::<Servers>("getWorkspace", "/workspaces/{wid}", "Read a workspace"),
        Operation {
            tagged: true,
            request: Some(Shape::of::<WorkspaceMetadata>()),
            success: (200, Some(Shape::of::<WorkspaceMetadata>())),
            errors: &[400, 404, 412, 413, 415, 422],
            ..Operation::new(
                Method::Put,
                "updateWorkspaceMetadata",
                "/workspaces/{wid}/metadata",
                "Replace a workspace's metadata",
                |call| -> Running { Box::pin(async move { update_metadata(&call).await }) },
            )
        },
    ],
};

/// A workspace in a list.
#[derive(Serialize, ToSchema)]
struct WorkspaceResponse {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    color: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    logo_uri: String,
    #[serde(rename = "type")]
    server_type: String,
    profile: String,
    issuer_url: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

/// A page of workspaces.
#[derive(ToSchema)]
#[schema(as = WorkspacesResponse)]
#[expect(dead_code, reason = "describes the answer of `list`")]
struct WorkspaceList {
    workspaces: Vec<WorkspaceResponse>,
}

/// Free-form values kept with a workspace.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[derive(Default)]
struct WorkspaceMetadata {
    #[schema(value_type = Object)]
    payload: Map<String, Value>,
}

/// Workspaces as a kind of document.
struct Workspaces;

impl Kind for Workspaces {
    type Stored = Server;
    type Shown = WorkspaceResponse;
    const KIND: DocumentKind = DocumentKind::Server;
    const NAME: &'static str = "workspace";
    const PLURAL: &'static str = "workspaces";
    const SEGMENT: &'static str = "wid";
    const TYPES: Option<(&'static str, &'static [&'static str])> = Some(("workspace_types", SERVER_TYPES));

    fn place(server: &Server) -> Place<'_> {
        Servers::place(server)
    }

    async fn show(server: Server, _document: &Document, call: &Call) -> Result<WorkspaceResponse, Failure> {
        Ok(WorkspaceResponse {
            issuer_url: server.issuer(call.office.engine.public_url()),
            id: server.id.to_string(),
            name: server.name,
            description: server.description,
            color: server.color,
            logo_uri: server.logo_uri,
            server_type: server.server_type,
            profile: server.profile.to_string(),
            metadata: server.metadata,
        })
    }
}

async fn update_metadata(call: &Call) -> Result<Reply, Failure> {
    let sent: WorkspaceMetadata = members::read(&call.body)?;
    let replace = |server: &mut Server| {
        server.metadata = sent.payload.clone();
        Ok(())
    };
    let ((), document) = amend::<Servers, _>(call, call.segment("wid"), "metadata_updated", replace).await?;
    Ok(Reply::ok(&sent).tagged(&document))
}
