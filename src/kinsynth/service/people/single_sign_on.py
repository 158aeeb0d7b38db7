"""Single sign-on: OpenID Connect, authorization code with PKCE, state and nonce."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select, update

from kinsynth.errors import AccessError, TransientError
from kinsynth.service import audit
from kinsynth.service.actor import STRANGER, Actor
from kinsynth.service.fields import Email, Name
from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.people.sessions import NewSession, begin_session
from kinsynth.service.people.throttle import (
    THROTTLED,
    begin_departure,
    return_from_departure,
    throttled,
)
from kinsynth.service.people.users import add_account
from kinsynth.service.platform import Platform
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.clock import now
from kinsynth.storage.tables import sign_ins, users

MOST_BEGUN = 10_000
_VALID_S = 600.0
_FRESH_S = 600.0  # how long the provider's own description and keys are kept
_LEEWAY_S = 60
_TIMEOUT_S = 10.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Departure:
    """Where a browser is sent to sign in.

    Attributes:
        url: At the provider.
        state: What the browser keeps in a cookie, so that an answer planted by another is refused.
    """

    url: str
    state: str


class Provider:
    """An OpenID Connect provider.

    Args:
        deployment: Issuer, client id and secret.
        transport: How it is reached, for tests.
    """

    def __init__(self, deployment: Deployment, transport: httpx.BaseTransport | None = None) -> None:
        self.issuer = deployment.oidc_issuer.rstrip("/")
        self.client_id = deployment.oidc_client_id
        self._secret = deployment.oidc_client_secret.get_secret_value()
        self._transport = transport
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def make_url(self, redirect_uri: str, *, state: str, nonce: str, verifier: str) -> str:
        """Give the address a browser is sent to."""
        url: str = prepare_grant_uri(
            self._describe()["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope="openid email profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return url

    def redeem(self, redirect_uri: str, *, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
        """Exchange a code for what the provider says about the person.

        Raises:
            AccessError: ``sign_in.failed``, the code or the provider's statement is not valid.
            TransientError: ``sign_in.provider``.
        """
        endpoint = self._describe()["token_endpoint"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }

        def ask() -> httpx.Response:
            with self._client() as client:
                return client.post(
                    endpoint, data=form, auth=(quote_plus(self.client_id), quote_plus(self._secret))
                )

        response = _reach(ask)
        if response.is_client_error:
            raise _failed()
        return self._validate(str(_read_object(response).get("id_token", "")), nonce)

    def _validate(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._describe()["issuer"]},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            claims = self._decode(id_token)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _failed() from error.with_traceback(None)
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self.client_id:
            raise _failed()
        return claims

    def _decode(self, id_token: str) -> dict[str, Any]:
        """Check the signature; keys that changed are fetched again, once."""
        address = self._describe()["jwks_uri"]
        try:
            return dict(jwt.decode(id_token, self._keys(address), algorithms=_ALGORITHMS).claims)
        except (JoseError, ValueError):
            self._kept.pop(address, None)
            return dict(jwt.decode(id_token, self._keys(address), algorithms=_ALGORITHMS).claims)

    def _keys(self, address: str) -> KeySet:
        return KeySet.import_key_set(self._fetch(address))  # type: ignore[arg-type]

    def _describe(self) -> Mapping[str, Any]:
        """Give the provider's description of itself.

        Raises:
            TransientError: ``sign_in.provider``, it cannot be reached, or is not who the settings say.
        """
        found = self._fetch(f"{self.issuer}/.well-known/openid-configuration")
        needed = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
        if not needed <= found.keys() or str(found["issuer"]).rstrip("/") != self.issuer:
            raise _unreachable()
        return found

    def _fetch(self, address: str) -> Mapping[str, Any]:
        with self._lock:
            kept = self._kept.get(address)
        if kept is not None and time.monotonic() - kept[0] < _FRESH_S:
            return kept[1]

        def ask() -> httpx.Response:
            with self._client() as client:
                return client.get(address)

        found = _read_object(_reach(ask))
        with self._lock:
            self._kept[address] = time.monotonic(), found
        return found

    def _client(self) -> httpx.Client:
        return httpx.Client(transport=self._transport, timeout=_TIMEOUT_S, trust_env=False)


def _reach(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask the provider; its own words stay with it, for they may hold what was sent."""
    try:
        return ask()
    except (httpx.HTTPError, httpx.InvalidURL):
        raise _unreachable() from None


def _read_object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json() if response.is_success else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unreachable()
    return found


def begin(platform: Platform, provider: Provider, redirect_uri: str, *, address: str) -> Departure:
    """Begin a sign-in.

    Args:
        platform: The installation.
        provider: Where people sign in.
        redirect_uri: Where the provider sends the browser back to.
        address: Where the request came from.

    Raises:
        ThrottledError: ``access.throttled``, too many of one address.
        TransientError: ``sign_in.provider``, ``records.unavailable``.

    Guarantees:
        However many are begun, at most ``MOST_BEGUN`` are kept: the oldest give way.
    """
    _count(platform, address)
    state, nonce, verifier = make_proof(), make_proof(), secrets.token_urlsafe(48)
    url = provider.make_url(redirect_uri, state=state, nonce=nonce, verifier=verifier)
    with platform.records.write() as connection:
        _make_room(connection)
        connection.execute(
            insert(sign_ins).values(
                state_hash=digest(state), verifier=verifier, nonce=nonce, expires_at=now() + _VALID_S
            )
        )
    return Departure(url, state)


def _count(platform: Platform, address: str) -> None:
    """Count a beginning before the provider is asked anything; of refusals the first is told."""
    with platform.records.write() as connection:
        refusal = begin_departure(connection, address)
        if refusal is not None and refusal.is_first:
            audit.record(connection, STRANGER, "sign_in.begin", outcome="refused", details=THROTTLED)
    if refusal is not None:
        raise throttled(refusal.wait_s)


def _make_room(connection: Connection) -> None:
    """Forget what is over, and the oldest where there is no room for one more."""
    connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now()))
    newest_first = select(sign_ins.c.expires_at).order_by(sign_ins.c.expires_at.desc())
    last = connection.execute(newest_first.offset(MOST_BEGUN - 1).limit(1)).scalar_one_or_none()
    if last is not None:
        connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= last))


def finish(
    platform: Platform,
    provider: Provider,
    redirect_uri: str,
    *,
    code: str,
    state: str,
    kept: str,
    address: str,
) -> NewSession:
    """Finish a sign-in: begin a session for whom the provider names.

    Args:
        platform: The installation.
        provider: Where they signed in.
        redirect_uri: As at the beginning.
        code: What the provider sent along.
        state: What it sent back.
        kept: The state the browser kept.
        address: Where the request came from.

    Raises:
        AccessError: ``sign_in.failed``: nothing of the kind was begun here, or it is over, or the provider's
            statement is not valid; ``sign_in.unknown_user``; ``sign_in.refused``, the account is blocked.
        TransientError: ``sign_in.provider``, ``records.unavailable``.
    """
    begun = _take(platform, state) if secrets.compare_digest(state.encode(), kept.encode()) else None
    if begun is None:
        raise _failed()
    verifier, nonce = begun
    claims = provider.redeem(redirect_uri, code=code, verifier=verifier, nonce=nonce)
    subject = f"{provider.issuer} {claims['sub']}"
    with platform.records.write() as connection:
        user_id = _find_account(connection, platform, subject, claims)
        return_from_departure(connection, address)
        session = begin_session(connection, platform.deployment, user_id, address)
        audit.record(connection, Actor(user_id, None, "session"), "sign_in.finish", user_id)
    return session


def _take(platform: Platform, state: str) -> tuple[str, str] | None:
    """Take what was noted at the beginning; it serves once."""
    mine = sign_ins.c.state_hash == digest(state)
    with platform.records.write() as connection:
        row = connection.execute(
            select(sign_ins.c.verifier, sign_ins.c.nonce).where(mine, sign_ins.c.expires_at > now())
        ).one_or_none()
        taken = connection.execute(delete(sign_ins).where(mine)).rowcount
    return None if row is None or taken != 1 else (row.verifier, row.nonce)


def _find_account(connection: Connection, platform: Platform, subject: str, claims: Mapping[str, Any]) -> str:
    """Find whose subject it is, else whose proven e-mail address, else make an account if that is wanted."""
    row = connection.execute(
        select(users.c.id, users.c.status).where(users.c.subject == subject)
    ).one_or_none()
    email = _proven_email(claims)
    if row is None and email is not None:
        row = connection.execute(
            select(users.c.id, users.c.status).where(users.c.email == email, users.c.subject.is_(None))
        ).one_or_none()
        if row is not None:
            connection.execute(update(users).where(users.c.id == row.id).values(subject=subject))
    if row is not None:
        if row.status != "active":
            raise AccessError("sign_in.refused", "The account is blocked.", remedy="Ask an administrator.")
        return str(row.id)
    if email is None or not platform.deployment.oidc_create_users:
        raise AccessError(
            "sign_in.unknown_user",
            "There is no account for this person, or the provider does not vouch for the e-mail address.",
            remedy="Ask an administrator to make one with the same e-mail address.",
        )
    return add_account(connection, platform, email=email, name=_read_name(claims, email), subject=subject)


def _proven_email(claims: Mapping[str, Any]) -> str | None:
    """Give the e-mail address the provider vouches for."""
    if claims.get("email_verified") is not True:
        return None
    try:
        return _EMAIL.validate_python(claims.get("email"))
    except ValidationError:
        return None


def _read_name(claims: Mapping[str, Any], email: str) -> str:
    try:
        return _NAME.validate_python(claims.get("name"))
    except ValidationError:
        return email.partition("@")[0]


def _failed() -> AccessError:
    return AccessError(
        "sign_in.failed",
        "The sign-in was not begun here, is over, or is not valid.",
        remedy="Begin it again.",
    )


def _unreachable() -> TransientError:
    return TransientError(
        "sign_in.provider",
        "The provider of sign-in could not be reached, or does not answer as one.",
        remedy="Try again; where it stays so, an administrator looks at KINSYNTH_OIDC_ISSUER.",
    )
