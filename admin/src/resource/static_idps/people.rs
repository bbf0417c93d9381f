//! The people of a Sandbox provider: as they are sent, checked, and stored with their passwords hashed.

use super::StaticIdpRequest;
use crate::failure::Failure;
use crate::members::Problems;
use crate::operation::Call;
use protocol::id::Uid;
use protocol::idp::{Idp, StaticProfile, StaticUser};
use protocol::json_type::described;
use protocol::standard_claims;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Most people of one provider: their passwords are hashed while the request waits.
const MAX_USERS: usize = 200;
/// Longest password, in bytes.
const MAX_PASSWORD: usize = 256;

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

    /// Whether it says of the person what is known of them; the password does not count.
    fn says_the_same_as(&self, known: &StaticUser) -> bool {
        let kept = Self::kept(known);
        Self { password: self.password.clone(), ..kept } == *self
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

/// The people as sent, and the member that had them.
pub(super) struct People {
    member: &'static str,
    sent: Vec<UserInput>,
}

/// The people of the contract's `credentials.users`, or of `users`. A body that was read has both: the one that was
/// changed counts, and nothing is lost silently when both were.
pub(super) fn people(input: &mut StaticIdpRequest, before: Option<&Idp>, problems: &mut Problems) -> People {
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

pub(super) fn check_people(
    People { member: list, sent }: &People,
    before: Option<&Idp>,
    problems: &mut Problems,
) {
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
        // What stands there already does not keep anybody from changing something else.
        let is_kept = before.iter().flat_map(|idp| &idp.users).any(|known| user.says_the_same_as(known));
        if !is_kept {
            check_claims(&format!("{list}[{index}]"), user, problems);
        }
    }
}

/// Claims that the standard gives a form (OIDC Core §5.1).
fn check_claims(person: &str, user: &UserInput, problems: &mut Problems) {
    let email = Value::from(user.email.as_str());
    let own = [(format!("{person}.email"), "email", &email)].into_iter();
    let maps = [
        ("authentication_context", &user.authentication_context),
        ("additional_attributes", &user.additional_attributes),
    ];
    let in_maps = maps.into_iter().flat_map(|(member, claims)| {
        claims.iter().map(move |(name, value)| (format!("{person}.{member}.{name}"), name.as_str(), value))
    });
    for (member, name, value) in own.chain(in_maps) {
        if let Some(expected) = standard_claims::fault(name, value) {
            problems.add(member, described(value), expected);
        }
    }
}

/// The people with their passwords hashed. Nothing is hashed for a request that is refused anyway.
pub(super) async fn users(
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
