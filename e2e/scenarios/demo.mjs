// The small client inside the demo.

import assert from "node:assert/strict";
import { ISSUER } from "../site.mjs";
import { CONSENT, LOGIN, allow, logIn, stage } from "../walk.mjs";

export const scenarios = [{ name: "demo: one button shows the whole flow", run: wholeFlow }];

async function wholeFlow(visit) {
  const { page } = visit;
  await page.goto(`${ISSUER}/demo`);
  await visit.look("demo");
  await page.click("#demo-start");
  await page.locator(LOGIN).waitFor();
  await logIn(page);
  await page.locator(`${CONSENT}, #demo-subject`).waitFor();
  if ((await stage(page)) === "consent") await allow(page);

  await page.locator("#demo-subject").waitFor();
  assert.ok((await page.locator("#demo-subject").innerText()).length > 0);
  assert.ok((await page.locator(".token").count()) >= 2, "ID token and access token are shown");
  assert.match(await page.locator(".token pre").allInnerTexts().then((texts) => texts.join()), /"iss"/);
  const before = await page.locator(".exchanges > li").count();
  assert.ok(before >= 2, "the requests are shown");
  await page.locator(".exchanges summary").first().click();
  await visit.look("demo-result");

  for (const action of ["refresh", "userinfo", "introspect"]) {
    const button = page.locator(`button[name=action][value=${action}]`);
    if (!(await button.count())) continue;
    const shown = await page.locator(".exchanges > li").count();
    await button.click();
    await page.waitForFunction((count) => document.querySelectorAll(".exchanges > li").length !== count, shown);
    assert.equal(await page.locator("[role=alert]").count(), 0, `${action} works`);
  }
}
