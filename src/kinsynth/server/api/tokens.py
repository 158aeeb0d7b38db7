"""API tokens."""

from __future__ import annotations

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Key
from kinsynth.server.codes import KEY
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service.pages import Page
from kinsynth.service.people import tokens
from kinsynth.service.people.tokens import MadeToken, NewToken, TokenChange, TokenView

router = make_router()


@operation(router, "GET", "/tokens", "tokens.list", errors=PAGES)
def list_all(platform: OpenPlatform, actor: CurrentActor, page: PageOf) -> Page[TokenView]:
    """List one's own tokens, the newest first."""
    return tokens.list_tokens(platform, actor, page)


@operation(
    router,
    "POST",
    "/tokens",
    "tokens.create",
    status=201,
    errors={409: (*KEY, "tokens.made_before", "tokens.too_many")},
)
def create(platform: OpenPlatform, actor: CurrentActor, body: NewToken, key: Key = None) -> MadeToken:
    """Make a token; its secret is in this answer and nowhere else, also not in one to the same key again."""
    return tokens.create_token(platform, actor, body, key=key)


@operation(router, "GET", "/tokens/{token_id}", "tokens.read")
def read(platform: OpenPlatform, actor: CurrentActor, token_id: str) -> TokenView:
    """Read a token without its secret."""
    return tokens.read_token(platform, actor, token_id)


@operation(router, "PATCH", "/tokens/{token_id}", "tokens.update")
def update(platform: OpenPlatform, actor: CurrentActor, token_id: str, body: TokenChange) -> TokenView:
    """Rename, describe, suspend or reactivate a token."""
    return tokens.update_token(platform, actor, token_id, body)


@operation(router, "DELETE", "/tokens/{token_id}", "tokens.delete", status=204)
def delete(platform: OpenPlatform, actor: CurrentActor, token_id: str) -> None:
    """Delete a token."""
    tokens.delete_token(platform, actor, token_id)
