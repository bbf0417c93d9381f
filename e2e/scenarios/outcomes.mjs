// How a login can end, and what people do with buttons.

import assert from "node:assert/strict";
import { CALLBACK, ISSUER, authorizeUrl, createClient, createInWorkspace, pkce, redeem } from "../site.mjs";
import { CONSENT, LOGIN, allow, codeIn, finish, logIn } from "../walk.mjs";

export const scenarios = [
  { name: "consent: deny comes back as access_denied", run: deny },
  { name: "login: cancel comes back as access_denied", run: cancel },
  { name: "consent: another account may be used", run: anotherAccount },
  { name: "consent: is remembered, and asked again when scopes grow", run: remembered },
  { name: "consent: the resources that were asked for are named", run: resources },
  { name: "consent: by keyboard alone", run: keyboard },
  { name: "consent: a double click on allow ends at the client", run: doubleClick },
  { name: "consent: the back button never leads to a second code or a dead end", run: back },
  { name: "form_post: the answer arrives as a form", run: formPost },
];

async function toConsent(visit, name, more) {
  const clientId = await createClient(name);
  const { verifier, challenge } = pkce();
  await visit.page.goto(authorizeUrl(clientId, challenge, more));
  await logIn(visit.page);
  await visit.page.locator(CONSENT).waitFor();
  return { clientId, verifier, challenge };
}

async function deny(visit) {
  await toConsent(visit, "Denied", { state: "of-denied" });
  await visit.page.click("#consent-deny");
  await assertDenied(visit.page, "of-denied");
}

async function cancel(visit) {
  const clientId = await createClient("Cancelled");
  await visit.page.goto(authorizeUrl(clientId, pkce().challenge, { state: "of-cancelled" }));
  await visit.page.click("#login-cancel");
  await assertDenied(visit.page, "of-cancelled");
}

/** RFC 6749 §4.1.2.1 and RFC 9207 §2: the client learns it, with its state and who says so. */
async function assertDenied(page, state) {
  await page.waitForURL(`${CALLBACK}?**`);
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get("error"), "access_denied");
  assert.equal(searchParams.get("state"), state);
  assert.equal(searchParams.get("iss"), ISSUER);
  assert.equal(searchParams.has("code"), false);
}

async function anotherAccount(visit) {
  await toConsent(visit, "Switched", { state: "switched" });
  await visit.page.click("button[name=action][value=switch]");
  await visit.page.locator(LOGIN).waitFor();
  const url = await finish(visit.page);
  assert.equal(url.searchParams.get("state"), "switched");
  codeIn(url);
}

async function remembered(visit) {
  const { page } = visit;
  const { clientId, challenge } = await toConsent(visit, "Remembered");
  await allow(page);
  await page.waitForURL(`${CALLBACK}?**`);

  await page.goto(authorizeUrl(clientId, challenge, { state: "again" }));
  await page.waitForURL(`${CALLBACK}?**state=again**`);
  codeIn(new URL(page.url()));

  await page.goto(authorizeUrl(clientId, challenge, { scope: "openid email" }));
  await page.locator(CONSENT).waitFor();
  assert.ok(await page.locator("[data-scope=email]:not(.scope-granted)").count());
  await visit.look("consent-more");
}

async function resources(visit) {
  const resource = "https://notes.example/api";
  await createInWorkspace("services", { name: "Notes", custom_audience: resource });
  await toConsent(visit, "Takes notes", { resource });
  assert.match(await visit.page.locator("#consent-resources").innerText(), /Notes\s+notes\.example/);
  await visit.look("consent-resources");
}

async function keyboard(visit) {
  const { page } = visit;
  const clientId = await createClient("Keyboard");
  await page.goto(authorizeUrl(clientId, pkce().challenge));
  await page.locator(LOGIN).waitFor();
  assert.equal(await focused(page), "username", "the first field has the focus");
  await page.keyboard.type("user");
  await page.keyboard.press("Tab");
  await page.keyboard.type("user");
  await page.keyboard.press("Enter");
  await page.locator(CONSENT).waitFor();
  for (let press = 0; press < 20 && (await focused(page)) !== "consent-allow"; press += 1) await page.keyboard.press("Tab");
  assert.equal(await focused(page), "consent-allow");
  await visit.picture("consent-focus");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${CALLBACK}?**`);
  codeIn(new URL(page.url()));
}

function focused(page) {
  return page.evaluate(() => document.activeElement?.id);
}

async function doubleClick(visit) {
  const { clientId, verifier } = await toConsent(visit, "Twice", { state: "twice" });
  const left = visit.page.waitForEvent("framenavigated");
  await visit.page.dblclick("#consent-allow", { noWaitAfter: true });
  await left;
  await assertGoesOn(visit, await finish(visit.page), clientId, verifier);
}

async function back(visit) {
  const { page } = visit;
  const { clientId, verifier } = await toConsent(visit, "Back", { state: "back" });
  await allow(page);
  await page.waitForURL(`${CALLBACK}?**`);
  const first = codeIn(new URL(page.url()));

  await page.goBack();
  await page.waitForLoadState();
  const url = await finish(page);
  assert.notEqual(url.searchParams.get("code"), first, "a used interaction yields no second code");
  await assertGoesOn(visit, url, clientId, verifier);
}

/** The client got a code that works, or a word on why not. */
async function assertGoesOn(visit, url, clientId, verifier) {
  assert.equal(url.origin + url.pathname, CALLBACK);
  const code = url.searchParams.get("code");
  if (code) {
    const answer = await redeem(clientId, code, verifier);
    assert.equal(answer.status, 200, answer.text);
  } else {
    assert.match(url.searchParams.get("error") ?? "", /^[a-z_]+$/);
  }
}

async function formPost(visit) {
  const { page } = visit;
  await toConsent(visit, "Form", { response_mode: "form_post", state: "in-a-form" });
  await allow(page);
  await page.waitForURL(CALLBACK);
  const [{ body, url }] = visit.arrivals;
  assert.equal(url.search, "");
  const fields = new URLSearchParams(body);
  assert.equal(fields.get("state"), "in-a-form");
  assert.equal(fields.get("iss"), ISSUER);
  assert.equal(fields.get("code").length, 43);
}
