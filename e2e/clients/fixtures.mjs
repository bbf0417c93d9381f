// What the clients are given: registrations of their own, made through the admin API.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { BASE, CALLBACK, CALLBACK_ORIGIN, ISSUER, USER, administer, createInWorkspace } from "../site.mjs";

const SIGNED_OUT = `${CALLBACK_ORIGIN}/signed-out`;
const RESOURCE = `https://api.example.com/orders/${randomBytes(4).toString("hex")}/`;

/** A secret with every character that HTTP Basic needs encoded (RFC 6749 §2.3.1). */
const awkwardSecret = () => `${randomBytes(16).toString("base64url")}:%+&=/?"~!*'()#@,;<>[]{}|^\`\\$-_.`;

/** Lets clients register themselves, as the MCP SDKs do when they know no other way. */
export async function allowRegistration() {
  const server = (await administer("GET", "/servers/default")).json();
  const changed = await administer("PUT", "/servers/default", { ...server, dynamic_client_registration: { ...server.dynamic_client_registration, enabled: true } });
  assert.equal(changed.status, 200, changed.text);
  await createInWorkspace("services", { name: `Orders at ${RESOURCE}`, custom_audience: RESOURCE });
}

/** Everything that a client is told, with registrations that nobody else has. */
export async function scene(name, work) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomBytes(4).toString("hex");
  const [open, secret, keyed] = await Promise.all([
    register(name, { token_endpoint_auth_method: "none" }),
    register(name, { token_endpoint_auth_method: "client_secret_basic", client_secret: awkwardSecret() }),
    register(name, {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" }] },
    }),
  ]);
  return {
    issuer: ISSUER,
    base: BASE,
    /** The demo's certificate for localhost and its key, for a client that serves https, and what to trust, in PEM. */
    certificate: join(resolve(process.env.DATA), "certificate.pem"),
    certificateKey: join(resolve(process.env.DATA), "certificate.key"),
    root: join(resolve(process.env.DATA), "root.pem"),
    user: USER,
    callback: CALLBACK,
    signedOut: SIGNED_OUT,
    /** The audience of a service of the workspace. */
    resource: RESOURCE,
    work: resolve(work),
    public: { id: open.client_id },
    secret: { id: secret.client_id, secret: secret.client_secret },
    keyed: {
      id: keyed.client_id,
      jwk: { ...privateKey.export({ format: "jwk" }), kid, alg: "ES256" },
      pem: privateKey.export({ format: "pem", type: "pkcs8" }),
    },
  };
}

/** A client of the workspace, as stored and with its secret. */
export function register(name, settings) {
  return createInWorkspace("clients", {
    client_id: `client-${randomBytes(6).toString("hex")}`,
    client_name: name,
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: [CALLBACK],
    post_logout_redirect_uris: [SIGNED_OUT],
    response_types: ["code"],
    scopes: ["email", "offline_access", "openid", "profile"],
    ...settings,
  });
}
