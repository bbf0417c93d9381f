// The MCP SDK for TypeScript: a client that knows nothing but the address of an MCP server.

import assert from "node:assert/strict";
import { UnauthorizedError, auth } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { start } from "./mcp-server.mjs";
import { done, refused, say, scene, visit } from "./scene.mjs";

/** What an application keeps, and how it opens a browser. */
class Provider {
  redirectUrl = scene.callback;
  clientMetadata = {
    client_name: "An MCP client",
    redirect_uris: [scene.callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  kept = {};

  constructor(clientMetadataUrl) {
    if (clientMetadataUrl) this.clientMetadataUrl = clientMetadataUrl;
  }

  state = () => "of-the-mcp-client";
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  async redirectToAuthorization(url) {
    this.arrived = await visit(url.href);
  }
}

const server = await start();
await wholeFlow("dynamic registration", new Provider());
await wholeFlow("client ID metadata document", new Provider(server.document));
await wrongVerifier();
server.stop();
done();

async function wholeFlow(title, provider) {
  const first = new StreamableHTTPClientTransport(new URL(server.resource), { authProvider: provider });
  assert.ok((await refused(new Client({ name: "e2e", version: "1" }).connect(first))) instanceof UnauthorizedError);
  assert.equal(provider.arrived.searchParams.get("state"), provider.state());
  assert.equal(provider.arrived.searchParams.get("iss"), scene.issuer);
  await first.finishAuth(provider.arrived.searchParams.get("code"));
  const subject = await whoami(provider);

  const before = provider.kept.tokens;
  assert.equal(await auth(provider, { serverUrl: server.resource }), "AUTHORIZED", "it refreshes");
  assert.notEqual(provider.kept.tokens.access_token, before.access_token);
  assert.notEqual(provider.kept.tokens.refresh_token, before.refresh_token, "public clients rotate");
  assert.equal(await whoami(provider), subject);
  say(`${title}: ${provider.kept.client.client_id} calls a tool as ${subject}, refreshes, calls again`);
}

async function whoami(provider) {
  const client = new Client({ name: "e2e", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.resource), { authProvider: provider }));
  const { content } = await client.callTool({ name: "whoami" });
  await client.close();
  return content[0].text;
}

async function wrongVerifier() {
  const provider = new Provider();
  await auth(provider, { serverUrl: server.resource });
  provider.saveCodeVerifier("x".repeat(64));
  const error = await refused(auth(provider, { serverUrl: server.resource, authorizationCode: provider.arrived.searchParams.get("code") }));
  assert.match(String(error), /code_verifier does not match/);
  say(`wrong verifier: ${error}`);
}
