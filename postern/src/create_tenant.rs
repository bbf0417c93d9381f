//! `postern create-tenant`: the first step after `serve` was configured. It makes a tenant with its
//! administration workspace, and one client there whose random secret is shown once.

use anyhow::{bail, ensure};
use engine::{ADMIN_WORKSPACE, Call, Engine, EngineError, NewServer};
use protocol::client::{Client, TokenEndpointAuthMethod};
use protocol::decision::Event;
use protocol::id::{ClientId, ServerId, TenantId, is_valid_chosen_id};
use protocol::record::{DocumentKind, Expect, Write};
use protocol::server::Server;

use crate::cli::CreateTenantArgs;
use crate::config::Config;
use crate::{serve, server, wire};

/// The client that administers the tenant.
const ADMIN_CLIENT: &str = "admin";

/// Makes the tenant and prints how to administer it. Started again after it was cut off, it goes on.
///
/// # Errors
/// The tenant is complete already, or one line that names the setting.
pub(crate) fn run(args: &CreateTenantArgs) -> anyhow::Result<()> {
    let config = Config::read(&args.config)?;
    ensure!(is_valid_chosen_id(&args.id), "{:?}: use letters, digits, and . _ ~ -", args.id);
    let tenant = TenantId::new(&args.id);
    server::runtime()?.block_on(async {
        let store = wire::open_store(&config.store, true).await?;
        let engine = serve::open(&config, store).await?;
        let secret = create(&engine, &tenant, args.name.as_deref().unwrap_or(&args.id)).await?;
        let base = engine.public_url();
        println!("Tenant          {tenant}");
        println!("Admin API       {base}/api/admin/{tenant}");
        println!("Token endpoint  {base}/{tenant}/{ADMIN_WORKSPACE}/oauth2/token");
        println!("Client          {ADMIN_CLIENT}");
        println!("Secret          {secret}");
        println!("The secret is shown this once; only its hash is kept.");
        Ok(())
    })
}

async fn create(engine: &Engine, tenant: &TenantId, name: &str) -> anyhow::Result<String> {
    let admin = ServerId::new(ADMIN_WORKSPACE);
    match engine.create_tenant(tenant, name).await {
        Ok(_) | Err(EngineError::Conflict { .. }) => {}
        Err(error) => bail!(error),
    }
    if engine.document(tenant, DocumentKind::Server, ADMIN_WORKSPACE).await?.is_none() {
        let server = Server {
            id: admin.clone(),
            name: "Administration".to_owned(),
            server_type: "admin".to_owned(),
            ..Server::default()
        };
        engine.create_server(tenant, NewServer { server, users: Vec::new() }, &Call::default()).await?;
    }
    let (secret, hashed_secret) = engine.new_secret();
    let client = Client {
        tenant_id: tenant.clone(),
        authorization_server_id: admin.clone(),
        client_id: ClientId::new(ADMIN_CLIENT),
        client_name: "Administration".to_owned(),
        client_id_issued_at: engine.now().seconds(),
        grant_types: vec!["client_credentials".to_owned()],
        response_types: Vec::new(),
        token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
        hashed_secret: Some(hashed_secret),
        system: true,
        ..Client::default()
    };
    let document = engine.new_document(DocumentKind::Client, ADMIN_CLIENT, Some(admin.as_str()), &client)?;
    let event = Event::new("client", "created").client(&client.client_id);
    let write = Write::PutDocument { document, expect: Expect::Absent };
    match engine.commit(tenant, vec![write], vec![event], Some(&admin), &Call::default()).await {
        Ok(()) => Ok(secret),
        Err(EngineError::Conflict { .. }) => bail!("tenant {tenant} is there already, with its admin client"),
        Err(error) => bail!(error),
    }
}
