// Several logins at once in one browser.

import assert from "node:assert/strict";
import { authorizeUrl, createClient, pkce, redeem } from "../site.mjs";
import { LOGIN, codeIn, finish, logIn } from "../walk.mjs";

export const scenarios = [
  { name: "tabs: eight of them finish in any order", run: eight },
  { name: "tabs: a login page that has become stale still works", run: stale },
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
