//! The crate `openidconnect`: every check that it has is on.

use std::io::BufRead;

use anyhow::{Context, Result, bail, ensure};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::reqwest::blocking::Client as Http;
use openidconnect::reqwest::redirect::Policy;
use openidconnect::reqwest::{Certificate, StatusCode, Url};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError,
    RevocationUrl, Scope, StandardErrorResponse, SubjectIdentifier, TokenResponse, UserInfoError,
};
use serde_json::Value;

type Discovered =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

fn main() -> Result<()> {
    let scene: Value = serde_json::from_str(&std::env::var("SCENE")?)?;
    let party = Party::discover(&scene)?;
    println!("discovered {}", party.metadata.issuer().as_str());
    let public = party.client(text(&scene, "/public/id")?, None)?;
    party.whole_flow("public client", &public)?;
    let secret = Some(text(&scene, "/secret/secret")?);
    let confidential = party.client(text(&scene, "/secret/id")?, secret)?;
    party.whole_flow("client_secret_basic", &confidential)?;
    party.wrong_verifier(&public)?;
    let other = party.client(text(&scene, "/keyed/id")?, None)?;
    party.wrong_audience(&public, &other)
}

/// A relying party and what it knows of the server.
struct Party {
    http: Http,
    metadata: ProviderMetadataWithLogout,
    revocation: RevocationUrl,
    callback: RedirectUrl,
    signed_out: PostLogoutRedirectUrl,
}

/// What was sent, to be compared with what comes back.
struct Sent {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
}

impl Party {
    fn discover(scene: &Value) -> Result<Self> {
        let root = Certificate::from_pem(&std::fs::read(text(scene, "/root")?)?)?;
        let http = Http::builder().redirect(Policy::none()).add_root_certificate(root).build()?;
        let issuer = IssuerUrl::new(text(scene, "/issuer")?)?;
        let metadata = ProviderMetadataWithLogout::discover(&issuer, &http)?;
        // Not a member that the crate knows.
        let document: Value = serde_json::from_str(
            &http.get(issuer.join(".well-known/openid-configuration")?).send()?.text()?,
        )?;
        Ok(Self {
            http,
            metadata,
            revocation: RevocationUrl::new(text(&document, "/revocation_endpoint")?)?,
            callback: RedirectUrl::new(text(scene, "/callback")?)?,
            signed_out: PostLogoutRedirectUrl::new(text(scene, "/signedOut")?)?,
        })
    }

    fn client(&self, id: String, secret: Option<String>) -> Result<Discovered> {
        let secret = secret.map(ClientSecret::new);
        let client = CoreClient::from_provider_metadata(self.metadata.clone(), ClientId::new(id), secret);
        Ok(client.set_redirect_uri(self.callback.clone()).set_revocation_url(self.revocation.clone()))
    }

    /// Sends the person to the server and takes the code that comes back.
    fn authorize(&self, client: &Discovered) -> Result<Sent> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = ["email", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
        let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        let arrived = visit(&url)?;
        ensure!(parameter(&arrived, "state")? == *state.secret(), "the state is another");
        ensure!(parameter(&arrived, "iss")? == self.metadata.issuer().as_str(), "RFC 9207 §2.4");
        Ok(Sent { code: AuthorizationCode::new(parameter(&arrived, "code")?), verifier, nonce })
    }

    fn whole_flow(&self, title: &str, client: &Discovered) -> Result<()> {
        let Sent { code, verifier, nonce } = self.authorize(client)?;
        let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&self.http)?;
        let subject = self.check_id_token(client, &tokens, &nonce)?;
        let asked = client.user_info(tokens.access_token().clone(), Some(subject.clone()))?;
        let user: CoreUserInfoClaims = asked.request(&self.http)?;
        ensure!(user.email().is_some(), "userinfo has no e-mail address");

        let refresh = tokens.refresh_token().context("no refresh token")?;
        let fresher: CoreTokenResponse = client.exchange_refresh_token(refresh)?.request(&self.http)?;
        ensure!(fresher.access_token().secret() != tokens.access_token().secret(), "the same token again");
        let newest = fresher.refresh_token().unwrap_or(refresh);
        client.revoke_token(newest.clone().into())?.request(&self.http)?;
        let gone = refusal(client.exchange_refresh_token(newest)?.request(&self.http))?;
        ensure!(gone.starts_with("invalid_grant"), "{gone}");
        self.log_out(&tokens)?;
        println!("{title}: code, userinfo of {}, refresh, revocation, logout", subject.as_str());
        Ok(())
    }

    /// OIDC Core §3.1.3.7 and §3.1.3.8.
    fn check_id_token(
        &self,
        client: &Discovered,
        tokens: &CoreTokenResponse,
        nonce: &Nonce,
    ) -> Result<SubjectIdentifier> {
        let id_token = tokens.id_token().context("no ID token")?;
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
            let found = AccessTokenHash::from_token(tokens.access_token(), alg, key)?;
            ensure!(found == *expected, "at_hash is of another token");
        }
        Ok(claims.subject().clone())
    }

    /// OIDC RP-Initiated Logout §2.
    fn log_out(&self, tokens: &CoreTokenResponse) -> Result<()> {
        let metadata = self.metadata.additional_metadata();
        let endpoint = metadata.end_session_endpoint.clone().context("no end_session_endpoint")?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(tokens.id_token().context("no ID token")?)
            .set_post_logout_redirect_uri(self.signed_out.clone());
        ensure!(visit(&request.http_get_url())?.as_str() == self.signed_out.as_str(), "arrived elsewhere");
        Ok(())
    }

    fn wrong_verifier(&self, client: &Discovered) -> Result<()> {
        let Sent { code, .. } = self.authorize(client)?;
        let (_, other) = PkceCodeChallenge::new_random_sha256();
        let error = refusal(client.exchange_code(code)?.set_pkce_verifier(other).request(&self.http))?;
        ensure!(error.contains("code_verifier does not match"), "{error}");
        println!("wrong verifier: {error}");
        Ok(())
    }

    /// An ID token of one client is none of another, and an ID token is no access token.
    fn wrong_audience(&self, client: &Discovered, other: &Discovered) -> Result<()> {
        let Sent { code, verifier, nonce } = self.authorize(client)?;
        let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&self.http)?;
        let id_token = tokens.id_token().context("no ID token")?;
        let error = id_token.claims(&other.id_token_verifier(), &nonce).err().context("it was taken")?;
        println!("ID token of another client: {error}");
        let as_access = client.user_info(AccessToken::new(id_token.to_string()), None)?;
        let answer: Result<CoreUserInfoClaims, _> = as_access.request(&self.http);
        match answer {
            Err(UserInfoError::Response(status, body, _)) if status == StatusCode::UNAUTHORIZED => {
                println!("ID token at userinfo: {}", String::from_utf8(body)?);
                Ok(())
            }
            other => bail!("{other:?}"),
        }
    }
}

/// What the server said when it refused.
fn refusal<T, E: std::error::Error + 'static>(
    answer: Result<T, RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>>,
) -> Result<String> {
    match answer {
        Ok(_) => bail!("it was not refused"),
        Err(RequestTokenError::ServerResponse(said)) => Ok(said.to_string()),
        Err(other) => bail!("{other:?}"),
    }
}

/// Sends the person to an address; where they arrived.
fn visit(url: &Url) -> Result<Url> {
    println!("visit {url}");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let answer: Value = serde_json::from_str(&line)?;
    Ok(Url::parse(&text(&answer, "/url")?)?)
}

fn parameter(url: &Url, name: &str) -> Result<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    Ok(found.with_context(|| format!("no {name} in {url}"))?.1.into_owned())
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    Ok(value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer}"))?.to_owned())
}
