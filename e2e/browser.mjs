// Chromium, and what is watched while a scenario runs: hosts, statuses, errors, accessibility, pictures.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { BASE, CALLBACK_ORIGIN } from "./site.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The hosts that a stub plays are on no network, the demo is on this computer.
  "--disable-features=LocalNetworkAccessChecks",
];
const ARRIVED = "<!doctype html><title>Client</title><p>arrived";
const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** A browser without a past. Its pages may reach the demo only; the client's host and `origins` are played by a stub. */
export async function fresh(browser, { screenshots, javaScript = true, origins = [] }) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    javaScriptEnabled: javaScript,
    locale: "en-US",
    viewport: { width: 1280, height: 900 },
  });
  context.setDefaultTimeout(15_000);
  const visit = new Visit(context, screenshots, javaScript, origins);
  context.on("request", (request) => visit.sawRequest(request));
  context.on("response", (response) => visit.sawResponse(response));
  context.on("page", (page) => visit.watch(page));
  visit.page = await visit.tab();
  return visit;
}

export async function close(visit) {
  await visit.context.close();
}

class Visit {
  /** What reached the client: `{ url, body }` in order. */
  arrivals = [];
  /** What the stub answers at an address: `{ status, headers, body }`; something without any meaning unless set. */
  client = () => undefined;
  #problems = [];
  #expected = [];
  #played;
  #screenshots;
  #javaScript;
  #origins;

  constructor(context, screenshots, javaScript, origins) {
    this.context = context;
    this.#played = [CALLBACK_ORIGIN, ...origins];
    this.#origins = [BASE, ...this.#played];
    this.#screenshots = screenshots;
    this.#javaScript = javaScript;
  }

  /** Another tab of the same browser. */
  async tab() {
    const page = await this.context.newPage();
    await this.#playClient(page);
    return page;
  }

  /** Answers in the client's place. Playwright's own routes do not see where a redirect leads, DevTools' do. */
  async #playClient(page) {
    const devtools = await this.context.newCDPSession(page);
    devtools.on("Fetch.requestPaused", ({ requestId, request }) => {
      const url = new URL(request.url);
      this.arrivals.push({ url, body: request.postData });
      const { status = 200, headers = {}, body = ARRIVED } = this.client(url) || {};
      const responseHeaders = Object.entries({ "content-type": "text/html", ...headers });
      const answer = {
        requestId,
        responseCode: status,
        responseHeaders: responseHeaders.map(([name, value]) => ({ name, value })),
        body: Buffer.from(body).toString("base64"),
      };
      devtools.send("Fetch.fulfillRequest", answer).catch(() => {});
    });
    const patterns = this.#played.map((origin) => ({ urlPattern: `${origin}/*` }));
    await devtools.send("Fetch.enable", { patterns });
  }

  /** The pages may reach these too: servers of the scenario's own. */
  reaches(...origins) {
    this.#origins.push(...origins);
  }

  /** The console is to say this. */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  sawRequest(request) {
    const url = new URL(request.url());
    const known = this.#origins.includes(url.origin) || ["data:", "blob:", "about:"].includes(url.protocol);
    if (!known) this.#problems.push(`a request to another host: ${request.url()}`);
  }

  sawResponse(response) {
    if (response.status() >= 500) this.#problems.push(`${response.status()} of ${response.url()}`);
  }

  watch(page) {
    page.on("pageerror", (error) => this.#problems.push(`a script failed: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      const foreseen = text.startsWith("Failed to load resource") || this.#expected.some((one) => one.test(text));
      if (message.type() === "error" && !foreseen) {
        this.#problems.push(`the console says: ${text}`);
      }
    });
  }

  /** No foreign host, no 5xx, no failing script, no violated policy since the start of the scenario. */
  assertClean() {
    assert.deepEqual(this.#problems, []);
  }

  /** Looks at the page as people do: two widths, light and dark, with a reader's aids; keeps the pictures. */
  async look(name, page = this.page) {
    for (const scheme of SCHEMES) {
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: width > 600 ? 900 : 844 });
        await page.screenshot({ path: join(this.#screenshots, `${name}-${width}-${scheme}.png`), fullPage: true });
        if (this.#javaScript) await this.#assertAccessible(page, `${name}, ${width} px, ${scheme}`);
      }
    }
    if (this.#javaScript) await this.#assertFits(page, name);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 900 });
  }

  /** A picture only, for pages that are not ours to judge. */
  async picture(name, page = this.page) {
    await page.screenshot({ path: join(this.#screenshots, `${name}.png`) });
  }

  async #assertAccessible(page, where) {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const described = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(described, [], `accessibility of ${where}`);
  }

  /** Nothing is cut off on the narrowest phone, and text can be doubled. */
  async #assertFits(page, name) {
    await page.setViewportSize({ width: 360, height: 800 });
    const overflow = await page.evaluate(() => document.scrollingElement.scrollWidth - globalThis.innerWidth);
    assert.ok(overflow <= 0, `${name} is ${overflow} px wider than a phone of 360 px`);
  }

  async failure(name) {
    const path = join(this.#screenshots, `failed-${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`);
    const pages = this.context.pages();
    await pages.at(-1)?.screenshot({ path }).catch(() => {});
    return path;
  }
}
