// The pages that need nobody to be signed in: where things are, what went wrong.

import assert from "node:assert/strict";
import { BASE, CALLBACK, ISSUER, ask, authorizeUrl, createClient, pkce, redeem } from "../site.mjs";
import { CONSENT, LOGIN, codeIn, finish, logIn } from "../walk.mjs";

export const scenarios = [
  { name: "landing: the server's page leads to what exists", run: (visit) => landing(visit, "/", "landing") },
  { name: "landing: the tenant's page leads to what exists", run: (visit) => landing(visit, "/default", "landing-tenant") },
  { name: "error page: an unregistered redirect URI stays here", run: unregisteredRedirect },
  { name: "error page: an unknown client stays here", run: unknownClient },
  { name: "not found: the page helps on", run: notFound },
  { name: "login page: a wrong password may be mended", run: wrongPassword },
  { name: "login page: Back after a wrong password sends nothing again", run: backAfterWrongPassword },
  { name: "login page: in the language that was asked for", run: language },
];

async function landing(visit, path, name) {
  const { page } = visit;
  const answer = await page.goto(BASE + path);
  assert.equal(answer.status(), 200);
  await visit.look(name);
  const links = await page.locator("main a[href]").evaluateAll((all) => all.map((link) => link.href));
  assert.ok(links.length > 0, "there are links");
  for (const link of new Set(links.filter((link) => link.startsWith(BASE)))) {
    const { status } = await ask(link);
    assert.ok(status < 400, `${link} answers ${status}`);
  }
}

async function unregisteredRedirect(visit) {
  const clientId = await createClient("Redirects");
  const url = authorizeUrl(clientId, pkce().challenge, { redirect_uri: `${CALLBACK}/other`, state: "s" });
  const answer = await visit.page.goto(url);
  await assertErrorPage(visit, answer);
  await visit.look("error");
  assert.equal((await visit.page.reload()).status(), 400, "and who loads it again is told how to go on");
}

async function unknownClient(visit) {
  await assertErrorPage(visit, await visit.page.goto(authorizeUrl("nobody", pkce().challenge)));
  await visit.look("error-unknown-client");
}

/** RFC 6749 §4.1.2.1: such an error is shown, never sent anywhere. */
async function assertErrorPage({ page, arrivals }, answer) {
  assert.equal(answer.status(), 400);
  assert.match(await page.locator("#error-code").innerText(), /^[a-z_]+$/);
  assert.ok((await page.locator("#error-description").innerText()).length > 10);
  assert.ok((await page.locator("#trace-id").innerText()).length >= 8);
  assert.equal(answer.headers()["x-trace-id"], await page.locator("#trace-id").innerText());
  assert.equal(page.url(), `${ISSUER}/error`, "the address of error pages, without what was asked");
  assert.deepEqual(arrivals, []);
}

async function notFound(visit) {
  const { page } = visit;
  const answer = await page.goto(`${ISSUER}/oauth2/authorise`);
  assert.equal(answer.status(), 404);
  assert.match(await page.locator("main").innerText(), /authorise/);
  assert.ok(await page.locator("main a[href]").count(), "a way on");
  await visit.look("not-found");
}

async function wrongPassword(visit) {
  const { page } = visit;
  const clientId = await createClient("Passwords");
  await page.goto(authorizeUrl(clientId, pkce().challenge));
  await page.fill("#username", "user");
  await page.fill("#password", "wrong");
  await page.click("#login-submit");
  await page.locator("#login-problem").waitFor();
  assert.equal(await page.inputValue("#username"), "user", "what was typed is kept");
  assert.equal(await page.inputValue("#password"), "", "the password is not");
  await visit.look("login-problem");
  await page.fill("#password", "user");
  await page.keyboard.press("Enter");
  await page.locator("#consent-form").waitFor();
}

/** The history holds pages, no forms: a browser that would have to send one again shows a page of its own instead. */
async function backAfterWrongPassword(visit) {
  const { page } = visit;
  const clientId = await createClient("Back");
  const { verifier, challenge } = pkce();
  await page.goto(authorizeUrl(clientId, challenge));
  await logIn(page, { name: "ada@example.com", password: "wrong" });
  await page.locator("#login-problem").waitFor();
  assert.ok(!page.url().includes("ada"), "the name stays out of the address");
  const again = await page.reload();
  assert.equal(again.status(), 403);
  assert.equal(again.request().method(), "GET");
  await logIn(page);
  await page.locator(CONSENT).waitFor();
  // From the consent back over both login pages: each is loaded, and leads to what is due.
  await page.goBack();
  await page.locator(CONSENT).waitFor();
  assert.ok(page.url().startsWith(ISSUER), page.url());
  const answer = await redeem(clientId, codeIn(await finish(page)), verifier);
  assert.equal(answer.status, 200, answer.text);

  const elsewhere = await visit.tab();
  await elsewhere.goto(authorizeUrl(await createClient("Back before the end"), pkce().challenge, { prompt: "login" }));
  await logIn(elsewhere, { name: "user", password: "wrong" });
  await elsewhere.locator("#login-problem").waitFor();
  await elsewhere.goBack();
  await elsewhere.locator(LOGIN).waitFor();
  assert.equal(await elsewhere.locator("#login-problem").count(), 0, "the page as it was first");
  await elsewhere.goForward();
  await elsewhere.locator("#login-problem").waitFor();
  codeIn(await finish(elsewhere));
}

async function language(visit) {
  const { page } = visit;
  const clientId = await createClient("Sprachen");
  await page.goto(authorizeUrl(clientId, pkce().challenge, { ui_locales: "de" }));
  await page.locator(LOGIN).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await visit.look("login-de");
}
