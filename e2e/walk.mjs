// Going through login and consent by hand.

import assert from "node:assert/strict";
import { CALLBACK, CALLBACK_ORIGIN, USER } from "./site.mjs";

export const LOGIN = "#login-form";
export const CONSENT = "#consent-form";
export const LOGOUT = "#logout-form";

export async function logIn(page, user = USER) {
  await page.fill("#username", user.name);
  await page.fill("#password", user.password);
  await page.click("#login-submit");
}

export async function allow(page) {
  await page.click("#consent-allow");
}

/** Where the tab is once it has loaded: at the client, whose origin is `home`, or at one of our pages. */
export async function stage(page, home = CALLBACK_ORIGIN) {
  await page.waitForLoadState();
  if (new URL(page.url()).origin === home) return "client";
  if (await page.locator(LOGIN).count()) return "login";
  if (await page.locator(CONSENT).count()) return "consent";
  if (await page.locator(LOGOUT).count()) return "logout";
  return "elsewhere";
}

const ANSWERS = { login: logIn, consent: allow, logout: (page) => page.click("#logout-confirm") };

/** Answers whatever page comes until the client is reached; its address. */
export async function finish(page, home) {
  for (let step = 0; step < 6; step += 1) {
    const now = await stage(page, home);
    if (now === "client") return new URL(page.url());
    assert.notEqual(now, "elsewhere", `a dead end at ${page.url()}`);
    const left = page.waitForEvent("framenavigated");
    await ANSWERS[now](page);
    await left;
  }
  throw new Error(`the client is not reached, only ${page.url()}`);
}

/** The code in an address of the client. */
export function codeIn(url) {
  assert.equal(url.origin + url.pathname, CALLBACK);
  const code = url.searchParams.get("code");
  assert.ok(code, `no code in ${url}`);
  return code;
}
