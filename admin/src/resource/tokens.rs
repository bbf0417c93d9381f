//! Taking back all that somebody has in a workspace (contract: `revokeTokens`).

use super::Resource;
use super::sessions::workspace;
use crate::failure::Failure;
use crate::members::{self, Problems};
use crate::operation::{Call, Method, Operation, Reply, Running, Shape};
use serde::Deserialize;
use utoipa::ToSchema;

const MOST_SUBJECTS: usize = 100;

pub(super) const TOKENS: Resource = Resource {
    tag: "tokens",
    description: "Tokens, sessions and consents of people.",
    operations: &[Operation {
        request: Some(Shape::of::<RevokeTokens>()),
        success: (204, None),
        errors: &[400, 404, 413, 415, 422],
        ..Operation::new(
            Method::Delete,
            "revokeTokens",
            "/servers/{wid}/tokens",
            "Revoke tokens, sessions and consents of subjects",
            |call| -> Running { Box::pin(async move { revoke(&call).await }) },
        )
    }],
};

/// Who loses what they have.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = RevokeTokenRequest)]
struct RevokeTokens {
    /// `sub` of 1 to 100 people, as their sessions and public clients have it; with `idp_id`, as that identity provider
    /// calls them.
    #[schema(required = true)]
    subjects: Vec<String>,
    /// An identity provider of the workspace.
    #[schema(required = false)]
    idp_id: String,
}

async fn revoke(call: &Call) -> Result<Reply, Failure> {
    let workspace = workspace(call).await?;
    let mut problems = Problems::default();
    let RevokeTokens { subjects, idp_id } = members::read(&call.body)?;
    let local = |subject: String| match idp_id.as_str() {
        "" => Some(subject),
        idp => workspace.subject_at(idp, &subject),
    };
    let known = idp_id.is_empty() || workspace.subject_at(&idp_id, "").is_some();
    problems.require(known, "idp_id", &idp_id, "an identity provider of the workspace");
    let expected = format!("1 to {MOST_SUBJECTS} subjects");
    problems.require((1..=MOST_SUBJECTS).contains(&subjects.len()), "subjects", subjects.len(), &expected);
    problems.into_result()?;
    for subject in subjects.into_iter().filter_map(local) {
        call.office.engine.revoke_subject(&workspace, &subject, &call.around).await?;
    }
    Ok(Reply::no_content())
}
