// openid-client: the high-level library for Node.js.

import assert from "node:assert/strict";
import * as openid from "openid-client";
import { done, refused, say, scene, visit } from "./scene.mjs";

const key = await crypto.subtle.importKey("jwk", scene.keyed.jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const byKey = openid.PrivateKeyJwt({ key, kid: scene.keyed.jwk.kid });

await wholeFlow("public client", await discover(scene.public.id, openid.None()));
await wholeFlow("client_secret_basic", await discover(scene.secret.id, openid.ClientSecretBasic(scene.secret.secret)));
const keyed = await discover(scene.keyed.id, byKey);
await wholeFlow("private_key_jwt with PAR", keyed, { push: true });
if (keyed.serverMetadata().dpop_signing_alg_values_supported) {
  await wholeFlow("private_key_jwt with PAR and DPoP", keyed, { push: true, dpop: true });
}
await introspection();
await wrongVerifier();
await wrongSecret();
await deviceFlow();
done();

async function discover(id, authentication) {
  const configuration = await openid.discovery(new URL(scene.issuer), id, undefined, authentication);
  // Checks the signature of ID tokens although TLS already says from whom they come.
  openid.enableNonRepudiationChecks(configuration);
  return configuration;
}

async function request() {
  const verifier = openid.randomPKCECodeVerifier();
  const nonce = openid.randomNonce();
  const state = openid.randomState();
  const parameters = {
    redirect_uri: scene.callback,
    scope: "openid email offline_access",
    state,
    nonce,
    max_age: "3600",
    claims: JSON.stringify({ id_token: { email: { essential: true } }, userinfo: { name: null } }),
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  return { parameters, checks: { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, maxAge: 3600, idTokenExpected: true } };
}

async function wholeFlow(title, configuration, { push = false, dpop = false } = {}) {
  const { parameters, checks } = await request();
  const DPoP = dpop ? openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair("ES256")) : undefined;
  const url = push
    ? await openid.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP })
    : openid.buildAuthorizationUrl(configuration, parameters);
  const arrived = await visit(url.href);
  const tokens = await openid.authorizationCodeGrant(configuration, arrived, checks, undefined, { DPoP });
  const { sub, email } = tokens.claims();
  assert.ok(email, "the ID token has the claim that was asked for");
  const user = await openid.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP });
  assert.ok(user.name, "userinfo has the claim that was asked for");
  const fresher = await openid.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP });
  assert.notEqual(fresher.access_token, tokens.access_token);
  await openid.tokenRevocation(configuration, fresher.refresh_token);
  const gone = await refused(openid.refreshTokenGrant(configuration, fresher.refresh_token, undefined, { DPoP }));
  assert.equal(gone.error, "invalid_grant");
  const end = openid.buildEndSessionUrl(configuration, { id_token_hint: tokens.id_token, post_logout_redirect_uri: scene.signedOut });
  assert.equal((await visit(end.href)).href, scene.signedOut);
  say(`${title}: code, userinfo of ${user.name}, refresh, revocation, logout`);
}

/** RFC 7662. */
async function introspection() {
  const configuration = await discover(scene.secret.id, openid.ClientSecretBasic(scene.secret.secret));
  const { parameters, checks } = await request();
  const arrived = await visit(openid.buildAuthorizationUrl(configuration, parameters).href);
  const tokens = await openid.authorizationCodeGrant(configuration, arrived, checks);
  const known = await openid.tokenIntrospection(configuration, tokens.access_token);
  assert.equal(known.active, true);
  await openid.tokenRevocation(configuration, tokens.refresh_token);
  assert.equal((await openid.tokenIntrospection(configuration, tokens.refresh_token)).active, false);
  say(`introspection: active for ${known.sub}, then not`);
}

async function wrongVerifier() {
  const configuration = await discover(scene.public.id, openid.None());
  const { parameters, checks } = await request();
  const arrived = await visit(openid.buildAuthorizationUrl(configuration, parameters).href);
  const wrong = { ...checks, pkceCodeVerifier: openid.randomPKCECodeVerifier() };
  const error = await refused(openid.authorizationCodeGrant(configuration, arrived, wrong));
  assert.equal(error.error, "invalid_grant");
  assert.match(error.error_description, /code_verifier does not match/);
  say(`wrong verifier: ${error.error_description}`);
}

async function wrongSecret() {
  const configuration = await discover(scene.secret.id, openid.ClientSecretBasic(`${scene.secret.secret}x`));
  const error = await refused(openid.refreshTokenGrant(configuration, "none"));
  assert.equal(error.status, 401);
  const body = await error.response.json();
  assert.equal(body.error, "invalid_client");
  say(`wrong secret: ${JSON.stringify(body)}`);
}

/** RFC 8628, from a device that may not have asked. */
async function deviceFlow() {
  const configuration = await discover(scene.public.id, openid.None());
  const error = await refused(openid.initiateDeviceAuthorization(configuration, { scope: "openid" }));
  assert.equal(error.error, "unauthorized_client");
  say(`device flow of a client without it: ${error.error_description}`);
}
