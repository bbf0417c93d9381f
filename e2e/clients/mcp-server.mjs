// An MCP server that wants a token of the workspace, and the metadata document of a client that has no registration.
// Run by itself it prints where it is, for clients in other languages, and ends with its standard input.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { fileURLToPath } from "node:url";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { createInWorkspace } from "../site.mjs";
import { scene } from "./scene.mjs";

/** Starts both; where they are, and how to stop them. */
export async function start() {
  const tls = { cert: await readFile(scene.certificate), key: await readFile(scene.certificateKey) };
  const server = createServer(tls, (request, answer) => serve(request, answer).catch((error) => answer.writeHead(500).end(String(error))));
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const home = `https://localhost:${server.address().port}`;
  const resource = `${home}/mcp`;
  const document = `${home}/oauth/client.json`;
  await createInWorkspace("services", { name: `MCP ${randomBytes(4).toString("hex")}`, custom_audience: resource });
  const keys = createRemoteJWKSet(new URL(`${scene.issuer}/.well-known/jwks.json`));
  const documents = {
    // RFC 9728
    "/.well-known/oauth-protected-resource/mcp": { resource, authorization_servers: [scene.issuer], scopes_supported: ["openid", "offline_access"] },
    "/oauth/client.json": {
      client_id: document,
      client_name: "A client without registration",
      redirect_uris: [scene.callback],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
  };
  return { resource, document, stop };

  async function serve(request, answer) {
    const { pathname } = new URL(request.url, home);
    const found = documents[pathname];
    if (found) return answer.setHeader("content-type", "application/json").end(JSON.stringify(found));
    if (pathname !== "/mcp") return answer.writeHead(404).end();
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const known = await jwtVerify(token, keys, { issuer: scene.issuer, audience: resource, typ: "at+jwt" }).catch(() => undefined);
    if (!known) {
      const metadata = `${home}/.well-known/oauth-protected-resource/mcp`;
      return answer.writeHead(401, { "www-authenticate": `Bearer resource_metadata="${metadata}"` }).end();
    }
    const mcp = new McpServer({ name: "orders", version: "1" });
    mcp.registerTool("whoami", { description: "Who asks" }, () => ({ content: [{ type: "text", text: known.payload.sub }] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    await mcp.connect(transport);
    return transport.handleRequest(request, answer);
  }

  function stop() {
    server.closeAllConnections();
    server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { resource, document, stop } = await start();
  console.log(JSON.stringify({ resource, document }));
  process.stdin.resume().on("end", stop);
}
