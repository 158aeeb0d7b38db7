"""Serve: the API of an installation, and the worker processes beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

import structlog
import uvicorn

from kinsynth.errors import UserError
from kinsynth.server.app import make_app
from kinsynth.service.people.setup import VALID_S, offer_setup
from kinsynth.service.platform import open_platform
from kinsynth.settings.deployment import Deployment
from kinsynth.system.supervision import Supervisor

WORKER_PATIENCE_S = 20.0
_STOP_S = 10
_BACKLOG = 2048
_log = structlog.get_logger("kinsynth.server")


def serve(deployment: Deployment, *, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; workers keep what they have done, and what they were at is queued again.

    Args:
        deployment: The settings.
        say: Told what the person at the console must know: the address; at the first start the setup token.

    Raises:
        UserError: ``server.address``, nobody can listen at the address.
        KinsynthError: The installation cannot be opened.
    """
    platform = open_platform(deployment)
    workers = Supervisor(worker_command(), deployment.embedded_workers, _tell_worker)
    try:
        platform.engine.prepare()  # an execution may be started before any worker was
        token = offer_setup(platform)

        def begin(address: str) -> None:  # where somebody else serves already, no worker is started
            _greet(say, address, token)
            workers.start()

        server = _Server(_configure(deployment, make_app(platform)), on_ready=begin)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has ended
            signal.signal(number, server.handle_exit)
        with suppress(SystemExit):  # so uvicorn says that it cannot listen
            server.run()
        if not server.was_ready:
            raise UserError(
                "server.address",
                f"Nobody can listen at {deployment.host} port {deployment.port}.",
                where="KINSYNTH_PORT",
                remedy="Stop what listens there, or choose another port.",
            )
    finally:
        workers.stop(WORKER_PATIENCE_S)
        platform.close()


def worker_command() -> list[str]:
    """Give the command of a worker that ends when this process does."""
    return [sys.executable, "-P", "-m", "kinsynth.service.performing.worker", str(os.getpid())]


def _configure(deployment: Deployment, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=deployment.host,
        port=deployment.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        proxy_headers=bool(deployment.trusted_proxies),
        forwarded_allow_ips=list(deployment.trusted_proxies),
        timeout_graceful_shutdown=_STOP_S,
    )


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.was_ready = False

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Listen."""
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            self.was_ready = True
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def _greet(say: Callable[[str], None], address: str, token: str | None) -> None:
    _log.info("listening", address=address)
    say(f"kinsynth serves at {address}")
    if token is not None:
        say(
            f"Nobody has an account yet. This token makes the first administrator, once, within "
            f"{VALID_S / 3600:.0f} hour: {token}"
        )


def _tell_worker(event: str, number: int) -> None:
    if event == "started" or number == 0:
        _log.info(f"worker {event}", number=number)
    else:
        _log.warning(f"worker {event}", status=number)
