// The quick start as a newcomer does it, step by step.

import assert from "node:assert/strict";
import { ADMIN, BASE, CALLBACK, ISSUER, ask, authorizeUrl, pkce, redeem } from "../site.mjs";
import { CONSENT, LOGIN, allow, codeIn, logIn } from "../walk.mjs";

const CLIENT = {
  authorization_server_id: "default",
  client_id: "client-pkce",
  client_name: "My app",
  grant_types: ["authorization_code"],
  public: true,
  redirect_uris: [CALLBACK],
  token_endpoint_auth_method: "none",
  response_types: ["token", "id_token", "code"],
  scopes: ["email", "openid"],
};

export const scenarios = [
  { name: "quick start: create the client in Swagger UI", run: createClientInSwagger },
  { name: "quick start: log in, consent, redeem the code", run: signIn },
];

async function createClientInSwagger(visit) {
  const { page } = visit;
  await page.goto(`${BASE}/api/swagger/default`);
  await page.locator(".swagger-ui .info").waitFor();

  await page.locator(".auth-wrapper .btn.authorize").first().click();
  const scheme = page.locator(".auth-container", { hasText: "/default/admin/oauth2/token" }).first();
  await scheme.locator("input[id^=client_id]").fill(ADMIN.id);
  await scheme.locator("input[id^=client_secret]").fill(ADMIN.secret);
  await visit.picture("swagger-authorize");
  await scheme.locator("button.authorize").click();
  await scheme.locator("button", { hasText: "Logout" }).waitFor();
  await page.locator(".btn-done").first().click();

  const operation = page.locator(".opblock-post", { has: page.locator('[data-path="/api/admin/{tid}/clients"]') });
  if (!(await operation.isVisible())) {
    await page.locator(".opblock-tag-section:not(.is-open) .opblock-tag", { hasText: "clients" }).first().click();
  }
  await operation.locator(".opblock-summary-control").click();
  await operation.locator(".try-out__btn").click();
  await operation.locator('[data-param-name="tid"] input').fill("default");
  await operation.locator("textarea.body-param__text").fill(JSON.stringify(CLIENT, null, 2));
  for (const status of ["201", "409"]) {
    await operation.locator(".btn.execute").click();
    await operation.locator(".live-responses-table .response-col_status", { hasText: status }).waitFor();
    await visit.picture(`swagger-${status}`);
  }
}

async function signIn(visit) {
  const { page } = visit;
  const { verifier, challenge } = pkce();
  await page.goto(authorizeUrl(CLIENT.client_id, challenge));

  await page.locator(LOGIN).waitFor();
  assert.equal(new URL(page.url()).pathname, "/default/default/login");
  await visit.look("login");
  await logIn(page);

  await page.locator(CONSENT).waitFor();
  assert.equal(new URL(page.url()).pathname, "/default/default/consent");
  const consent = await page.locator("main").innerText();
  assert.match(consent, /My app/);
  assert.match(await page.locator("#consent-destination").innerText(), /^example\.com$/);
  await visit.look("consent");
  await allow(page);

  await page.waitForURL(`${CALLBACK}?**`);
  const arrived = new URL(page.url());
  const code = codeIn(arrived);
  assert.equal(code.length, 43);
  assert.equal(arrived.searchParams.get("iss"), ISSUER);
  assert.equal(arrived.searchParams.has("state"), false, "no state was sent");

  const answer = await redeem(CLIENT.client_id, code, verifier);
  assert.equal(answer.status, 200, answer.text);
  const tokens = answer.json();
  assert.deepEqual(Object.keys(tokens), ["access_token", "expires_in", "id_token", "scope", "token_type"]);
  assert.deepEqual([tokens.expires_in, tokens.scope, tokens.token_type], [3600, "openid", "bearer"]);

  const userinfo = await ask(`${ISSUER}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(userinfo.status, 200, userinfo.text);
  const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url"));
  assert.equal(claims.sub, userinfo.json().sub);

  const again = await redeem(CLIENT.client_id, code, verifier);
  assert.deepEqual([again.status, again.json().error], [400, "invalid_grant"]);
}
