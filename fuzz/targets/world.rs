//! A workspace with three clients, in which requests are tried. Nothing in it is random.

use jose::{Algorithm, DecryptionKey, VerifyingKey, Vouched};
use protocol::client::{Client, TokenEndpointAuthMethod};
use protocol::decision::{Catalog, Cx, Derive, Entropy, Subjects, Vouchers};
use protocol::id::{ServiceId, TenantId};
use protocol::scope::Scope;
use protocol::server::Server;
use protocol::service::Service;
use protocol::subject::Subject;
use protocol::time::Timestamp;
use std::sync::LazyLock;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const ISSUER: &str = "https://as.example/acme/shop";
static NO_KEYS: Vec<DecryptionKey> = Vec::new();
const SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

pub(crate) struct World {
    tenant: TenantId,
    pub(crate) server: Server,
    pub(crate) catalog: Catalog,
    keys: Vec<VerifyingKey>,
    pub(crate) clients: Vec<Client>,
}

/// The usual workspace, and one of each strict kind.
pub(crate) static WORLDS: LazyLock<[World; 3]> = LazyLock::new(|| {
    let grant_types = ["authorization_code", "implicit", "refresh_token", "client_credentials", "password"];
    let more =
        ["urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"];
    let grant_types: Vec<String> = grant_types.into_iter().chain(more).map(str::to_owned).collect();
    let open = Server { grant_types: grant_types.clone(), ..Server::default() };
    let pushed = Server { require_pushed_authorization_requests: true, ..Server::default() };
    let strict =
        Server { profile: "fapi_20_security".parse().expect("a profile"), grant_types, ..Server::default() };
    [World::new(open), World::new(pushed), World::new(strict)]
});

impl World {
    fn new(server: Server) -> Self {
        let scope = |name: &str| Scope {
            id: name.to_owned(),
            authorization_server_id: "shop".into(),
            service_id: ServiceId::new("shop-profile"),
            name: name.to_owned(),
            ..Scope::default()
        };
        let service = Service {
            id: ServiceId::new("shop-profile"),
            authorization_server_id: "shop".into(),
            name: "profile".to_owned(),
            ..Service::default()
        };
        let scopes = SCOPES.into_iter().chain(["orders.read", "account.*"]).map(scope).collect();
        Self {
            tenant: "acme".into(),
            server: Server { id: "shop".into(), tenant_id: "acme".into(), ..server },
            catalog: Catalog {
                host: "as.example".to_owned(),
                services: vec![service],
                scopes,
                management: None,
            },
            keys: Vec::new(),
            clients: clients(),
        }
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.client_id.as_str() == id)
    }

    pub(crate) fn cx<'a>(&'a self, entropy: &'a mut Counter) -> Cx<'a> {
        Cx {
            now: NOW,
            arrived_at: NOW,
            tenant: &self.tenant,
            server: &self.server,
            issuer: ISSUER,
            catalog: &self.catalog,
            keys: &self.keys,
            vouchers: &NoMemory,
            decryption_keys: &NO_KEYS,
            default_alg: Algorithm::ES256,
            subjects: &Nobody,
            entropy,
            deriver: &Hmac,
        }
    }
}

fn clients() -> Vec<Client> {
    let strings = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let web = Client {
        tenant_id: "acme".into(),
        authorization_server_id: "shop".into(),
        client_id: "web".into(),
        grant_types: Server::default()
            .grant_types
            .into_iter()
            .chain(strings(&["implicit", "password"]))
            .collect(),
        response_types: strings(&[
            "code",
            "token",
            "id_token",
            "id_token token",
            "code id_token",
            "code token",
        ]),
        redirect_uris: strings(&["https://app.example/cb", "https://app.example/cb?a=1"]),
        scopes: strings(&SCOPES),
        ..Client::default()
    };
    let public = TokenEndpointAuthMethod::None;
    let spa = Client {
        client_id: "spa".into(),
        token_endpoint_auth_method: public,
        redirect_uris: strings(&["https://spa.example/"]),
        ..web.clone()
    };
    let native = Client {
        client_id: "native".into(),
        token_endpoint_auth_method: public,
        application_type: "native".to_owned(),
        redirect_uris: strings(&["http://127.0.0.1/cb", "com.example.app:/cb"]),
        ..web.clone()
    };
    vec![web, spa, native]
}

/// Entropy that counts.
#[derive(Default)]
pub(crate) struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            let made = jose::sha256(&self.0.to_be_bytes());
            chunk.iter_mut().zip(made).for_each(|(byte, made)| *byte = made);
        }
    }
}

struct NoMemory;

impl Vouchers for NoMemory {
    fn recall(&self, _digest: &[u8; 32]) -> Option<Vouched> {
        None
    }

    fn remember(&self, _proof: Vouched) {}
}

struct Hmac;

impl Derive for Hmac {
    fn derive(&self, label: &str, input: &str) -> [u8; 32] {
        jose::hmac_sha256(b"a key for fuzzing", format!("{label}\0{input}").as_bytes())
    }
}

struct Nobody;

impl Subjects for Nobody {
    fn still_exists(&self, _subject: &Subject) -> bool {
        false
    }

    fn named(&self, _username: &str, _now: Timestamp) -> Option<Subject> {
        None
    }
}
