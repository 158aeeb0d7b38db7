"""Downloads and the tickets that fetch them."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Body
from kinsynth.server.codes import BUSY, DAMAGED, LOST
from kinsynth.server.content import BINARY, send_content
from kinsynth.server.operation import make_router, operation
from kinsynth.service import downloads
from kinsynth.service.downloads import DownloadView, TicketView
from kinsynth.settings.destination import FileFormat

router = make_router()
_OF = "/executions/{execution_id}/downloads"


class NewDownload(Body):
    """The format somebody wants."""

    format: FileFormat


@operation(router, "POST", _OF, "downloads.create", status=201, errors={409: ("execution.no_results",)})
def create(
    request: Request, platform: OpenPlatform, actor: CurrentActor, execution_id: str, body: NewDownload
) -> DownloadView:
    """Have results made in a format; one that is there or on its way is given again."""
    view, made = downloads.create_download(platform, actor, execution_id, body.format)
    if made:
        request.app.state.preparer.wake()
    return view


@operation(router, "GET", _OF, "downloads.list")
def list_all(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> list[DownloadView]:
    """List the downloads of an execution, the newest first."""
    return list(downloads.list_downloads(platform, actor, execution_id))


@operation(router, "GET", "/downloads/{download_id}", "downloads.read")
def read(platform: OpenPlatform, actor: CurrentActor, download_id: str) -> DownloadView:
    """Read whether a download is ready."""
    return downloads.read_download(platform, actor, download_id)


@operation(
    router,
    "POST",
    "/downloads/{download_id}/ticket",
    "downloads.ticket",
    status=201,
    errors={409: ("download.not_ready",)},
)
def issue_ticket(platform: OpenPlatform, actor: CurrentActor, download_id: str) -> TicketView:
    """Get an address that gives the file once, within ten minutes, without signing in."""
    return downloads.issue_ticket(platform, actor, download_id)


@operation(
    router,
    "GET",
    "/tickets/{secret}",
    "tickets.redeem",
    errors={404: ("access.not_found",), 422: LOST, 500: DAMAGED, 503: BUSY},
    response_class=Response,
    success=BINARY,
)
def redeem(platform: OpenPlatform, secret: str) -> Response:
    """Fetch what a ticket is for; it is worth nothing afterwards."""
    return send_content(downloads.redeem_ticket(platform, secret))
