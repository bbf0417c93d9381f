use super::{ClientAuthMethod, Credential, Presented, Proof, Verdict, check_secret_in_force};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::id::ClientId;
use crate::params::{self, Params};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jose::{SecretString, VerifyingKey};
use zeroize::Zeroizing;

/// Bytes of an `Authorization` value that are looked at.
const MAX_BASIC_BYTES: usize = 8 * 1024;

/// Standard base64; clients leave the padding out often enough.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `client_secret_basic`: id and secret in the `Authorization` header, each form-encoded (RFC 6749 §2.3.1).
///
/// Many clients send the secret as it is (curl, Authlib, most HTTP libraries): so it may also be the very characters
/// of the header. Whoever guesses gains nothing: it is the same secret in either spelling.
pub struct ClientSecretBasic;

impl ClientAuthMethod for ClientSecretBasic {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::ClientSecretBasic
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §2.3.1"
    }

    /// Any `Authorization` header is taken as an attempt to authenticate: one of another scheme is refused rather
    /// than ignored, so that a client never passes as a public one by mistake.
    fn find(&self, presented: &Presented<'_>, _params: &Params) -> Result<Option<Credential>, Refusal> {
        let Some(header) = presented.authorization else { return Ok(None) };
        let (client_id, secrets) = read(header)?;
        Ok(Some(Credential {
            client_id: ClientId::new(client_id),
            method: TokenEndpointAuthMethod::ClientSecretBasic,
            proof: Proof::Secret(secrets),
        }))
    }

    fn check(
        &self,
        _credential: &Credential,
        client: &Client,
        _keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        check_secret_in_force(client, cx.now)
    }
}

/// Id and secret of `Basic base64(form(id) ":" form(secret))`, the secret also as it stands there. Never panics (attack
/// CAU-09).
fn read(header: &str) -> Result<(String, Vec<SecretString>), Refusal> {
    let malformed = |what: &str| {
        Refusal::new(Reason::AuthorizationHeaderMalformed).parameter("Authorization").received(what)
    };
    if header.len() > MAX_BASIC_BYTES {
        return Err(malformed("more than 8 KiB"));
    }
    let (scheme, encoded) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    // RFC 9110 §11.1: schemes are compared without case.
    if !scheme.eq_ignore_ascii_case("basic") {
        let known = ["bearer", "dpop", "digest", "negotiate"];
        let scheme = scheme.to_ascii_lowercase();
        // Only a scheme is shown: a value without scheme may be a secret.
        return Err(malformed(known.into_iter().find(|k| *k == scheme).unwrap_or("another scheme")));
    }
    let decoded = BASE64.decode(encoded.trim()).map(Zeroizing::new).map_err(|_| malformed("not base64"))?;
    let colon = decoded.iter().position(|b| *b == b':').ok_or_else(|| malformed("no colon"))?;
    let (id, secret) = decoded.split_at_checked(colon).unwrap_or_default();
    // RFC 6749 §2.3.1 and appendix B: both halves are form-encoded once (attack CAU-14).
    let id = params::form_decode(id).map_err(|_| malformed("client_id not form-encoded"))?;
    let as_sent = std::str::from_utf8(secret.split_at_checked(1).unwrap_or_default().1)
        .map_err(|_| malformed("secret not UTF-8"))?;
    let mut secrets: Vec<SecretString> = Vec::new();
    secrets.extend(params::form_decode(as_sent.as_bytes()).ok().map(SecretString::new));
    if secrets.iter().all(|secret| secret.expose() != as_sent) {
        secrets.push(SecretString::new(as_sent.to_owned()));
    }
    if id.is_empty() {
        return Err(malformed("empty client_id"));
    }
    Ok((id, secrets))
}
