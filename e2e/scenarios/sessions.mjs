// Signing out: applications are told in frames, and people see where they are signed in.

import assert from "node:assert/strict";
import { fresh } from "../browser.mjs";
import { BASE, CALLBACK_ORIGIN, ISSUER, authorizeUrl, createClient, pkce, redeem } from "../site.mjs";
import { codeIn, finish, logIn } from "../walk.mjs";

const TOLD = `${CALLBACK_ORIGIN}/frontchannel`;
const BACK = `${CALLBACK_ORIGIN}/signed-out`;

export const scenarios = [
  { name: "front-channel logout: applications are told, then the browser goes back", run: frontChannel },
  { name: "front-channel logout: without JavaScript too", javaScript: false, run: frontChannel },
  { name: "front-channel logout: without a redirect the page stays", run: stays },
  { name: "sessions: the page lists and ends them", run: sessions },
];

/** Signs in at a client that wants to be told; its ID token. */
async function signIn(visit, name) {
  const more = { frontchannel_logout_uri: TOLD, post_logout_redirect_uris: [BACK] };
  const clientId = await createClient(name, more);
  const { verifier, challenge } = pkce();
  await visit.page.goto(authorizeUrl(clientId, challenge));
  const answer = await redeem(clientId, codeIn(await finish(visit.page)), verifier);
  return answer.json().id_token;
}

function logoutUrl(parameters) {
  return `${ISSUER}/oidc/logout?${new URLSearchParams(parameters)}`;
}

/** OIDC Front-Channel Logout §3: each application once, with issuer and session. */
function assertTold(visit) {
  const told = visit.arrivals.filter(({ url }) => url.href.startsWith(TOLD));
  assert.equal(told.length, 1);
  assert.equal(told[0].url.searchParams.get("iss"), ISSUER);
  assert.ok(told[0].url.searchParams.get("sid"));
}

async function frontChannel(visit) {
  const hint = await signIn(visit, "Told");
  await visit.page.goto(logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: BACK, state: "s" }));
  await visit.page.waitForURL(`${BACK}?state=s`);
  assertTold(visit);
  const place = (start) => visit.arrivals.findIndex(({ url }) => url.href.startsWith(start));
  assert.ok(place(TOLD) < place(`${BACK}?state=s`), "the application was told before");
}

async function stays(visit) {
  const hint = await signIn(visit, "Told, without a way back");
  await visit.page.goto(logoutUrl({ id_token_hint: hint }));
  await visit.page.locator("#logged-out").waitFor();
  await visit.page.waitForLoadState("load");
  assertTold(visit);
  await visit.look("logged-out-told");
}

async function sessions(visit) {
  const { page } = visit;
  await signIn(visit, "Sessions");
  await page.goto(`${ISSUER}/logout`);
  await visit.look("logout-with-sessions");
  await page.click("#logout-sessions");
  // What earlier scenarios left behind.
  const others = page.locator("#sessions-end-others");
  if (await others.count()) await others.click();
  await page.locator(".session").waitFor();
  assert.equal(await page.locator(".session").count(), 1);
  const elsewhere = await fresh(visit.context.browser(), { screenshots: "", javaScript: true });
  await elsewhere.page.goto(authorizeUrl(await createClient("Elsewhere"), pkce().challenge));
  await logIn(elsewhere.page);
  await elsewhere.page.locator("#consent-form").waitFor();
  await page.reload();
  assert.equal(await page.locator(".session").count(), 2);
  assert.match(await page.locator(".session-current").innerText(), /Chrome on Linux/);
  await visit.look("sessions");
  await page.locator(".session:not(.session-current) button").click();
  await page.locator(".session").waitFor();
  assert.equal(await page.locator(".session").count(), 1);
  await elsewhere.page.goto(`${ISSUER}/sessions`);
  await elsewhere.page.locator("#sessions-nobody").waitFor();
  await elsewhere.context.close();
  // A form that is not of this session ends nothing, and the page says so.
  await page.locator("input[name=csrf]").evaluate((field) => (field.value = "x"));
  await page.locator(".session-current button").click();
  await page.locator("#form-outdated").waitFor();
  await visit.look("sessions-outdated");
  await page.locator(".session-current button").click();
  await page.locator("#logged-out").waitFor();
  await page.waitForLoadState("load");
  assertTold(visit);
  await page.goto(`${BASE}/default/default/sessions`);
  await page.locator("#sessions-nobody").waitFor();
  await visit.look("sessions-nobody");
}
