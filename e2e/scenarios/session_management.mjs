// OIDC Session Management 1.0 as an application uses it: it holds our frame, asks it, and hears when the session changes.

import assert from "node:assert/strict";
import { BASE, ISSUER, administer, authorizeUrl, createClient, pkce } from "../site.mjs";
import { finish } from "../walk.mjs";

// Another port of the same host is the same site: browsers then give the frame its cookie.
const APP = "https://localhost:44443";
const CALLBACK = `${APP}/callback`;
// Another site.
const FOREIGN = "https://watching.example";

export const scenarios = [
  { name: "session management: unchanged, then changed after a logout", origins: [APP], run: session },
  { name: "session management: another site's frame without our cookie says error", origins: [FOREIGN], run: foreign },
];

/** The application's page: our frame, and what it answers (OIDC Session Management §3.1, §3.2). */
const PAGE = `<!doctype html><title>Application</title>
<iframe id="op" src="${ISSUER}/oidc/check-session"></iframe>
<script>
  const frame = document.getElementById("op");
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
  globalThis.ask = async (message) => {
    await loaded;
    const answer = new Promise((resolve) => {
      addEventListener("message", (event) => event.origin === "${BASE}" && resolve(event.data), { once: true });
    });
    frame.contentWindow.postMessage(message, "${BASE}");
    return answer;
  };
</script>`;

async function session(visit) {
  const { page } = visit;
  const { sso } = (await administer("GET", "/servers/default")).json();
  await setting({ ...sso, session_management: true });
  visit.client = () => ({ status: 200, body: PAGE });
  const client = await createClient("Watching", { redirect_uris: [CALLBACK] });
  const request = authorizeUrl(client, pkce().challenge, { redirect_uri: CALLBACK });
  await page.goto(request);
  const state = (await finish(page, APP)).searchParams.get("session_state");
  assert.ok(state);
  const ask = (message) => page.evaluate((sent) => globalThis.ask(sent), message);
  assert.equal(await ask(`${client} ${state}`), "unchanged");
  assert.equal(await ask(`somebody-else ${state}`), "changed");
  assert.equal(await ask("nonsense"), "error");
  // The person signs out in another tab.
  const other = await visit.tab();
  await other.goto(`${ISSUER}/logout`);
  await other.click("#logout-confirm");
  await other.locator("#logged-out").waitFor();
  assert.equal(await ask(`${client} ${state}`), "changed");
  // Nobody is there; and a new session is another one.
  await page.goto(`${request}&prompt=none`);
  assert.equal(new URL(page.url()).searchParams.get("error"), "login_required");
  await page.goto(request);
  const next = (await finish(page, APP)).searchParams.get("session_state");
  assert.equal(await ask(`${client} ${state}`), "changed");
  assert.equal(await ask(`${client} ${next}`), "unchanged");
  await setting(sso);
}

/** A private window keeps our cookie back from another site's frame: nobody can say then whether somebody is logged in. */
async function foreign(visit) {
  const { page } = visit;
  const { sso } = (await administer("GET", "/servers/default")).json();
  await setting({ ...sso, session_management: true });
  visit.client = () => ({ status: 200, body: PAGE });
  const redirect_uri = `${FOREIGN}/callback`;
  const client = await createClient("Watching from afar", { redirect_uris: [redirect_uri] });
  await page.goto(authorizeUrl(client, pkce().challenge, { redirect_uri }));
  const state = (await finish(page, FOREIGN)).searchParams.get("session_state");
  assert.equal(await page.evaluate((sent) => globalThis.ask(sent), `${client} ${state}`), "error");
  await setting(sso);
}

async function setting(sso) {
  const workspace = (await administer("GET", "/servers/default")).json();
  const answer = await administer("PUT", "/servers/default", { ...workspace, sso });
  assert.equal(answer.status, 200, answer.text);
}
