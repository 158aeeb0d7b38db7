"""The application: routes, middlewares and handlers put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from kinsynth.errors import KinsynthError
from kinsynth.server.access import Access
from kinsynth.server.api import ROUTERS, installation
from kinsynth.server.errors import answer_invalid, answer_ours, answer_routing
from kinsynth.server.headers import SafeHeaders
from kinsynth.server.limits import HeaderLimit
from kinsynth.server.metrics import Metrics
from kinsynth.server.pages import BUILT, Pages
from kinsynth.service.downloads import Preparer
from kinsynth.service.people.single_sign_on import Provider
from kinsynth.service.platform import Platform
from kinsynth.settings.deployment import Deployment

PREFIX = "/api/v1"


def make_app(platform: Platform, provider: Provider | None = None, *, built: Path = BUILT) -> FastAPI:
    """Build the application of an open installation.

    Args:
        platform: The installation.
        provider: Where people sign in by OpenID Connect; as the settings say when it is left out.
        built: Folder of the web application's files.

    Guarantees:
        Every request has an id in its answer and one line in the log; every error of an operation is JSON
        of one form; no operation is served without a row in the policy. Pages need none: they are files of
        the build, the same for everybody, and hold no data.
    """
    app = FastAPI(
        title="kinsynth",
        version=version("kinsynth"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_prepared,
    )
    app.state.platform = platform
    app.state.provider = provider or _find_provider(platform.deployment)
    app.state.metrics = Metrics(platform)
    app.state.preparer = Preparer(platform)
    app.include_router(installation.watched)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.add_exception_handler(KinsynthError, answer_ours)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_routing)
    for middleware, options in (  # the last one is the outermost
        (Pages, {"folder": built}),
        (HeaderLimit, {}),
        (Access, {"metrics": app.state.metrics}),
        (SafeHeaders, {}),
    ):
        app.add_middleware(middleware, **options)
    return app


@asynccontextmanager
async def _prepared(app: FastAPI) -> AsyncIterator[None]:
    """Have children that read files and the maker of downloads ready while the application serves."""
    analysts = app.state.platform.analysts
    limiter = to_thread.current_default_thread_limiter()
    limiter.total_tokens += analysts.places  # who waits for an analysis holds up nobody else
    analysts.warm_up()
    app.state.preparer.start()
    yield
    await run_in_threadpool(app.state.preparer.close)


def _find_provider(deployment: Deployment) -> Provider | None:
    return Provider(deployment) if deployment.oidc_issuer else None
