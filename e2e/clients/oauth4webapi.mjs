// oauth4webapi: every answer is checked by the library; nothing is relaxed.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { done, refused, say, scene, visit } from "./scene.mjs";

const issuer = new URL(scene.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const oauth2 = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2" }));
assert.equal(oauth2.token_endpoint, server.token_endpoint);
say("discovered by OpenID Connect Discovery and by RFC 8414");

const key = await crypto.subtle.importKey("jwk", scene.keyed.jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
await wholeFlow("public client", { client_id: scene.public.id }, oauth.None());
await wholeFlow("client_secret_basic", { client_id: scene.secret.id }, oauth.ClientSecretBasic(scene.secret.secret), { push: true });
const keyed = oauth.PrivateKeyJwt({ key, kid: scene.keyed.jwk.kid });
await wholeFlow("private_key_jwt", { client_id: scene.keyed.id }, keyed, { push: true });
if (server.dpop_signing_alg_values_supported) {
  const DPoP = oauth.DPoP({ client_id: scene.public.id }, await oauth.generateKeyPair("ES256"));
  await wholeFlow("public client with DPoP", { client_id: scene.public.id }, oauth.None(), { DPoP });
  const bound = oauth.DPoP({ client_id: scene.keyed.id }, await oauth.generateKeyPair("ES256"));
  await wholeFlow("private_key_jwt with PAR and DPoP", { client_id: scene.keyed.id }, keyed, { push: true, DPoP: bound });
}
await wrongVerifier();
await wrongAudience();
await foreignIssuer();
done();

/** From the authorization request to the logout. */
async function wholeFlow(title, client, authentication, { push = false, DPoP } = {}) {
  const { parameters, verifier, nonce } = await request(client);
  const url = push ? await pushed(client, authentication, parameters, DPoP) : authorizationUrl(parameters);
  const arrived = oauth.validateAuthResponse(server, client, await visit(url), parameters.get("state"));
  const answer = await again(DPoP, () => redeem(client, authentication, arrived, verifier, DPoP), (response) =>
    oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true }));
  const claims = oauth.getValidatedIdTokenClaims(answer);
  assert.equal(answer.token_type, DPoP ? "dpop" : "bearer");

  const user = await again(DPoP, () => oauth.userInfoRequest(server, client, answer.access_token, { DPoP }), (response) =>
    oauth.processUserInfoResponse(server, client, claims.sub, response));
  assert.equal(user.sub, claims.sub);

  const fresher = await again(DPoP, () => oauth.refreshTokenGrantRequest(server, client, authentication, answer.refresh_token, { DPoP }), (response) =>
    oauth.processRefreshTokenResponse(server, client, response));
  assert.notEqual(fresher.access_token, answer.access_token);

  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, fresher.refresh_token));
  const gone = await refused(again(DPoP, () => oauth.refreshTokenGrantRequest(server, client, authentication, fresher.refresh_token, { DPoP }), (response) =>
    oauth.processRefreshTokenResponse(server, client, response)));
  assert.equal(gone.error, "invalid_grant");
  await logout(answer.id_token);
  say(`${title}: code${push ? " by PAR" : ""}, userinfo of ${claims.sub}, refresh, revocation, logout`);
}

async function request(client) {
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: scene.callback,
    response_type: "code",
    scope: "openid email offline_access",
    state: oauth.generateRandomState(),
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  return { parameters, verifier, nonce };
}

function authorizationUrl(parameters) {
  const url = new URL(server.authorization_endpoint);
  url.search = parameters.toString();
  return url.href;
}

/** RFC 9126 §2. */
async function pushed(client, authentication, parameters, DPoP) {
  const push = () => oauth.pushedAuthorizationRequest(server, client, authentication, parameters, { DPoP });
  const { request_uri } = await again(DPoP, push, (response) => oauth.processPushedAuthorizationResponse(server, client, response));
  return authorizationUrl(new URLSearchParams({ client_id: client.client_id, request_uri }));
}

function redeem(client, authentication, arrived, verifier, DPoP) {
  return oauth.authorizationCodeGrantRequest(server, client, authentication, arrived, scene.callback, verifier, { DPoP });
}

/** Once more when the server wants a nonce in the proof (RFC 9449 §8). */
async function again(DPoP, send, read) {
  try {
    return await read(await send());
  } catch (error) {
    if (!DPoP || !oauth.isDPoPNonceError(error)) throw error;
    return read(await send());
  }
}

/** OIDC RP-Initiated Logout §2. */
async function logout(idToken) {
  const url = new URL(server.end_session_endpoint);
  const state = oauth.generateRandomState();
  url.search = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: scene.signedOut, state });
  const arrived = await visit(url.href);
  assert.equal(arrived.origin + arrived.pathname, scene.signedOut);
  assert.equal(arrived.searchParams.get("state"), state);
}

async function wrongVerifier() {
  const client = { client_id: scene.public.id };
  const { parameters } = await request(client);
  const arrived = oauth.validateAuthResponse(server, client, await visit(authorizationUrl(parameters)), parameters.get("state"));
  const response = await redeem(client, oauth.None(), arrived, oauth.generateRandomCodeVerifier());
  const error = await refused(oauth.processAuthorizationCodeResponse(server, client, response));
  assert.equal(error.error, "invalid_grant");
  assert.match(error.error_description, /code_verifier does not match/);
  say(`wrong verifier: ${error.error_description}`);
}

async function wrongAudience() {
  const client = { client_id: scene.keyed.id };
  const elsewhere = { [oauth.modifyAssertion]: (_, payload) => (payload.aud = "https://elsewhere.example.com") };
  const authentication = oauth.PrivateKeyJwt({ key, kid: scene.keyed.jwk.kid }, elsewhere);
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, {});
  const error = await refused(oauth.processClientCredentialsResponse(server, client, response));
  assert.equal(error.status, 401);
  assert.equal(error.error, "invalid_client");
  say(`assertion for another audience: ${JSON.stringify(error.cause)}`);
}

/** RFC 9207 §2.4. */
async function foreignIssuer() {
  const client = { client_id: scene.public.id };
  const { parameters } = await request(client);
  const arrived = await visit(authorizationUrl(parameters));
  arrived.searchParams.set("iss", "https://elsewhere.example.com");
  assert.throws(() => oauth.validateAuthResponse(server, client, arrived, parameters.get("state")), /iss/);
  say("a response of another issuer is not taken");
}
