// Everything a person needs works without JavaScript.

import assert from "node:assert/strict";
import { CALLBACK, authorizeUrl, createClient, pkce, redeem } from "../site.mjs";
import { CONSENT, LOGIN, allow, codeIn, logIn } from "../walk.mjs";

export const scenarios = [
  { name: "without JavaScript: login and consent", javaScript: false, run: signIn },
  { name: "without JavaScript: form_post has a button", javaScript: false, run: formPost },
];

async function toClient(visit, name, more) {
  const { page } = visit;
  const clientId = await createClient(name);
  const { verifier, challenge } = pkce();
  await page.goto(authorizeUrl(clientId, challenge, more));
  await page.locator(LOGIN).waitFor();
  await logIn(page);
  await page.locator(CONSENT).waitFor();
  await allow(page);
  return { clientId, verifier };
}

async function signIn(visit) {
  const { clientId, verifier } = await toClient(visit, "Plain");
  await visit.page.waitForURL(`${CALLBACK}?**`);
  const answer = await redeem(clientId, codeIn(new URL(visit.page.url())), verifier);
  assert.equal(answer.status, 200, answer.text);
}

async function formPost(visit) {
  const { page } = visit;
  await toClient(visit, "Plain form", { response_mode: "form_post" });
  await page.locator("#form-post").waitFor({ state: "attached" });
  await visit.look("form-post");
  await page.locator("#form-post button").click();
  await page.waitForURL(CALLBACK);
  assert.equal(new URLSearchParams(visit.arrivals[0].body).get("code").length, 43);
}
