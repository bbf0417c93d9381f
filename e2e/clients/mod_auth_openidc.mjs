// Apache with mod_auth_openidc in front of a page: an instance of its own, whose virtual hosts are three applications.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fresh, launch } from "../browser.mjs";
import { CONSENT, LOGIN, finish } from "../walk.mjs";
import { register } from "./fixtures.mjs";
import { done, say, scene } from "./scene.mjs";

const APACHE = process.env.APACHE ?? "/usr/sbin/apache2";
const MODULES = process.env.APACHE_MODULES ?? "/usr/lib/apache2/modules";
const LOADED = ["mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc"];

const directory = join(scene.work, "apache");
// The workers may belong to another user, who has to reach these files.
const shared = await mkdtemp(join(tmpdir(), "postern-apache-"));
await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });
await cp(scene.root, join(shared, "root.pem"));
await chmod(shared, 0o755);
await chmod(join(shared, "root.pem"), 0o644);

/** What Apache protects: a page that shows what it was told about the user. */
const backend = createServer(({ headers }, answer) => {
  const told = Object.entries(headers).filter(([name]) => name.startsWith("oidc_"));
  answer.setHeader("content-type", "application/json").end(JSON.stringify(Object.fromEntries(told)));
});
const backendPort = await listening(backend);
const ports = await Promise.all([freePort(), freePort(), freePort()]);
const [secretHome, postedHome, wrongHome] = ports.map((port) => `http://localhost:${port}`);
const secret = await application(secretHome, { token_endpoint_auth_method: "client_secret_basic", client_secret: scene.secret.secret });
const posted = await application(postedHome, { token_endpoint_auth_method: "client_secret_post", client_secret: scene.secret.secret });
const wrong = await application(wrongHome, { token_endpoint_auth_method: "client_secret_basic", client_secret: scene.secret.secret });
await writeFile(join(directory, "apache.conf"), configuration());

const apache = spawn(APACHE, ["-f", join(directory, "apache.conf"), "-DFOREGROUND"], { stdio: "inherit" });
const browser = await launch();
const visit = await fresh(browser, { screenshots: scene.work });
visit.reaches(secretHome, postedHome, wrongHome);
try {
  await answering(ports[0]);
  await login("client_secret_basic", secretHome);
  await refresh(secretHome);
  await login("client_secret_post, the response as a form", postedHome);
  await logout(secretHome);
  await loggedOutToo(postedHome);
  await wrongSecret();
  visit.assertClean();
} catch (error) {
  say(`at ${visit.page.url()}: ${await visit.page.locator("body").innerText()}`);
  say((await errorLog()).slice(-20).join("\n"));
  throw error;
} finally {
  await browser.close();
  apache.kill();
  backend.closeAllConnections();
  backend.close();
  await rm(shared, { recursive: true });
}
done();

/** A registration for the application at `home`. */
function application(home, settings) {
  return register(`Apache at ${home}`, {
    ...settings,
    redirect_uris: [`${home}/oidc`],
    post_logout_redirect_uris: [`${home}/signed-out`],
    backchannel_logout_uri: `${home}/oidc?logout=backchannel`,
    backchannel_logout_session_required: true,
  });
}

function configuration() {
  const user = process.getuid() === 0 ? "User nobody\nGroup nogroup" : "";
  return `
ServerRoot "${directory}"
PidFile "${directory}/apache.pid"
ErrorLog "${directory}/error.log"
LogLevel warn
${user}
${LOADED.map((name) => `LoadModule ${name}_module "${MODULES}/mod_${name}.so"`).join("\n")}
StartServers 1
ServerName localhost
OIDCCryptoPassphrase "${randomBytes(16).toString("hex")}"
OIDCCABundlePath "${shared}/root.pem"
${host(ports[0], secret.client_id, `OIDCClientSecret ${quoted(scene.secret.secret)}`)}
${host(ports[1], posted.client_id, `OIDCClientSecret ${quoted(scene.secret.secret)}\nOIDCProviderTokenEndpointAuth client_secret_post\nOIDCResponseMode form_post`)}
${host(ports[2], wrong.client_id, 'OIDCClientSecret "this is another"')}
`;
}

function host(port, clientId, authentication) {
  const home = `http://localhost:${port}`;
  return `
Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
ServerName ${home}
OIDCProviderMetadataURL "${scene.issuer}/.well-known/openid-configuration"
OIDCClientID "${clientId}"
${authentication}
OIDCRedirectURI "${home}/oidc"
OIDCScope "openid email profile offline_access"
OIDCPKCEMethod S256
# Cookies know no ports.
OIDCCookie "session-${port}"
OIDCUserInfoRefreshInterval 1
ProxyPass "/page" "http://127.0.0.1:${backendPort}/"
<Location "/page">
AuthType openid-connect
Require valid-user
</Location>
<Location "/oidc">
AuthType openid-connect
Require valid-user
</Location>
</VirtualHost>`;
}

function quoted(text) {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The protected page, after whatever the server's pages ask. */
async function page(home) {
  await visit.page.goto(`${home}/page`);
  // The form of form_post is on its way by itself.
  const arrived = (ours) => document.querySelector(ours) || document.body?.innerText.startsWith("{");
  await visit.page.waitForFunction(arrived, `${LOGIN}, ${CONSENT}`);
  await finish(visit.page, home);
  await visit.page.waitForFunction(arrived, "never");
  return JSON.parse(await visit.page.locator("body").innerText());
}

async function login(title, home) {
  const told = await page(home);
  assert.equal(told.oidc_claim_iss, scene.issuer);
  assert.ok(told.oidc_claim_email && told.oidc_access_token, JSON.stringify(told));
  say(`${title}: the page is shown to ${told.oidc_claim_name}`);
}

async function refresh(home) {
  const before = (await page(home)).oidc_access_token;
  const parameters = new URLSearchParams({ refresh: `${home}/page`, access_token: before });
  await visit.page.goto(`${home}/oidc?${parameters}`);
  assert.equal(visit.page.url(), `${home}/page`, "no error_code");
  assert.notEqual(JSON.parse(await visit.page.locator("body").innerText()).oidc_access_token, before);
  say("refresh by the module's hook");
}

async function logout(home) {
  await visit.page.goto(`${home}/oidc?${new URLSearchParams({ logout: `${home}/signed-out` })}`);
  await finish(visit.page, home);
  assert.equal(visit.page.url(), `${home}/signed-out`);
  await visit.page.goto(`${home}/page`);
  await visit.page.locator("#login-form").waitFor();
  say("logout: the page asks for a login again");
}

/** OIDC Back-Channel Logout: the other application of the session was told. */
async function loggedOutToo(home) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const answer = await visit.context.request.get(`${home}/page`, { maxRedirects: 0 });
    if (!(await answer.text()).startsWith("{")) return say("back-channel logout: so does the other application");
    await pause(100);
  }
  return assert.fail("the other application still has its session");
}

async function wrongSecret() {
  await visit.page.goto(`${wrongHome}/page`);
  await finish(visit.page, wrongHome);
  const lines = (await errorLog()).filter((line) => line.includes("invalid_client"));
  assert.ok(lines.length > 0, "the log of Apache has the answer");
  say(`wrong secret: ${lines.at(-1)}`);
}

async function errorLog() {
  return (await readFile(join(directory, "error.log"), "utf8").catch(() => "")).trim().split("\n");
}

async function answering(port) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (apache.exitCode !== null) throw new Error(`Apache ended: ${(await errorLog()).join("\n")}`);
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.unref();
      setTimeout(() => socket.destroy(), 500).unref();
    });
    if (open) return;
    await pause(50);
  }
  throw new Error("Apache does not answer");
}

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

async function freePort() {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
