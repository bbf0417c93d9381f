//! The operations, and a connection that does one of them again and again.

use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use bench::connection::{Connection, Request};
use clap::ValueEnum;

use crate::user::{FORM, Site, Tokens, User};

/// What is measured.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Operation {
    /// GET of the discovery document.
    Discovery,
    /// GET of the key set.
    Jwks,
    /// An access token by client_credentials.
    ClientCredentials,
    /// Introspection of an access token, going round with many.
    Introspect,
    /// Userinfo with an access token, going round with many.
    Userinfo,
    /// A refresh, each with the token of the one before.
    Refresh,
    /// Authorize with a session and exchange the code.
    Code,
    /// Authorize without a session, log in, exchange the code.
    Login,
}

/// One connection and what it needs.
pub(crate) struct Worker {
    operation: Operation,
    user: User,
    access_tokens: Vec<String>,
    next: usize,
    refresh_token: String,
}

impl Worker {
    /// Gets the tokens or the session that the operation starts from.
    pub(crate) async fn prepare(site: Rc<Site>, operation: Operation, tokens: usize) -> Result<Self> {
        let user = User::new(site);
        let mut worker =
            Self { operation, user, access_tokens: Vec::new(), next: 0, refresh_token: String::new() };
        match operation {
            Operation::Discovery | Operation::Jwks | Operation::ClientCredentials | Operation::Login => {}
            Operation::Introspect => {
                for _ in 0..tokens {
                    worker.access_tokens.push(worker.user.client_credentials().await?.access_token);
                }
            }
            Operation::Code => drop(worker.user.login().await?),
            Operation::Refresh | Operation::Userinfo => {
                let first = worker.user.login().await?;
                worker.refresh_token = first.refresh_token.context("the code brought no refresh token")?;
            }
        }
        if operation == Operation::Userinfo {
            for _ in 0..tokens {
                let refreshed = worker.refresh().await?;
                worker.access_tokens.push(refreshed.access_token);
            }
        }
        Ok(worker)
    }

    /// Does the operation once.
    pub(crate) async fn once(&mut self) -> Result<()> {
        match self.operation {
            Operation::Discovery => self.get(|site| &site.discovery).await,
            Operation::Jwks => self.get(|site| &site.key_set).await,
            Operation::ClientCredentials => self.user.client_credentials().await.map(drop),
            Operation::Introspect => self.introspect().await,
            Operation::Userinfo => self.userinfo().await,
            Operation::Refresh => self.refresh().await.map(drop),
            Operation::Code => self.user.authorize().await.map(drop),
            Operation::Login => self.user.login().await.map(drop),
        }
    }

    async fn get(&mut self, path: fn(&Site) -> &str) -> Result<()> {
        let site = self.user.site.clone();
        let reply = self.user.connection.send(&Request { path: path(&site), ..Request::default() }).await?;
        ensure!(reply.status == 200, "{} {}", reply.status, reply.text());
        Ok(())
    }

    async fn refresh(&mut self) -> Result<Tokens> {
        let tokens = self.user.refresh(&self.refresh_token).await?;
        if let Some(successor) = &tokens.refresh_token {
            self.refresh_token.clone_from(successor);
        }
        Ok(tokens)
    }

    async fn introspect(&mut self) -> Result<()> {
        let site = self.user.site.clone();
        let body = format!("token={}", next(&self.access_tokens, &mut self.next)?);
        let headers = [("authorization", site.basic.as_str())];
        let request = Request {
            method: Some("POST"),
            path: &site.introspection,
            headers: &headers,
            body: Some((FORM, &body)),
        };
        let text = send(&mut self.user.connection, &request).await?;
        ensure!(text.contains("\"active\":true"), "{text}");
        Ok(())
    }

    async fn userinfo(&mut self) -> Result<()> {
        let site = self.user.site.clone();
        let bearer = format!("Bearer {}", next(&self.access_tokens, &mut self.next)?);
        let headers = [("authorization", bearer.as_str())];
        let request = Request { path: &site.userinfo, headers: &headers, ..Request::default() };
        let text = send(&mut self.user.connection, &request).await?;
        ensure!(text.contains("\"sub\""), "{text}");
        Ok(())
    }
}

/// The tokens in turn.
fn next<'t>(tokens: &'t [String], at: &mut usize) -> Result<&'t str> {
    *at = (*at + 1) % tokens.len().max(1);
    tokens.get(*at).map(String::as_str).context("no tokens")
}

async fn send(connection: &mut Connection, request: &Request<'_>) -> Result<String> {
    let reply = connection.send(request).await?;
    if reply.status != 200 {
        bail!("{} {}", reply.status, reply.text());
    }
    Ok(reply.text())
}
