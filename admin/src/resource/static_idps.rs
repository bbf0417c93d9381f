//! Sandbox identity providers (`static`): the people stand in the provider itself (contract §3).

use super::{Resource, Servers};
use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, Place, Plan, load};
use crate::members::Problems;
use crate::operation::{Call, Shape};
use crate::verb::{create, delete, list, read, update};
use protocol::id::{IdpId, ServerId, Uid, is_valid_chosen_id};
use protocol::idp::{Idp, StaticProfile, StaticUser};
use protocol::record::{Document, DocumentKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

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

/// Most people of one provider: their passwords are hashed while the request waits.
const MAX_USERS: usize = 200;
/// Longest password, in bytes.
const MAX_PASSWORD: usize = 256;

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

/// A person as sent.
#[derive(PartialEq, Deserialize, ToSchema)]
#[schema(as = StaticUserRequest)]
pub(crate) struct UserInput {
    #[schema(required = true)]
    #[serde(default)]
    username: String,
    /// Never answered. Without one a person keeps the password that there is.
    #[schema(format = Password)]
    #[serde(default)]
    password: String,
    /// Claims by name (OIDC Core §5.1).
    #[schema(value_type = Object)]
    #[serde(default)]
    authentication_context: Map<String, Value>,
    /// Further claims by name; where both have one, that of `authentication_context` counts.
    #[schema(value_type = Object)]
    #[serde(default)]
    additional_attributes: Map<String, Value>,
    /// The claim `email`, before one of that name in `authentication_context`; and so are those below.
    #[serde(default)]
    email: String,
    email_verified: Option<bool>,
    #[serde(default)]
    phone_number: String,
    phone_number_verified: Option<bool>,
}

impl UserInput {
    /// A person as there is already, who keeps the password.
    fn kept(user: &StaticUser) -> Self {
        let profile = user.profile.clone();
        Self {
            username: user.username.clone(),
            password: String::new(),
            authentication_context: profile.authentication_context,
            additional_attributes: profile.additional_attributes,
            email: profile.email,
            email_verified: profile.email_verified,
            phone_number: profile.phone_number,
            phone_number_verified: profile.phone_number_verified,
        }
    }

    fn into_user(self, password_hash: String, uid: Option<Uid>) -> StaticUser {
        let profile = StaticProfile {
            authentication_context: self.authentication_context,
            additional_attributes: self.additional_attributes,
            email: self.email,
            email_verified: self.email_verified,
            phone_number: self.phone_number,
            phone_number_verified: self.phone_number_verified,
        };
        StaticUser { username: self.username, password_hash, uid, profile }
    }
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
        check_people(&people, &mut problems);
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

/// The people as sent, and the member that had them.
struct People {
    member: &'static str,
    sent: Vec<UserInput>,
}

/// The people of the contract's `credentials.users`, or of `users`. A body that was read has both: the one that was
/// changed counts, and nothing is lost silently when both were.
fn people(input: &mut StaticIdpRequest, before: Option<&Idp>, problems: &mut Problems) -> People {
    let in_credentials = |sent| People { member: "credentials.users", sent };
    let on_top = |sent| People { member: "users", sent };
    match (input.credentials.users.take(), input.users.take()) {
        (Some(credentials), None) => in_credentials(credentials),
        (Some(credentials), Some(users)) if is_as_read(&users, before) => in_credentials(credentials),
        (Some(credentials), Some(users)) => {
            let agree = credentials == users || is_as_read(&credentials, before);
            let expected = "the people of users, or one of the two members alone";
            problems.require(agree, "credentials.users", "other people", expected);
            on_top(users)
        }
        (None, Some(users)) => on_top(users),
        // Passwords are no part of what is read, so that a body without people can only mean that they stay.
        (None, None) => on_top(before.iter().flat_map(|idp| &idp.users).map(UserInput::kept).collect()),
    }
}

/// Whether the people are sent as they are answered.
fn is_as_read(sent: &[UserInput], before: Option<&Idp>) -> bool {
    let known = before.map(|idp| idp.users.as_slice()).unwrap_or_default();
    let same = |(sent, known): (&UserInput, &StaticUser)| *sent == UserInput::kept(known);
    sent.len() == known.len() && sent.iter().zip(known).all(same)
}

fn check_people(People { member: list, sent }: &People, problems: &mut Problems) {
    let count = sent.len();
    problems.require(count <= MAX_USERS, list, format_args!("{count} people"), "at most 200 people");
    let names: Vec<String> = sent.iter().map(|user| user.username.clone()).collect();
    problems.distinct(list, &names);
    for (index, user) in sent.iter().enumerate() {
        let name = user.username.trim();
        let member = format!("{list}[{index}].username");
        problems.require(
            !name.is_empty() && name == user.username,
            &member,
            &user.username,
            "a name without blanks around",
        );
        let length = user.password.len();
        let member = format!("{list}[{index}].password");
        problems.require(
            length <= MAX_PASSWORD,
            &member,
            format_args!("{length} bytes"),
            "at most 256 bytes",
        );
    }
}

/// The people with their passwords hashed. Nothing is hashed for a request that is refused anyway.
async fn users(
    People { member: list, sent }: People,
    before: Option<&Idp>,
    call: &Call,
    problems: &mut Problems,
) -> Result<Vec<StaticUser>, Failure> {
    let known = |name: &str| before.and_then(|idp| idp.users.iter().find(|user| user.username == name));
    for (index, user) in sent.iter().enumerate() {
        let has_one = !user.password.is_empty() || known(&user.username).is_some();
        let member = format!("{list}[{index}].password");
        problems.require(has_one, &member, "nothing", "a password: this person has none yet");
    }
    if !problems.is_empty() {
        return Ok(Vec::new());
    }
    let mut users = Vec::with_capacity(sent.len());
    for user in sent {
        let password_hash = password_hash(&user, known(&user.username), call).await?;
        let uid = match (known(&user.username), before) {
            (Some(known), _) => known.uid.clone(),
            // Somebody of the name may have been here before.
            (None, Some(_)) => Some(call.office.engine.new_uid()),
            (None, None) => None,
        };
        users.push(user.into_user(password_hash, uid));
    }
    Ok(users)
}

/// A new hash only for a new password: another hash ends every session and token of the person (attack W-10).
async fn password_hash(sent: &UserInput, known: Option<&StaticUser>, call: &Call) -> Result<String, Failure> {
    let engine = &call.office.engine;
    if let Some(StaticUser { password_hash, .. }) = known
        && (sent.password.is_empty() || engine.fits_chosen_secret(&sent.password, password_hash).await?)
    {
        return Ok(password_hash.clone());
    }
    Ok(engine.hash_chosen_secret(&sent.password).await?.0)
}
