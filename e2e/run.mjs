// The quick start and every page in a real browser, against a running demo.
//
//   BASE=https://localhost:8443 CHROMIUM=/usr/bin/chromium SCREENSHOTS=../target/screenshots node run.mjs [NAME…]
//
// `cargo xtask browser` starts a demo of its own and calls this. NAME runs only the scenarios whose name has it.

import { mkdir } from "node:fs/promises";
import { close, fresh, launch } from "./browser.mjs";
import { BASE, waitUntilAlive } from "./site.mjs";
import { scenarios as quickstart } from "./scenarios/quickstart.mjs";
import { scenarios as pages } from "./scenarios/pages.mjs";
import { scenarios as demo } from "./scenarios/demo.mjs";
import { scenarios as outcomes } from "./scenarios/outcomes.mjs";
import { scenarios as tabs } from "./scenarios/tabs.mjs";
import { scenarios as plain } from "./scenarios/plain.mjs";
import { scenarios as sessions } from "./scenarios/sessions.mjs";
import { scenarios as leaving } from "./scenarios/leaving.mjs";
import { scenarios as sessionManagement } from "./scenarios/session_management.mjs";

const SCREENSHOTS = process.env.SCREENSHOTS ?? "../target/screenshots";
const LIMIT = 60_000;

const wanted = process.argv.slice(2);
const parts = [quickstart, pages, demo, outcomes, tabs, plain, sessions, leaving, sessionManagement];
const all = parts.flat();
const selected = all.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

await mkdir(SCREENSHOTS, { recursive: true });
await waitUntilAlive();
console.log(`${selected.length} scenarios against ${BASE}`);
const browser = await launch();
let failed = 0;
for (const scenario of selected) {
  const { javaScript = true, origins = [] } = scenario;
  const visit = await fresh(browser, { screenshots: SCREENSHOTS, javaScript, origins });
  try {
    await within(LIMIT, scenario.run(visit));
    visit.assertClean();
    console.log(`ok      ${scenario.name}`);
  } catch (error) {
    failed += 1;
    const picture = await visit.failure(scenario.name);
    console.log(`FAILED  ${scenario.name}\n        ${String(error?.stack ?? error).replaceAll("\n", "\n        ")}`);
    console.log(`        at ${visit.page.url()}, see ${picture}`);
  }
  await close(visit);
}
await browser.close();
console.log(`test result: ${failed ? "FAILED" : "ok"}. ${selected.length - failed} passed; ${failed} failed`);
process.exitCode = failed ? 1 : 0;

/** Fails when `work` takes longer than a person would wait. */
function within(milliseconds, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
