//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use crate::client_lookup::read_client;
use crate::entropy::SystemEntropy;
use crate::throttle::{Admission, Attempt};
use crate::{Call, Engine, EngineError, Workspace, unused_clients};
use jose::SecretString;
use protocol::assertion::SeenJti;
use protocol::client::Client;
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::ClientId;
use protocol::rate_limit::retry_after;
use protocol::record::{Artifact, Document, DocumentKind, Expect, HandleHash, Write};
use protocol::registration::{self, Registrant, RegistrationToken};
use protocol::resource_request::ResourceRequest;
use protocol::single_use::SingleUse;
use serde_json::{Map, Value, json};
use store::Page;

/// Seconds until a full workspace is worth asking again.
const FULL_FOR: u32 = 3600;
/// Scope of an initial access token.
const REGISTER: &str = "dcr_register";

impl Engine {
    /// Registers a client; the JSON body of the answer.
    ///
    /// # Errors
    /// Not enabled, no initial access token where one is required, members that are not allowed, too many clients.
    pub async fn register_client(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        body: &[u8],
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let admitted: Vec<SingleUse> =
            self.may_register(workspace, request, call).await?.into_iter().collect();
        let registrant = if admitted.is_empty() { Registrant::Anybody } else { Registrant::Vouched };
        let members = registration::parse(body)?;
        let mut client = self.described(&members, registrant, workspace)?;
        let mut attempt = Some(self.check_quota(workspace, call).await?);
        if !client.sector_identifier_uri.is_empty() {
            // Strangers name the address: each attempt counts, before we ask there for them.
            if let Some(attempt) = attempt.take() {
                self.commit_counted(workspace, attempt, (&[], Vec::new()), Vec::new(), call).await?;
            }
            self.check_sector(&client).await?;
        }
        client.tenant_id = workspace.tenant.clone();
        client.authorization_server_id = workspace.server.id.clone();
        client.client_id = ClientId::new(self.new_id());
        client.client_id_issued_at = self.now().seconds();
        let mut once = self.give_secret(&mut client)?;
        once.extend(self.give_registration_token(workspace, &mut client));
        let (server, id) = (&workspace.server.id, client.client_id.as_str());
        let document = self.new_document(DocumentKind::Client, id, Some(server.as_str()), &client)?;
        let mark = unused_clients::mark(workspace, &client, &document.uid, self.now());
        let put = Write::PutDocument { document, expect: Expect::Absent };
        let writes: Vec<Write> = mark.into_iter().chain([put]).collect();
        let events = vec![Event::new("client", "registered").client(&client.client_id)];
        match attempt {
            Some(attempt) => {
                self.commit_counted(workspace, attempt, (&admitted, writes), events, call).await?;
            }
            None => self.commit_once(workspace, &admitted, writes, events, call).await?,
        }
        answer(workspace, &client, &members, once)
    }

    /// Reads a registration (RFC 7592 §2.1).
    ///
    /// # Errors
    /// [`Reason::RegistrationTokenInvalid`].
    pub async fn read_registration(
        &self,
        workspace: &Workspace,
        id: &str,
        token: Option<&str>,
    ) -> Result<Vec<u8>, Refusal> {
        let (_, client) = self.registered(workspace, id, token).await?;
        let once =
            Map::from_iter([("registration_access_token".to_owned(), json!(token.unwrap_or_default()))]);
        answer(workspace, &client, &Map::new(), once)
    }

    /// Replaces a registration (RFC 7592 §2.2): what is left out goes back to its default. The id, the status and what
    /// an administrator decided stay (attack DCR-13).
    ///
    /// # Errors
    /// A wrong token, or members that are not allowed.
    pub async fn update_registration(
        &self,
        workspace: &Workspace,
        id: &str,
        token: Option<&str>,
        body: &[u8],
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let (mut document, before) = self.registered(workspace, id, token).await?;
        let members = registration::parse_update(body, id)?;
        let itself = Registrant::Itself(&before);
        let said = self.described(&members, itself, workspace)?;
        self.check_same_secret(&members, &before).await?;
        self.check_sector(&said).await?;
        let mut client = Client {
            tenant_id: before.tenant_id,
            authorization_server_id: before.authorization_server_id,
            client_id: before.client_id,
            client_id_issued_at: before.client_id_issued_at,
            client_status: before.client_status,
            trusted: before.trusted,
            profile: before.profile,
            system: before.system,
            audience: before.audience,
            metadata: before.metadata,
            use_custom_token_ttls: before.use_custom_token_ttls,
            token_ttls: before.token_ttls,
            predecessor_deleted_at: before.predecessor_deleted_at,
            registration_token: before.registration_token,
            ..said
        };
        if client.token_endpoint_auth_method == before.token_endpoint_auth_method {
            client.hashed_secret = before.hashed_secret;
            client.sealed_secret = before.sealed_secret;
            client.hashed_rotated_secrets = before.hashed_rotated_secrets;
            client.client_secret_expires_at = before.client_secret_expires_at;
        }
        let mut once = self.give_secret(&mut client)?;
        if workspace.server.dynamic_client_registration.disable_registration_token_rotation {
            once.insert("registration_access_token".to_owned(), json!(token.unwrap_or_default()));
        } else {
            once.extend(self.give_registration_token(workspace, &mut client));
        }
        document = document.rewritten(&client).map_err(EngineError::from)?;
        document.updated_at = self.now();
        let expect = Expect::Revision(document.revision);
        let event = Event::new("client", "registration_updated").client(&client.client_id);
        let write = Write::PutDocument { document, expect };
        let server = Some(&workspace.server.id);
        self.commit(&workspace.tenant, vec![write], vec![event], server, call).await?;
        answer(workspace, &client, &members, once)
    }

    /// Ends a registration with all its grants (RFC 7592 §2.3).
    ///
    /// # Errors
    /// [`Reason::RegistrationTokenInvalid`].
    pub async fn end_registration(
        &self,
        workspace: &Workspace,
        id: &str,
        token: Option<&str>,
        call: &Call,
    ) -> Result<(), Refusal> {
        let (document, client) = self.registered(workspace, id, token).await?;
        let (server, expect) = (&workspace.server.id, Expect::Revision(document.revision));
        let ended = self.delete_client(&workspace.tenant, server, &client.client_id, expect, call).await;
        Ok(ended?)
    }

    fn described(
        &self,
        members: &Map<String, Value>,
        registrant: Registrant<'_>,
        workspace: &Workspace,
    ) -> Result<Client, Refusal> {
        let (server, catalog) = (&workspace.server, &workspace.catalog);
        registration::client(members, registrant, server, catalog, self.config.fetch.reach())
    }

    /// Whether somebody may register (RFC 7591 §3; attack DCR-02). An initial access token counts once: answers the
    /// write that uses it up.
    async fn may_register(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<Option<SingleUse>, Refusal> {
        let settings = &workspace.server.dynamic_client_registration;
        if !settings.enabled {
            return Err(Reason::RegistrationClosed.into());
        }
        if !settings.initial_access_token.required {
            return Ok(None);
        }
        let (_, token) = request.token()?;
        let (active, client) = self.resource_access(workspace, request, call).await?;
        if !active.scope.contains(REGISTER) {
            return Err(Refusal::new(Reason::ScopeInsufficient).expected(REGISTER));
        }
        let hash = HandleHash::of(&format!("initial access token\n{}\n{token}", workspace.server.uid));
        let used = Artifact::new(hash, active.expires_at, &SeenJti { client: client.client_id.clone() });
        let write = Write::PutArtifact { artifact: used, expect: Expect::Absent };
        Ok(Some(SingleUse { write, replayed: Reason::RegistrationTokenInvalid }))
    }

    /// Neither the workspace nor the address has had its fill (RFC 7591 §5). Answers the attempt, which
    /// counts.
    async fn check_quota(&self, workspace: &Workspace, call: &Call) -> Result<Attempt, Refusal> {
        let settings = &workspace.server.dynamic_client_registration;
        let attempt = match self.registration_attempt(workspace, &call.source).await? {
            Admission::Admitted(attempt) => attempt,
            Admission::Refused { wait } => {
                return Err(Refusal::new(Reason::RegistrationsThrottled).retry_after(retry_after(wait)));
            }
        };
        let parent = Some(workspace.server.id.as_str());
        let page = Page::first(settings.max_clients);
        let clients = self.documents(&workspace.tenant, DocumentKind::Client, parent, &page).await?;
        if clients.len() >= settings.max_clients {
            return Err(Refusal::new(Reason::RegistrationQuota).retry_after(FULL_FOR));
        }
        Ok(attempt)
    }

    /// OIDC Registration §5, through the guarded client (attack DCR-06).
    async fn check_sector(&self, client: &Client) -> Result<(), Refusal> {
        let uri = &client.sector_identifier_uri;
        if uri.is_empty() {
            return Ok(());
        }
        let refusal = Refusal::new(Reason::RegistrationMetadata).parameter("sector_identifier_uri");
        match self.fetch().get_json(uri).await {
            Ok(fetched) if fetched.status == 200 => registration::check_sector(client, &fetched.body),
            Ok(fetched) => Err(refusal
                .received(format!("status {}: {uri}", fetched.status))
                .expected("an address that answers with status 200")),
            Err(error) => Err(error.told_in(refusal, uri)),
        }
    }

    /// An update may repeat the secret, and cannot choose another (RFC 7592 §2.2).
    async fn check_same_secret(&self, members: &Map<String, Value>, client: &Client) -> Result<(), Refusal> {
        let Some(sent) = members.get("client_secret") else { return Ok(()) };
        let secret = SecretString::new(sent.as_str().unwrap_or_default().to_owned());
        if self.hashing.verify_client_secret(&secret, client, self.now()).await? {
            return Ok(());
        }
        Err(Refusal::new(Reason::RegistrationMetadata)
            .parameter("client_secret")
            .expected("the secret that the client has, or none"))
    }

    /// A secret where the method needs one and there is none (attack DCR-16: 256 random bits in base64url).
    fn give_secret(&self, client: &mut Client) -> Result<Map<String, Value>, Refusal> {
        let mut once = Map::new();
        if client.token_endpoint_auth_method.uses_secret() && client.hashed_secret.is_none() {
            let (secret, hash) = self.new_secret();
            client.hashed_secret = Some(hash);
            self.keep_secret(client, &secret)?;
            once.insert("client_secret".to_owned(), json!(secret));
        }
        Ok(once)
    }

    fn give_registration_token(&self, workspace: &Workspace, client: &mut Client) -> Map<String, Value> {
        let mut entropy = SystemEntropy::default();
        let mut cx = workspace.cx(self.now(), &mut entropy);
        let token = cx.handle();
        let life = workspace.server.dynamic_client_registration.registration_access_token_ttl;
        client.registration_token =
            Some(RegistrationToken { hash: token.hash(), expires_at: cx.now.plus(life.0) });
        Map::from_iter([("registration_access_token".to_owned(), json!(token.expose()))])
    }

    /// The client whose registration access token it is. Unknown, inactive, another's or expired: all the same answer
    /// (RFC 7592 §2.1).
    async fn registered(
        &self,
        workspace: &Workspace,
        id: &str,
        token: Option<&str>,
    ) -> Result<(Document, Client), Refusal> {
        if !workspace.server.dynamic_client_registration.enabled {
            return Err(Reason::RegistrationClosed.into());
        }
        let token = token.ok_or(Reason::TokenMissing)?;
        let invalid = || Refusal::new(Reason::RegistrationTokenInvalid);
        let document =
            self.document(&workspace.tenant, DocumentKind::Client, id).await?.ok_or_else(invalid)?;
        let client = read_client(&document)?;
        let is_its_own = client.registration_token.as_ref().is_some_and(|known| {
            jose::constant_time_eq(&known.hash.0, &HandleHash::of(token).0) && self.now() < known.expires_at
        });
        let is_here = client.authorization_server_id == workspace.server.id && client.is_active();
        if is_its_own && is_here { Ok((document, client)) } else { Err(invalid()) }
    }
}

/// The answer about a registration: what is registered, with what the request `said` and what is told `once`.
fn answer(
    workspace: &Workspace,
    client: &Client,
    said: &Map<String, Value>,
    once: Map<String, Value>,
) -> Result<Vec<u8>, Refusal> {
    let mut shown = registration::shown(client, said);
    shown.extend(once);
    let address = format!("{}/oauth2/register/{}", workspace.issuer, client.client_id);
    shown.insert("registration_client_uri".to_owned(), json!(address));
    serde_json::to_vec(&shown).map_err(|_| Reason::Internal.into())
}
