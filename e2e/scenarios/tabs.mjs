// Several logins at once in one browser.

import assert from "node:assert/strict";
import { CALLBACK, CALLBACK_ORIGIN, ISSUER, authorizeUrl, createClient, pkce, post, redeem } from "../site.mjs";
import { CONSENT, LOGIN, allow, codeIn, finish, logIn } from "../walk.mjs";

export const scenarios = [
  { name: "tabs: eight of them finish in any order", run: eight },
  { name: "tabs: a login page that has become stale still works", run: stale },
  { name: "tabs: Back after a pushed login says that it is done", run: backAfterPushed },
  { name: "tabs: Back after a pushed login begins one at the application", run: backToApplication },
  { name: "tabs: a lost cookie is told and leads on", run: lostCookie },
  { name: "tabs: who signs in in another tab is told at the consent", run: otherPerson },
];

async function open(visit, name, index = 0) {
  const clientId = await createClient(name);
  const page = await visit.tab();
  const { verifier, challenge } = pkce();
  await page.goto(authorizeUrl(clientId, challenge, { state: `tab-${index}` }));
  await page.locator(LOGIN).waitFor();
  return { page, clientId, verifier, state: `tab-${index}` };
}

async function eight(visit) {
  const tabs = [];
  for (let index = 0; index < 8; index += 1) tabs.push(await open(visit, `Tab ${index}`, index));
  for (const index of [5, 2, 7, 0, 3, 6, 1, 4]) {
    const { page, clientId, verifier, state } = tabs[index];
    await page.bringToFront();
    const url = await finish(page);
    assert.equal(url.searchParams.get("state"), state, "each tab gets its own answer");
    const answer = await redeem(clientId, codeIn(url), verifier);
    assert.equal(answer.status, 200, answer.text);
  }
}

async function stale(visit) {
  const first = await open(visit, "Waits", 1);
  const second = await open(visit, "Goes ahead", 2);
  await finish(second.page);

  await first.page.bringToFront();
  await logIn(first.page);
  const url = await finish(first.page);
  assert.equal(url.searchParams.get("state"), "tab-1");
  const answer = await redeem(first.clientId, codeIn(url), first.verifier);
  assert.equal(answer.status, 200, answer.text);
}

/** A login whose request was pushed (RFC 9126), up to the client, which sends the browser on to a page of its own. */
async function pushedLogin(visit, name, more = {}) {
  const { page } = visit;
  const clientId = await createClient(name, more);
  const { verifier, challenge } = pkce();
  const request = new URL(authorizeUrl(clientId, challenge)).searchParams;
  const { request_uri } = (await post(`${ISSUER}/par`, Object.fromEntries(request))).json();
  await page.goto(`${ISSUER}/oauth2/authorize?${new URLSearchParams({ client_id: clientId, request_uri })}`);
  const answer = await redeem(clientId, codeIn(await finish(page)), verifier);
  assert.equal(answer.status, 200, answer.text);
}

async function backAfterPushed(visit) {
  const { page } = visit;
  await pushedLogin(visit, "Pushed");
  await page.goBack();
  await page.locator("h1", { hasText: "already finished" }).waitFor();
  await visit.look("login-finished");
  await page.click("#error-back");
  await page.waitForURL(`${CALLBACK_ORIGIN}/`);
  const codes = visit.arrivals.filter(({ url }) => url.searchParams.has("code"));
  assert.equal(codes.length, 1, "no second code");
}

async function backToApplication(visit) {
  const { page } = visit;
  const start = `${CALLBACK_ORIGIN}/start`;
  await pushedLogin(visit, "Begins itself", { initiate_login_uri: start });
  await page.goBack();
  await page.waitForURL(`${start}?**`);
  assert.equal(new URL(page.url()).searchParams.get("iss"), ISSUER);
}

async function lostCookie(visit) {
  const { page } = visit;
  const clientId = await createClient("Lost cookie");
  const { verifier, challenge } = pkce();
  await page.goto(authorizeUrl(clientId, challenge, { state: "kept" }));
  await page.locator(LOGIN).waitFor();
  const address = page.url();
  await visit.context.clearCookies();
  await logIn(page);
  await page.locator("#error-restart").waitFor();
  await visit.look("lost-cookie-form");
  await page.click("#error-restart");
  const url = await finish(page);
  assert.equal(url.searchParams.get("state"), "kept");
  assert.equal((await redeem(clientId, codeIn(url), verifier)).status, 200);

  await visit.context.clearCookies();
  await page.goto(address);
  await page.locator("#error-back").waitFor();
  await visit.look("lost-cookie");
  await page.goto(`${ISSUER}/login?login_id=none&ui_locales=de`);
  await page.locator("#error-advice").waitFor();
  await visit.look("error-de");
}

async function otherPerson(visit) {
  const { page } = visit;
  await page.goto(authorizeUrl(await createClient("Consents"), pkce().challenge));
  await logIn(page);
  await page.locator(CONSENT).waitFor();
  const other = await visit.tab();
  await other.goto(authorizeUrl(await createClient("Signs in again"), pkce().challenge, { prompt: "login" }));
  await logIn(other);
  await other.locator(CONSENT).waitFor();
  await page.bringToFront();
  await allow(page);
  await page.locator("#form-outdated").waitFor();
  await visit.look("consent-outdated");
  await allow(page);
  await page.waitForURL(`${CALLBACK}?**`);
  codeIn(new URL(page.url()));
}
