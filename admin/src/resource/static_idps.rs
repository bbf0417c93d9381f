//! Sandbox identity providers (`static`): the people stand in the provider itself (contract §3).

use super::{Resource, Servers};
use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, Place, Plan, load};
use crate::members::Problems;
use crate::operation::{Call, Shape};
use crate::verb::{create, delete, list, read, update};
use people::{UserInput, check_people, people, users};
use protocol::id::{IdpId, ServerId, is_valid_chosen_id};
use protocol::idp::{Idp, StaticProfile, StaticUser};
use protocol::record::{Document, DocumentKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

mod people;

pub(super) const STATIC_IDPS: Resource = Resource {
    tag: "idps",
    description: "Identity providers: where people log in. A Sandbox provider holds its people itself.",
    operations: &[
        list::<StaticIdps>(
            "listIDPs",
            "/servers/{wid}/idps",
            "List identity providers",
            Shape::of::<IdpList>(),
        ),
        create::<StaticIdps>(
            "createStaticIDP",
            "/servers/{wid}/idps/static",
            "Create a Sandbox identity provider",
            Shape::of::<StaticIdpRequest>().with_example(example),
        ),
        read::<StaticIdps>(
            "getStaticIDP",
            "/servers/{wid}/idps/static/{iid}",
            "Read a Sandbox identity provider, without passwords",
        ),
        update::<StaticIdps>(
            "updateStaticIDP",
            "/servers/{wid}/idps/static/{iid}",
            "Replace a Sandbox identity provider; people without a password keep the one they have, and a body without any \
             list of people keeps them all",
            Shape::of::<StaticIdpRequest>().with_example(example),
        ),
        delete::<StaticIdps>("deleteIDP", "/servers/{wid}/idps/{iid}", "Delete an identity provider"),
    ],
};

fn example() -> Value {
    json!({
        "name": "Sandbox",
        "credentials": { "users": [{
            "username": "ada",
            "password": "correct horse battery staple",
            "email": "ada@example.com",
            "email_verified": true,
            "authentication_context": { "name": "Ada Example" },
        }] },
    })
}

/// The people where the contract has them.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = StaticCredentialsRequest)]
pub(crate) struct CredentialsInput {
    users: Option<Vec<UserInput>>,
}

/// A provider as sent.
#[derive(Deserialize, ToSchema)]
pub(crate) struct StaticIdpRequest {
    #[serde(default)]
    id: String,
    #[serde(default)]
    authorization_server_id: String,
    #[schema(required = true)]
    #[serde(default)]
    name: String,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    display_order: i64,
    /// RFC 8176 values of every login here; `["pwd"]` when absent.
    #[serde(default)]
    static_amr: Vec<String>,
    /// A replacement without `credentials.users` and without `users` keeps the people that there are; an empty list
    /// removes them.
    #[serde(default)]
    credentials: CredentialsInput,
    /// The people of `credentials.users`, under their short name. Of a body that was read and has both, the list that
    /// was changed counts.
    users: Option<Vec<UserInput>>,
}

/// A person as answered.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = StaticUser)]
struct UserShown {
    username: String,
    #[serde(flatten)]
    #[schema(inline)]
    profile: StaticProfile,
}

/// The people where the contract has them.
#[derive(Serialize, ToSchema)]
#[schema(as = StaticCredentials)]
struct CredentialsShown {
    users: Vec<UserShown>,
}

/// A provider as answered.
#[derive(Serialize, ToSchema)]
#[schema(as = StaticIDP)]
pub(crate) struct StaticIdpShown {
    #[schema(value_type = String)]
    id: IdpId,
    tenant_id: String,
    #[schema(value_type = String)]
    authorization_server_id: ServerId,
    name: String,
    /// `static`
    method: String,
    disabled: bool,
    hidden: bool,
    display_order: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    static_amr: Vec<String>,
    credentials: CredentialsShown,
    /// The people of `credentials.users` again.
    users: Vec<UserShown>,
}

/// A page of providers.
#[derive(ToSchema)]
#[schema(as = IDPs)]
#[expect(dead_code, reason = "describes the answer of `list`")]
pub(super) struct IdpList {
    idps: Vec<StaticIdpShown>,
}

/// Sandbox providers as a kind of document.
pub(crate) struct StaticIdps;

impl Kind for StaticIdps {
    type Stored = Idp;
    type Shown = StaticIdpShown;
    const KIND: DocumentKind = DocumentKind::Idp;
    const NAME: &'static str = "idp";
    const PLURAL: &'static str = "idps";
    const SEGMENT: &'static str = "iid";

    fn place(idp: &Idp) -> Place<'_> {
        Place {
            id: idp.id.as_str(),
            name: &idp.name,
            type_name: "",
            workspace: idp.authorization_server_id.clone(),
            parent: Some(idp.authorization_server_id.as_str()),
        }
    }

    fn location(idp: &Idp) -> String {
        format!("servers/{}/idps/static/{}", idp.authorization_server_id, idp.id)
    }

    async fn show(idp: Idp, _document: &Document, call: &Call) -> Result<StaticIdpShown, Failure> {
        let shown = |user: StaticUser| UserShown { username: user.username, profile: user.profile };
        let users: Vec<UserShown> = idp.users.into_iter().map(shown).collect();
        Ok(StaticIdpShown {
            id: idp.id,
            tenant_id: call.tenant().to_string(),
            authorization_server_id: idp.authorization_server_id,
            name: idp.name,
            method: idp.method,
            disabled: idp.disabled,
            hidden: idp.hidden,
            display_order: idp.display_order,
            static_amr: idp.static_amr,
            credentials: CredentialsShown { users: users.clone() },
            users,
        })
    }
}

impl Editable for StaticIdps {
    type Input = StaticIdpRequest;
    const READ_ONLY: &'static [&'static str] = &["method"];
    const FIXED: &'static [&'static str] = &["id", "authorization_server_id"];

    async fn plan(
        mut input: StaticIdpRequest,
        before: Option<&Idp>,
        call: &Call,
    ) -> Result<Plan<Idp>, Failure> {
        let mut problems = Problems::default();
        let workspace = call.workspace();
        match load::<Servers>(call, workspace.as_str()).await {
            Err(Failure::Own { why: Why::NotFound, .. }) => {
                return Err(Failure::not_found("server", workspace.as_str()));
            }
            other => drop(other?),
        }
        let named = &input.authorization_server_id;
        let here = named.is_empty() || named == workspace.as_str();
        problems.require(here, "authorization_server_id", named, "the workspace of the path");
        let id = if input.id.is_empty() { call.office.engine.new_id() } else { input.id.clone() };
        check(&id, &input, &mut problems);
        let people = people(&mut input, before, &mut problems);
        check_people(&people, before, &mut problems);
        let users = users(people, before, call, &mut problems).await?;
        let idp = Idp {
            id: IdpId::new(id),
            authorization_server_id: workspace,
            name: input.name,
            method: "static".to_owned(),
            disabled: input.disabled,
            hidden: input.hidden,
            display_order: input.display_order,
            static_amr: input.static_amr,
            users,
        };
        Ok(Plan::new(idp, problems))
    }
}

fn check(id: &str, input: &StaticIdpRequest, problems: &mut Problems) {
    problems.require(is_valid_chosen_id(id), "id", id, "1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
    problems.require(!input.name.trim().is_empty(), "name", "no text", "a name for people");
    problems.distinct("static_amr", &input.static_amr);
}
