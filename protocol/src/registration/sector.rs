//! The sector of a pairwise client (OIDC Core §8.1, OIDC Registration §5).

use super::metadata;
use crate::client::Client;
use crate::error::Refusal;
use url::Url;

/// A pairwise client whose redirect URIs are on several hosts says by `sector_identifier_uri` which is its sector
/// (OIDC Core §8.1).
pub(super) fn check_one_sector(client: &Client) -> Result<(), Refusal> {
    if client.subject_type != "pairwise" || !client.sector_identifier_uri.is_empty() {
        return Ok(());
    }
    let hosts = client.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok());
    let mut hosts: Vec<_> = hosts.filter_map(|url| url.host_str().map(str::to_owned)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts.len() {
        0 | 1 => Ok(()),
        _ => Err(metadata(
            "sector_identifier_uri",
            "none",
            "one, since the redirect URIs are on several hosts",
        )),
    }
}

/// Whether the document at `sector_identifier_uri` names every redirect URI (OIDC Registration §5;
/// `oidcc-registration-sector-bad`).
///
/// # Errors
/// [`crate::error::Reason::RegistrationMetadata`].
pub fn check_sector(client: &Client, document: &[u8]) -> Result<(), Refusal> {
    let listed: Vec<String> = serde_json::from_slice(document).unwrap_or_default();
    match client.redirect_uris.iter().find(|uri| !listed.contains(uri)) {
        Some(missing) => {
            Err(metadata("sector_identifier_uri", missing, "a JSON array with every redirect URI"))
        }
        None => Ok(()),
    }
}
