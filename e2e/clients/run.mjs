// Clients that others wrote, each against a running demo, with a person in Chromium who logs in and consents.
//
//   BASE=… DATA=… POSTERN=… CHROMIUM=… PYTHON=… WORK=… node run.mjs [NAME…]
//
// `cargo xtask clients` starts a demo of its own and calls this. NAME runs only the clients whose name has it.
//
// A client is a program in any language: one file here and one line in CLIENTS. It finds what it needs in SCENE
// (JSON, see scene.mjs), says what it does line by line, and exits with 0. A line `visit URL` sends the person there;
// the answer on its standard input is one line of JSON, the `url` of the client at which the person arrived.

import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { close, fresh, launch } from "../browser.mjs";
import { BASE, waitUntilAlive } from "../site.mjs";
import { finish } from "../walk.mjs";
import { explained } from "./explained.mjs";
import { allowRegistration, scene } from "./fixtures.mjs";

const PYTHON = process.env.PYTHON ?? "python3";
const WORK = process.env.WORK ?? "../../target/clients";

const CLIENTS = [
  { name: "openidconnect (Rust)", command: [join(WORK, "cargo/debug/openidconnect-client")] },
  { name: "oauth4webapi", command: ["node", "oauth4webapi.mjs"] },
  { name: "openid-client", command: ["node", "openid-client.mjs"] },
  { name: "oidc-client-ts", command: ["node", "oidc-client-ts.mjs"] },
  { name: "Authlib", command: [PYTHON, "authlib_client.py"] },
  { name: "mod_auth_openidc", command: ["node", "mod_auth_openidc.mjs"] },
  { name: "MCP SDK, TypeScript", command: ["node", "mcp-typescript.mjs"] },
  { name: "MCP SDK, Python", command: [PYTHON, "mcp_python.py"] },
];
const LIMIT = 120_000;

const wanted = process.argv.slice(2);
const selected = CLIENTS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

await mkdir(WORK, { recursive: true });
await waitUntilAlive();
await allowRegistration();
console.log(`${selected.length} clients against ${BASE}`);
const browser = await launch();
let failed = 0;
for (const client of selected) {
  const started = performance.now();
  console.log(`${client.name}`);
  const visit = await fresh(browser, { screenshots: WORK });
  try {
    await run(client, visit);
    visit.assertClean();
    console.log(`ok      ${client.name}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${client.name}: ${error.message}`);
    const page = await visit.page.locator("body").innerText().catch(() => "");
    if (page) console.log(`  the person's page, ${visit.page.url()}:\n${indented(page)}`);
    for (const text of await explained(`${error.output ?? ""} ${page}`)) console.log(`  the server's explanation:\n${indented(text)}`);
  }
  await close(visit);
}
await browser.close();
console.log(`test result: ${failed ? "FAILED" : "ok"}. ${selected.length - failed} passed; ${failed} failed`);
process.exitCode = failed ? 1 : 0;

/** Runs a client to its end. Fails with its `output` when it does, or when the person cannot go on. */
async function run({ name, command: [program, ...given] }, visit) {
  const environment = { ...process.env, SCENE: JSON.stringify(await scene(name, WORK)) };
  const child = spawn(program, given, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
  const output = [];
  const problems = [];
  const timer = setTimeout(() => {
    problems.push(`not done after ${LIMIT} ms`);
    child.kill();
  }, LIMIT);
  const ended = new Promise((resolve) => {
    child.on("error", (error) => {
      problems.push(error.message);
      resolve();
    });
    child.on("close", (code, signal) => {
      if (code !== 0) problems.push(`ended with ${signal ?? code}`);
      resolve();
    });
  });
  const say = (line) => {
    output.push(line);
    console.log(`        ${line}`);
  };
  createInterface({ input: child.stderr }).on("line", say);
  createInterface({ input: child.stdout }).on("line", async (line) => {
    if (!line.startsWith("visit ")) return say(line);
    try {
      const url = await arrive(visit, line.slice("visit ".length));
      child.stdin.write(`${JSON.stringify({ url })}\n`);
    } catch (error) {
      problems.push(`the person does not arrive: ${error.message}`);
      child.kill();
    }
  });
  await ended;
  clearTimeout(timer);
  if (problems.length > 0) throw Object.assign(new Error(problems.join("; ")), { output: output.join("\n") });
}

/** Opens an address and answers our pages until the browser is at the client; where that is. */
async function arrive(visit, url) {
  await visit.page.goto(url);
  return (await finish(visit.page)).href;
}

function indented(text) {
  return text.trim().replaceAll(/^/gm, "    ");
}
