//! Encryption of what a client is sent: ID tokens and userinfo (OIDC Core §10.2, OIDC Registration §2). The lists here
//! are what may be registered, what discovery shows, and what a request object may be encrypted with.

use crate::client::Client;
use jose::{ContentEncryption, KeyManagement};

/// Ways for the content key to travel. None with a shared secret: secrets are stored as hashes only.
pub const KEY_MANAGEMENT: &[KeyManagement] = KeyManagement::ASYMMETRIC;

pub const CONTENT_ENCRYPTION: &[ContentEncryption] = ContentEncryption::ALL;

/// What counts when a client names `alg` alone (OIDC Registration §2).
const DEFAULT: ContentEncryption = ContentEncryption::A128CbcHs256;

/// How something is encrypted to a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encryption {
    pub alg: KeyManagement,
    pub enc: ContentEncryption,
}

impl Encryption {
    /// Of ID tokens, if the client registered it.
    pub fn of_id_token(client: &Client) -> Option<Self> {
        Self::read(&client.id_token_encrypted_response_alg, &client.id_token_encrypted_response_enc)
    }

    /// Of userinfo, if the client registered it.
    pub fn of_userinfo(client: &Client) -> Option<Self> {
        Self::read(&client.userinfo_encrypted_response_alg, &client.userinfo_encrypted_response_enc)
    }

    fn read(alg: &str, enc: &str) -> Option<Self> {
        let alg = KeyManagement::parse(alg).filter(|alg| KEY_MANAGEMENT.contains(alg))?;
        Some(Self { alg, enc: ContentEncryption::parse(enc).unwrap_or(DEFAULT) })
    }
}

/// A member that cannot be registered so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub member: &'static str,
    pub received: String,
    pub expected: String,
}

/// A pair of members, with their names.
struct Pair<'a> {
    alg: (&'static str, &'a str),
    enc: (&'static str, &'a str),
    /// Whether it is we who encrypt, to a key of the client.
    response: bool,
}

fn pairs(client: &Client) -> [Pair<'_>; 3] {
    [
        Pair {
            alg: ("id_token_encrypted_response_alg", &client.id_token_encrypted_response_alg),
            enc: ("id_token_encrypted_response_enc", &client.id_token_encrypted_response_enc),
            response: true,
        },
        Pair {
            alg: ("userinfo_encrypted_response_alg", &client.userinfo_encrypted_response_alg),
            enc: ("userinfo_encrypted_response_enc", &client.userinfo_encrypted_response_enc),
            response: true,
        },
        // What the client declares that it may use; it may still send others, and plain ones (OIDC Registration §2).
        Pair {
            alg: ("request_object_encryption_alg", &client.request_object_encryption_alg),
            enc: ("request_object_encryption_enc", &client.request_object_encryption_enc),
            response: false,
        },
    ]
}

/// What is wrong with the client's choices: an unknown name, `enc` without `alg` (OIDC Registration §2), or no key
/// that one could encrypt to.
pub fn faults(client: &Client) -> Vec<Fault> {
    pairs(client).iter().filter_map(|pair| fault(pair, client)).collect()
}

fn fault(pair: &Pair<'_>, client: &Client) -> Option<Fault> {
    let ((alg_member, alg_name), (enc_member, enc_name)) = (pair.alg, pair.enc);
    let fault = |member, received: &str, expected: String| {
        Some(Fault { member, received: received.to_owned(), expected })
    };
    let known = KeyManagement::parse(alg_name).filter(|alg| KEY_MANAGEMENT.contains(alg));
    match known {
        None if !alg_name.is_empty() => return fault(alg_member, alg_name, names(KEY_MANAGEMENT)),
        None if !enc_name.is_empty() => {
            return fault(enc_member, enc_name, format!("{alg_member} beside it"));
        }
        _ => {}
    }
    if !enc_name.is_empty() && ContentEncryption::parse(enc_name).is_none() {
        return fault(enc_member, enc_name, names(CONTENT_ENCRYPTION));
    }
    let alg = known.filter(|_| pair.response)?;
    let has_key = match &client.jwks {
        Some(set) => set.encryption_key(alg).is_some(),
        None => !client.jwks_uri.is_empty(),
    };
    if has_key { None } else { fault(alg_member, alg_name, "a key for it in jwks, or jwks_uri".to_owned()) }
}

/// Writes down what counts where a client said nothing (RFC 7591 §3.2.1).
pub fn settle(client: &mut Client) {
    for (alg, enc) in [
        (&client.id_token_encrypted_response_alg, &mut client.id_token_encrypted_response_enc),
        (&client.userinfo_encrypted_response_alg, &mut client.userinfo_encrypted_response_enc),
        (&client.request_object_encryption_alg, &mut client.request_object_encryption_enc),
    ] {
        if !alg.is_empty() && enc.is_empty() {
            DEFAULT.name().clone_into(enc);
        }
    }
}

fn names(algorithms: &[impl ToString]) -> String {
    algorithms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jose::{DecryptionKey, JwkSet};

    fn client(change: impl FnOnce(&mut Client)) -> Client {
        let mut client = Client { jwks_uri: "https://rp.example/jwks".to_owned(), ..Client::default() };
        change(&mut client);
        client
    }

    fn fault_of(change: impl FnOnce(&mut Client)) -> Option<&'static str> {
        faults(&client(change)).first().map(|fault| fault.member)
    }

    #[test]
    fn oidc_registration_2_enc_has_a_default_and_needs_alg() {
        let mut only_alg =
            client(|client| "RSA-OAEP".clone_into(&mut client.id_token_encrypted_response_alg));
        let expected = Encryption { alg: KeyManagement::RsaOaep, enc: ContentEncryption::A128CbcHs256 };
        assert_eq!(Encryption::of_id_token(&only_alg), Some(expected));
        assert_eq!(Encryption::of_userinfo(&only_alg), None);
        assert_eq!(faults(&only_alg), []);
        settle(&mut only_alg);
        assert_eq!(only_alg.id_token_encrypted_response_enc, "A128CBC-HS256");
        assert_eq!(only_alg.userinfo_encrypted_response_enc, "");
        let enc = "userinfo_encrypted_response_enc";
        assert_eq!(
            fault_of(|client| "A256GCM".clone_into(&mut client.userinfo_encrypted_response_enc)),
            Some(enc)
        );
    }

    #[test]
    fn unknown_and_symmetric_names_are_faults() {
        for name in ["RSA1_5", "dir", "A128KW", "PBES2-HS256+A128KW", "none", "rsa-oaep"] {
            let got = fault_of(|client| name.clone_into(&mut client.request_object_encryption_alg));
            assert_eq!(got, Some("request_object_encryption_alg"), "{name}");
        }
        let got = fault_of(|client| {
            "ECDH-ES".clone_into(&mut client.id_token_encrypted_response_alg);
            "A128CBC".clone_into(&mut client.id_token_encrypted_response_enc);
        });
        assert_eq!(got, Some("id_token_encrypted_response_enc"));
    }

    #[test]
    fn one_encrypts_only_to_clients_with_a_key_for_it() {
        let (kid, der) = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
        let key = DecryptionKey::from_pkcs8(KeyManagement::EcdhEs, &kid, &der).unwrap();
        let with = |alg: &str, use_: &str| {
            let mut jwk = key.public_jwk().clone();
            jwk.use_ = Some(use_.to_owned());
            fault_of(|client| {
                client.jwks_uri.clear();
                client.jwks = Some(JwkSet { keys: vec![jwk] });
                alg.clone_into(&mut client.id_token_encrypted_response_alg);
            })
        };
        let member = Some("id_token_encrypted_response_alg");
        assert_eq!(with("ECDH-ES", "enc"), None);
        assert_eq!(with("ECDH-ES", "sig"), member);
        assert_eq!(with("RSA-OAEP-256", "enc"), member);
        let keyless = |client: &mut Client| {
            client.jwks_uri.clear();
            "ECDH-ES".clone_into(&mut client.id_token_encrypted_response_alg);
        };
        assert_eq!(fault_of(keyless), member);
        // A request object is encrypted to a key of ours.
        let ours = |client: &mut Client| {
            client.jwks_uri.clear();
            "ECDH-ES".clone_into(&mut client.request_object_encryption_alg);
        };
        assert_eq!(fault_of(ours), None);
    }
}
