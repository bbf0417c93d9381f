//! View models from what the engine knows.

use crate::pages::ClientView;
use crate::pages::consent::{ConsentWarning, Destination, ResourceView, ScopeView};
use crate::pages::error::DeveloperView;
use engine::Workspace;
use protocol::authorize::VerifiedRedirect;
use protocol::client::Client;
use protocol::client_id_metadata;
use protocol::explain::Explanation;
use protocol::protected_resource::name_of;
use protocol::redirect_uri;
use url::Url;

/// A client as people see it.
pub(crate) fn client(client: &Client) -> ClientView {
    let name = if client.client_name.is_empty() { client.client_id.as_str() } else { &client.client_name };
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ClientView {
        name: name.to_owned(),
        logo_uri: filled(&client.logo_uri),
        client_uri: filled(&client.client_uri),
        policy_uri: filled(&client.policy_uri),
        tos_uri: filled(&client.tos_uri),
    }
}

/// A scope that is asked for, in the words of its document.
pub(crate) fn scope(workspace: &Workspace, name: &str, granted: bool) -> ScopeView {
    let words = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let document = workspace.catalog.scope(name);
    ScopeView {
        name: name.to_owned(),
        display_name: document.and_then(|scope| words(&scope.display_name)),
        description: document.and_then(|scope| words(&scope.description)),
        granted,
    }
}

/// The resources that tokens are to be for (RFC 8707 §2), as a person may know them.
pub(crate) fn resources(workspace: &Workspace, requested: &[String]) -> Vec<ResourceView> {
    let place = (&workspace.tenant, workspace.issuer.as_str());
    let view = |resource: &String| ResourceView {
        name: name_of(resource, &workspace.catalog, place).map(str::to_owned),
        host: host_of(resource),
    };
    requested.iter().map(view).collect()
}

/// Where the answer goes, in words a person can check (attack CNS-10).
pub(crate) fn destination(redirect: &VerifiedRedirect) -> Destination {
    match redirect.destination() {
        Some(redirect_uri::Destination::Loopback { .. }) => {
            Destination::Loopback { port: port_of(redirect.as_str()) }
        }
        Some(redirect_uri::Destination::PrivateUse { scheme }) => {
            Destination::CustomScheme(scheme.to_owned())
        }
        Some(redirect_uri::Destination::Web) | None => Destination::Host(host_of(redirect.as_str())),
    }
}

/// What a person should know before allowing.
pub(crate) fn warnings(client: &Client, destination: &Destination) -> Vec<ConsentWarning> {
    let mut warnings = Vec::new();
    if client_id_metadata::is_url(client.client_id.as_str()) {
        warnings.push(ConsentWarning::MetadataDocument { host: host_of(client.client_id.as_str()) });
    }
    // RFC 8252 §8.6: without a secret any application could answer in its place.
    if client.is_public() && !matches!(destination, Destination::Host(_)) {
        warnings.push(ConsentWarning::NativeApplication);
    }
    warnings
}

/// The developer's view of a refusal; shown in the demonstration only.
pub(crate) fn developer(explanation: &Explanation) -> DeveloperView {
    let named = |value: &str| match &explanation.parameter {
        Some(parameter) => format!("{parameter} = {value}"),
        None => value.to_owned(),
    };
    DeveloperView {
        received: explanation.received.as_deref().map(named),
        expected: explanation.expected.clone(),
        reason: Some(match (&explanation.parameter, &explanation.received) {
            (Some(parameter), None) => format!("{} ({parameter})", explanation.reason),
            _ => explanation.reason.clone(),
        }),
        clause: Some(explanation.clause.clone()),
        fix: Some(explanation.fix.clone()),
    }
}

/// Host and port of a URI; the URI itself where it has none.
pub(crate) fn host_of(uri: &str) -> String {
    let url = Url::parse(uri).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => uri.to_owned(),
    }
}

fn port_of(uri: &str) -> Option<u16> {
    Url::parse(uri).ok()?.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cns_10_the_host_is_named_with_its_port() {
        assert_eq!(host_of("https://app.example/cb?x=1"), "app.example");
        assert_eq!(host_of("https://app.example:8443/cb"), "app.example:8443");
        assert_eq!(host_of("com.example.app:"), "com.example.app:");
    }

    #[test]
    fn a_client_without_a_name_is_called_by_its_id() {
        let nameless = Client { client_id: "c-1".into(), ..Client::default() };
        let view = client(&nameless);
        assert_eq!(view.name, "c-1");
        assert!(view.logo_uri.is_none());
    }
}
