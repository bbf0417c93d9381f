// oidc-client-ts in Chromium: a single-page application of another origin on the same site.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { fresh, launch } from "../browser.mjs";
import { finish } from "../walk.mjs";
import { register } from "./fixtures.mjs";
import { done, say, scene } from "./scene.mjs";

const SCRIPT = "text/javascript";
const library = (path) => readFile(new URL(`node_modules/${path}`, import.meta.url));
const page = [await readFile(new URL("single-page.html", import.meta.url)), "text/html"];
const settings = {
  authority: scene.issuer,
  response_type: "code",
  scope: "openid profile email offline_access",
};
const files = {
  "/oidc-client-ts.js": [await library("oidc-client-ts/dist/esm/oidc-client-ts.js"), SCRIPT],
  "/jwt-decode.js": [await library("jwt-decode/build/esm/index.js"), SCRIPT],
};

const tls = { cert: await readFile(scene.certificate), key: await readFile(scene.certificateKey) };
const server = createServer(tls, (request, answer) => {
  const { pathname } = new URL(request.url, "https://localhost");
  const [body, type] = pathname === "/settings.json" ? [JSON.stringify(settings), "application/json"] : (files[pathname] ?? page);
  answer.setHeader("content-type", type).end(body);
});
await new Promise((resolve) => server.listen(0, "localhost", resolve));
const HOME = `https://localhost:${server.address().port}`;
const { client_id } = await register("Single page", {
  token_endpoint_auth_method: "none",
  redirect_uris: [`${HOME}/callback`],
  post_logout_redirect_uris: [`${HOME}/signed-out`],
});
settings.client_id = client_id;

const browser = await launch();
const visit = await fresh(browser, { screenshots: scene.work });
visit.reaches(HOME);
try {
  await redirect();
  await refreshed();
  await frame();
  await popup();
  await revoked();
  await signedOut();
  await wrongVerifier();
  await withoutPkce();
  const metadata = await visit.page.evaluate(() => globalThis.manager.metadataService.getMetadata());
  if (metadata.dpop_signing_alg_values_supported) await bound();
  visit.assertClean();
} catch (error) {
  say(`at ${visit.page.url()}: ${await visit.page.locator("body").innerText()}`);
  throw error;
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
done();

/** The text of the application once it has started. */
async function ready(tab = visit.page) {
  await tab.waitForFunction(() => document.body && document.body.textContent.trim() !== "starting");
  return (await tab.locator("body").innerText()).trim();
}

/** Leaves the application by one of the manager's redirects and comes back. */
async function leave(method, options) {
  const before = visit.page.url();
  const left = visit.page.waitForURL(({ href }) => href !== before);
  await visit.page.evaluate(([name, given]) => void globalThis.manager[name](given), [method, options]);
  await left;
  return finish(visit.page, HOME);
}

/** What the manager's method answers, or why it does not. */
function call(method, options) {
  return visit.page.evaluate(
    ([name, given]) =>
      globalThis.manager[name](given).then(
        (user) => ({ user: user && { ...user, profile: user.profile } }),
        (error) => ({ error: `${error.error ?? error.name}: ${error.message}` }),
      ),
    [method, options],
  );
}

async function redirect() {
  await visit.page.goto(HOME);
  assert.equal(await ready(), "ready");
  await leave("signinRedirect");
  assert.equal(await ready(), "ready");
  const { user } = await call("getUser");
  assert.ok(user.profile.email && user.refresh_token, JSON.stringify(user));
  say(`redirect: signed in as ${user.profile.name}, discovery, token and userinfo endpoint across origins`);
}

async function refreshed() {
  const before = (await call("getUser")).user;
  const { user, error } = await call("signinSilent");
  assert.ok(user && user.access_token !== before.access_token, error);
  say("silent renewal by refresh token");
}

/** Without a refresh token the library asks in a hidden frame with prompt=none. */
async function frame() {
  await call("removeUser");
  const { user, error } = await call("signinSilent");
  assert.ok(user, error);
  say("silent renewal in a frame");
}

async function popup() {
  const opened = visit.context.waitForEvent("page");
  const signedIn = call("signinPopup", { prompt: "login" });
  const tab = await opened;
  await tab.locator("#login-form").waitFor();
  await tab.fill("#username", scene.user.name);
  await tab.fill("#password", scene.user.password);
  await tab.click("#login-submit");
  const { user, error } = await signedIn;
  assert.ok(user, error);
  say("login in a pop-up");
}

async function revoked() {
  const before = (await call("getUser")).user;
  const { error } = await call("revokeTokens");
  assert.equal(error, undefined);
  const answer = await fetch(`${scene.issuer}/userinfo`, { headers: { authorization: `Bearer ${before.access_token}` } });
  assert.equal(answer.status, 401);
  say(`revocation: then userinfo says ${answer.headers.get("www-authenticate")}`);
}

async function signedOut() {
  const arrived = await leave("signoutRedirect");
  assert.equal(arrived.pathname, "/signed-out");
  assert.equal(await ready(), "ready");
  const { error } = await call("signinSilent");
  assert.match(error, /login_required/);
  say(`sign-out by redirect; then a frame is told ${error}`);
}

async function wrongVerifier() {
  const url = await visit.page.evaluate(async () => {
    const { url } = await globalThis.manager._client.createSigninRequest({ request_type: "si:r" });
    const key = `oidc.${new URL(url).searchParams.get("state")}`;
    const state = JSON.parse(localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify({ ...state, code_verifier: "x".repeat(64) }));
    return url;
  });
  await visit.page.goto(url);
  await finish(visit.page, HOME);
  const text = await ready();
  assert.match(text, /invalid_grant.*code_verifier does not match/);
  say(`wrong verifier: ${text}`);
}

async function withoutPkce() {
  settings.disablePKCE = true;
  await visit.page.goto(HOME);
  await ready();
  await leave("signinRedirect");
  const text = await ready();
  delete settings.disablePKCE;
  assert.match(text, /invalid_request.*code_challenge/);
  say(`without PKCE: ${text}`);
}

/** RFC 9449, the code bound too. */
async function bound() {
  settings.DPoP = true;
  await visit.page.goto(HOME);
  await ready();
  await leave("signinRedirect");
  assert.equal(await ready(), "ready");
  const { user } = await call("getUser");
  assert.equal(user.token_type, "DPoP");
  const told = await visit.page.evaluate(async (url) => {
    const current = await globalThis.manager.getUser();
    const headers = { authorization: `DPoP ${current.access_token}`, dpop: await globalThis.manager.dpopProof(url, current, "GET") };
    return (await fetch(url, { headers })).json();
  }, `${scene.issuer}/userinfo`);
  assert.equal(told.sub, user.profile.sub, JSON.stringify(told));
  const { user: again, error } = await call("signinSilent");
  assert.ok(again, error);
  say("DPoP: redirect, userinfo, refresh");
}
