"""Authlib: an OAuth2Session over HTTPX, and ID tokens checked with joserfc."""

import time

from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from scene import refused, say, scene, trust, visit

SCOPE = "openid email offline_access"


def session(known: dict, metadata: dict | None = None, **more) -> OAuth2Client:
    method = more.pop("method", "client_secret_basic" if "secret" in known else "none")
    client = OAuth2Client(
        client_id=known["id"],
        client_secret=more.pop("secret", known.get("secret")),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=scene["callback"],
        code_challenge_method="S256",
        verify=trust(),
        timeout=20,
    )
    if metadata:
        client.metadata["token_endpoint"] = metadata["token_endpoint"]
    return client


def by_key(metadata: dict, audience: str) -> OAuth2Client:
    """private_key_jwt (RFC 7523 §2.2)."""
    client = session({"id": scene["keyed"]["id"]}, metadata, method="private_key_jwt", secret=ECKey.import_key(scene["keyed"]["jwk"]))
    header = {"kid": scene["keyed"]["jwk"]["kid"]}
    client.register_client_auth_method(PrivateKeyJWT(audience, alg="ES256", headers=header))
    return client


def validated(metadata: dict, client: OAuth2Client, token: dict, nonce: str) -> CodeIDToken:
    """OIDC Core §3.1.3.7, by the library's own rules."""
    keys = KeySet.import_key_set(client.request("GET", metadata["jwks_uri"], withhold_token=True).json())
    read = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    options = {"iss": {"value": metadata["issuer"]}, "aud": {"value": client.client_id}}
    parameters = {"nonce": nonce, "client_id": client.client_id, "access_token": token["access_token"]}
    claims = CodeIDToken(read.claims, read.header, options, parameters)
    claims.validate(now=int(time.time()), leeway=5)
    return claims


def code(metadata: dict, client: OAuth2Client) -> tuple[str, str, str, str]:
    """Goes to the server and back: where the person arrived, and what was sent."""
    verifier, nonce = generate_token(64), generate_token(20)
    url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    return visit(url), verifier, nonce, state


def whole_flow(title: str, metadata: dict, client: OAuth2Client) -> None:
    arrived, verifier, nonce, state = code(metadata, client)
    token = client.fetch_token(metadata["token_endpoint"], authorization_response=arrived, state=state, code_verifier=verifier)
    claims = validated(metadata, client, token, nonce)
    user = client.get(metadata["userinfo_endpoint"])
    user.raise_for_status()
    assert user.json()["sub"] == claims["sub"]
    fresher = client.refresh_token(metadata["token_endpoint"])
    assert fresher["access_token"] != token["access_token"]
    client.revoke_token(metadata["revocation_endpoint"], fresher["refresh_token"], token_type_hint="refresh_token").raise_for_status()
    gone = refused(OAuthError, lambda: client.refresh_token(metadata["token_endpoint"], fresher["refresh_token"]))
    assert gone.error == "invalid_grant", gone
    asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": scene["signedOut"]}
    end = add_params_to_uri(metadata["end_session_endpoint"], list(asked.items()))
    assert visit(end) == scene["signedOut"]
    say(f"{title}: code, ID token of {claims['sub'][:8]}…, userinfo, refresh, revocation, logout")


def wrong_verifier(metadata: dict) -> None:
    client = session(scene["public"])
    arrived, _, _, state = code(metadata, client)
    fetch = lambda: client.fetch_token(metadata["token_endpoint"], authorization_response=arrived, state=state, code_verifier=generate_token(64))
    error = refused(OAuthError, fetch)
    assert error.error == "invalid_grant" and "code_verifier does not match" in error.description, error
    say(f"wrong verifier: {error}")


def wrong_audience(metadata: dict) -> None:
    client = by_key(metadata, "https://elsewhere.example.com")
    error = refused(OAuthError, lambda: client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials"))
    assert error.error == "invalid_client", error
    say(f"assertion for another audience: {error}")


def main() -> None:
    with session(scene["public"]) as client:
        metadata = client.request("GET", scene["issuer"] + "/.well-known/openid-configuration", withhold_token=True).json()
    say(f"discovered {metadata['issuer']}")
    whole_flow("public client", metadata, session(scene["public"], metadata))
    whole_flow("client_secret_basic", metadata, session(scene["secret"], metadata))
    whole_flow("private_key_jwt", metadata, by_key(metadata, metadata["token_endpoint"]))
    wrong_verifier(metadata)
    wrong_audience(metadata)


main()
