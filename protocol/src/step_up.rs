//! Step-up authentication (RFC 9470): a resource that wants a better or a newer login says which, and the client comes
//! back with a token of such a one.

use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::subject::Subject;
use serde::{Deserialize, Serialize};

/// What a service wants of the login behind an access token. For our own APIs the server sees to it; others find `acr`
/// and `auth_time` in the token and its introspection (RFC 9470 §6).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct StepUp {
    /// One of these (RFC 9470 §3); empty means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// Seconds since the login; absent means that any will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
}

impl StepUp {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Parameters of the challenge (RFC 9470 §3): all that is wanted, so that one more login is enough.
    fn challenge(&self) -> String {
        let acr_values = Some(self.acr_values.join(" ")).filter(|values| !values.is_empty());
        let acr_values = acr_values.map(|values| format!("acr_values=\"{values}\""));
        let max_age = self.max_age.map(|seconds| format!("max_age=\"{seconds}\""));
        acr_values.into_iter().chain(max_age).collect::<Vec<_>>().join(", ")
    }
}

/// Whether the login of `subject` does for the service that `scope` belongs to.
///
/// # Errors
/// [`Reason::AuthenticationInsufficient`], with the parameters of the challenge as what was expected.
pub fn check(subject: &Subject, scope: &str, cx: &Cx<'_>) -> Result<(), Refusal> {
    let service = cx.scope_document(scope).and_then(|document| cx.catalog.service(&document.service_id));
    let Some(wanted) = service.map(|service| &service.step_up) else { return Ok(()) };
    let acr = subject.acr.as_deref().unwrap_or_default();
    let is_good = wanted.acr_values.is_empty() || wanted.acr_values.iter().any(|value| value == acr);
    let age = cx.now.seconds().saturating_sub(subject.auth_time.seconds());
    let is_new = wanted.max_age.is_none_or(|max_age| age <= max_age);
    if is_good && is_new {
        return Ok(());
    }
    Err(Refusal::new(Reason::AuthenticationInsufficient)
        .received(format!("acr {acr}, a login {age} seconds ago"))
        .expected(wanted.challenge()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;

    #[test]
    fn rfc9470_3_the_challenge_names_all_that_is_wanted() {
        let mut world = World::default();
        let subject = Subject { acr: Some("1".to_owned()), ..world.subject() };
        let mut check = |acr_values: &[&str], max_age: Option<i64>, age: u64| {
            let acr_values = acr_values.iter().map(|value| (*value).to_owned()).collect();
            world.catalog.services[0].step_up = StepUp { acr_values, max_age };
            let now = subject.auth_time.plus(std::time::Duration::from_secs(age));
            let cx = Cx { now, ..world.cx() };
            check(&subject, "openid", &cx).map_err(|refusal| refusal.expected.unwrap())
        };
        assert_eq!(check(&[], None, 1_000_000), Ok(()));
        assert_eq!(check(&["1", "2"], Some(60), 60), Ok(()));
        assert_eq!(check(&[], Some(60), 61), Err("max_age=\"60\"".to_owned()));
        assert_eq!(check(&["2", "3"], None, 0), Err("acr_values=\"2 3\"".to_owned()));
        assert_eq!(check(&["2"], Some(60), 0), Err("acr_values=\"2\", max_age=\"60\"".to_owned()));
    }
}
