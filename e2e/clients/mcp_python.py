"""The MCP SDK for Python: a client that knows nothing but the address of an MCP server."""

import asyncio
import json
import subprocess
from urllib.parse import parse_qs, urlparse

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from scene import say, scene, trust, visit


class Kept:
    """What an application keeps."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


def provider(resource: str, kept: Kept, document: str | None) -> OAuthClientProvider:
    arrived = {}

    async def open_browser(url: str) -> None:
        arrived.update(parse_qs(urlparse(visit(url)).query))

    async def answer() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=arrived["code"][0], state=arrived["state"][0], iss=arrived["iss"][0])

    metadata = OAuthClientMetadata(
        client_name="An MCP client",
        redirect_uris=[scene["callback"]],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(resource, metadata, kept, open_browser, answer, client_metadata_url=document)


async def whoami(resource: str, auth: OAuthClientProvider) -> str:
    async with httpx2.AsyncClient(auth=auth, verify=trust(), timeout=30, follow_redirects=True) as http:
        async with streamable_http_client(resource, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                return (await session.call_tool("whoami", {})).content[0].text


async def whole_flow(title: str, resource: str, document: str | None) -> None:
    kept = Kept()
    auth = provider(resource, kept, document)
    subject = await whoami(resource, auth)
    before = kept.tokens
    auth.context.token_expiry_time = 1
    assert await whoami(resource, auth) == subject
    assert kept.tokens.access_token != before.access_token, "it refreshes"
    assert kept.tokens.refresh_token != before.refresh_token, "public clients rotate"
    say(f"{title}: {kept.client.client_id} calls a tool as {subject}, refreshes, calls again")


def main() -> None:
    with subprocess.Popen(["node", "mcp-server.mjs"], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
        there = json.loads(server.stdout.readline())
        asyncio.run(whole_flow("dynamic registration", there["resource"], None))
        asyncio.run(whole_flow("client ID metadata document", there["resource"], there["document"]))


main()
