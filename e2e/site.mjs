// The demo as a client sees it: where it is, how to talk to it without a browser.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:https";
import { setTimeout as pause } from "node:timers/promises";

export const BASE = process.env.BASE ?? "https://localhost:8443";
export const ISSUER = `${BASE}/default/default`;
export const CALLBACK = "https://example.com/callback";
export const CALLBACK_ORIGIN = new URL(CALLBACK).origin;

/** What the demo's start prints. */
export const ADMIN = { id: "admin-swagger", secret: "n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq" };
export const USER = { name: "user", password: "user" };

/** One request that believes the demo's own certificate. Answers `{ status, headers, text, json }`. */
export function ask(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, rejectUnauthorized: false }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        resolve({ status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A form by POST, with HTTP Basic when a client with a secret is given. */
export function post(url, fields, client) {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  if (client?.secret) headers.authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`;
  return ask(url, { method: "POST", headers, body: new URLSearchParams(fields).toString() });
}

export async function waitUntilAlive() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await ask(`${BASE}/alive`).catch(() => undefined);
    if (answer?.status === 200) return;
    await pause(100);
  }
  throw new Error(`${BASE}/alive does not answer 200`);
}

/** A verifier and its challenge (RFC 7636 §4). */
export function pkce() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** An authorization request of the quick start's kind. Members that are undefined are left out. */
export function authorizeUrl(clientId, challenge, more = {}) {
  const parameters = {
    client_id: clientId,
    scope: "openid",
    redirect_uri: CALLBACK,
    response_type: "code",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...more,
  };
  const kept = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return `${ISSUER}/oauth2/authorize?${new URLSearchParams(kept)}`;
}

/** Redeems a code of a public client. */
export function redeem(clientId, code, verifier) {
  const fields = { grant_type: "authorization_code", client_id: clientId, redirect_uri: CALLBACK, code, code_verifier: verifier };
  return post(`${ISSUER}/oauth2/token`, fields);
}

/** A public client of its own for a scenario, made through the admin API. */
export async function createClient(name, more = {}) {
  const settings = {
    client_id: `browser-${randomBytes(6).toString("hex")}`,
    client_name: name,
    grant_types: ["authorization_code"],
    redirect_uris: [CALLBACK],
    scopes: ["email", "openid", "profile"],
    token_endpoint_auth_method: "none",
    ...more,
  };
  return (await createInWorkspace("clients", { ...settings, response_types: ["code"] })).client_id;
}

/** Makes something of the workspace `default` through the admin API; answers it as stored. */
export async function createInWorkspace(kind, document) {
  const answer = await administer("POST", `/${kind}`, { authorization_server_id: "default", ...document });
  assert.equal(answer.status, 201, answer.text);
  return answer.json();
}

/** One request to the admin API of the tenant `default`. */
export async function administer(method, path, document) {
  const tokens = await post(`${BASE}/default/admin/oauth2/token`, { grant_type: "client_credentials" }, ADMIN);
  assert.equal(tokens.status, 200, tokens.text);
  const headers = { authorization: `Bearer ${tokens.json().access_token}`, "content-type": "application/json" };
  const body = document && JSON.stringify(document);
  return ask(`${BASE}/api/admin/default${path}`, { method, headers, body });
}
