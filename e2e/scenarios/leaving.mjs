// From our forms to the client: the policy of our pages lets them go where the registration says, and on over the web.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { CALLBACK, CALLBACK_ORIGIN, authorizeUrl, createClient, pkce } from "../site.mjs";
import { CONSENT, allow, finish, logIn } from "../walk.mjs";

const HOME = "https://app.example.com";
const FOREIGN = "https://elsewhere.example.net";
const CUSTOM = "com.example.app:/callback";

export const scenarios = [
  { name: "leaving: to https, by redirect", run: (visit) => web(visit, {}) },
  { name: "leaving: to https, by form_post", run: (visit) => web(visit, { response_mode: "form_post" }) },
  { name: "leaving: the client passes on to its own home page", origins: [HOME], run: passedOn },
  { name: "leaving: the client passes on after form_post", origins: [HOME], run: passedOnAfterFormPost },
  { name: "leaving: a broker passes on to a host that it never named", origins: [FOREIGN], run: broker },
  { name: "leaving: not to an application of this computer behind a redirect to the web", run: notToTheDevice },
  { name: "leaving: to http on this computer, and on to another port", run: loopback },
  { name: "leaving: to an application of a scheme of its own", run: customScheme },
  { name: "leaving: cancelled at the login page", run: cancelled },
];

/** A client's answer that leads on. */
function leadsOn(to) {
  return { status: 302, headers: { location: to } };
}

async function web(visit, more) {
  await visit.page.goto(authorizeUrl(await createClient("On the web"), pkce().challenge, more));
  await finish(visit.page);
  const [{ url, body }] = visit.arrivals;
  const answer = new URLSearchParams(more.response_mode ? body : url.search);
  assert.ok(answer.get("code"), `${url} ${body}`);
}

/** A callback on one host, the application on another: both are in the registration. */
async function passedOn(visit) {
  const client = await createClient("With a home page", { client_uri: `${HOME}/` });
  visit.client = ({ origin }) => origin === CALLBACK_ORIGIN && leadsOn(`${HOME}/start`);
  // First by the consent page's form, then by the login page's, since the consent is remembered.
  for (const more of [{}, { prompt: "login" }]) {
    await visit.page.goto(authorizeUrl(client, pkce().challenge, more));
    await finish(visit.page, HOME);
    assert.equal(visit.page.url(), `${HOME}/start`);
  }
}

async function passedOnAfterFormPost(visit) {
  const client = await createClient("With a home page and form_post", { client_uri: `${HOME}/` });
  visit.client = ({ origin }) => origin === CALLBACK_ORIGIN && { ...leadsOn(`${HOME}/start`), status: 303 };
  await visit.page.goto(authorizeUrl(client, pkce().challenge, { response_mode: "form_post" }));
  await finish(visit.page, HOME);
  assert.equal(visit.page.url(), `${HOME}/start`);
}

async function broker(visit) {
  visit.client = ({ origin }) => origin === CALLBACK_ORIGIN && leadsOn(`${FOREIGN}/`);
  await visit.page.goto(authorizeUrl(await createClient("A broker"), pkce().challenge));
  await finish(visit.page, FOREIGN);
}

async function notToTheDevice(visit) {
  const violation = /violates the following Content Security Policy directive: "form-action/;
  visit.expect(violation);
  visit.reaches("null");
  visit.client = ({ origin }) => origin === CALLBACK_ORIGIN && leadsOn(CUSTOM);
  await visit.page.goto(authorizeUrl(await createClient("A stranger's friend"), pkce().challenge));
  await logIn(visit.page);
  await visit.page.locator(CONSENT).waitFor();
  let asked = false;
  visit.page.on("request", (request) => (asked ||= request.url().startsWith(CUSTOM)));
  const said = visit.page.waitForEvent("console", (message) => violation.test(message.text()));
  await allow(visit.page);
  await said;
  assert.ok(!asked, "nobody asked for the application");
}

/** While an application is developed: a server on one port, its pages on another, each spelled differently. */
async function loopback(visit) {
  const pages = await serve((_, answer) => answer.end("<!doctype html><title>Application</title><p>there"));
  const home = `http://localhost:${pages.address().port}`;
  const server = await serve((request, answer) => {
    assert.ok(new URL(request.url, "http://127.0.0.1").searchParams.get("code"), request.url);
    answer.writeHead(302, { location: `${home}/app` }).end();
  });
  const origin = `http://127.0.0.1:${server.address().port}`;
  visit.reaches(origin, home);
  const redirect_uri = `${origin}/callback`;
  const client = await createClient("In development", { redirect_uris: [redirect_uri] });
  await visit.page.goto(authorizeUrl(client, pkce().challenge, { redirect_uri }));
  await finish(visit.page, home);
  assert.equal(visit.page.url(), `${home}/app`);
  server.close();
  pages.close();
}

function serve(answer) {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      answer(request, response);
    });
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

/** Nobody here has claimed the scheme; the browser asks for it nevertheless, unless the policy forbids that. */
async function customScheme(visit) {
  visit.reaches("null");
  const more = { redirect_uris: [CUSTOM], application_type: "native" };
  const client = await createClient("On the telephone", more);
  await visit.page.goto(authorizeUrl(client, pkce().challenge, { redirect_uri: CUSTOM }));
  await logIn(visit.page);
  await visit.page.locator(CONSENT).waitFor();
  const asked = visit.page.waitForRequest((request) => request.url().startsWith(CUSTOM));
  await allow(visit.page);
  assert.match((await asked).url(), /^com\.example\.app:\/callback\?code=/);
}

async function cancelled(visit) {
  await visit.page.goto(authorizeUrl(await createClient("Not wanted"), pkce().challenge, { state: "s" }));
  await visit.page.click("#login-cancel");
  await visit.page.waitForURL(`${CALLBACK}?**`);
  const { searchParams } = new URL(visit.page.url());
  assert.deepEqual([searchParams.get("error"), searchParams.get("state")], ["access_denied", "s"]);
}
