"""An OpenID Connect provider in memory: it answers as a real one, and checks what it is asked."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ISSUER = "https://login.example.org"
CLIENT, SECRET = "kinsynth client", "client secret/1"


class FakeProvider(httpx.BaseTransport):
    """The provider as a transport; ``claims`` are what it says about whoever signs in."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
        self.signs_with = self.key
        self.claims: dict[str, Any] = {"sub": "42", "email": "ana@example.org", "email_verified": True}
        self.is_away = False
        self.confuses_algorithms = False
        self._codes: dict[str, dict[str, str]] = {}

    def sign_in(self, url: str) -> tuple[str, str]:
        """Do what a person does there; give the code and the state the browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{ISSUER}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return code, asked["state"]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer the server."""
        if self.is_away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path == "/.well-known/openid-configuration":
            return httpx.Response(
                200,
                json={
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                },
            )
        if path == "/keys":
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        assert path == "/token"
        return self._redeem(request)

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign a statement."""
        if self.confuses_algorithms:
            parts = [_encode(json.dumps(one).encode()) for one in ({"alg": "HS256", "kid": "one"}, claims)]
            key = self.key.as_pem(private=False)
            return ".".join([*parts, _encode(hmac.digest(key, ".".join(parts).encode(), "sha256"))])
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with)

    def _redeem(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.read().decode()).items()}
        asked = self._codes.pop(form["code"], None)
        is_right = (
            asked is not None
            and _basic(request.headers["authorization"]) == (CLIENT, SECRET)
            and form["redirect_uri"] == asked["redirect_uri"]
            and create_s256_code_challenge(form["code_verifier"]) == asked["code_challenge"]
        )
        if not is_right or asked is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            "nonce": asked["nonce"],
        }
        said = {key: value for key, value in (claims | self.claims).items() if value is not None}
        token = self.sign(said)
        return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": token})


def _basic(header: str) -> tuple[str, str]:
    name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return unquote(name.replace("+", " ")), unquote(secret.replace("+", " "))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
