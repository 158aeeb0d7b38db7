"""Sources, their versions and files."""

from __future__ import annotations

from functools import partial
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from pydantic import Field

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Body, Document, Key, NameQuery, Number, Renamed, WindowOf
from kinsynth.server.codes import BUSY, DAMAGED, DOCUMENT, KEY, READING, STORE, UPLOAD
from kinsynth.server.content import receive
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import sources
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.views import DetectionView, RowsView
from kinsynth.service.fields import Name
from kinsynth.service.pages import Page
from kinsynth.service.sources import FileView, SourceView, VersionView

router = make_router()
_VERSION = "/sources/{source_id}/versions/{number}"
_NOT_SEALED = ("source.not_sealed",)


class NewSource(Body):
    """A source to make."""

    name: Name


class NewVersion(Body):
    """A version to open."""

    copy_files: bool = Field(
        False, strict=True, description="Begin with the files of the newest sealed version."
    )


class Detection(Body):
    """What is known of a source before it is looked at."""

    document: Document = Field(default_factory=dict)


class Place(NamedTuple):
    """Where a file goes."""

    source_id: str
    number: int
    name: str


async def _read_place(source_id: str, number: Number, name: str) -> Place:
    return Place(source_id, number, name)


PlaceOf = Annotated[Place, Depends(_read_place)]


@operation(router, "POST", "/sources", "sources.create", status=201, errors={409: KEY})
def create(platform: OpenPlatform, actor: CurrentActor, body: NewSource, key: Key = None) -> SourceView:
    """Make a source without files."""
    return sources.create_source(platform, actor, body.name, key=key)[0]


@operation(router, "GET", "/sources", "sources.list", errors=PAGES)
def list_all(
    platform: OpenPlatform, actor: CurrentActor, page: PageOf, name: NameQuery = ""
) -> Page[SourceView]:
    """List one's own sources, the newest first."""
    return sources.list_sources(platform, actor, page, name=name)


@operation(router, "GET", "/sources/{source_id}", "sources.read")
def read(platform: OpenPlatform, actor: CurrentActor, source_id: str) -> SourceView:
    """Read a source."""
    return sources.read_source(platform, actor, source_id)


@operation(router, "PATCH", "/sources/{source_id}", "sources.rename")
def rename(platform: OpenPlatform, actor: CurrentActor, source_id: str, body: Renamed) -> SourceView:
    """Rename a source."""
    return sources.rename_source(platform, actor, source_id, body.name)


@operation(
    router,
    "DELETE",
    "/sources/{source_id}",
    "sources.delete",
    status=204,
    errors={409: ("source.in_use",)},
)
def delete(platform: OpenPlatform, actor: CurrentActor, source_id: str) -> None:
    """Delete a source with all its files; what was made from it stays."""
    sources.delete_source(platform, actor, source_id)


@operation(
    router,
    "POST",
    "/sources/{source_id}/versions",
    "versions.create",
    status=201,
    errors={409: (*KEY, "source.version_open")},
)
def open_version(
    platform: OpenPlatform, actor: CurrentActor, source_id: str, body: NewVersion, key: Key = None
) -> VersionView:
    """Open a new version; one at a time is open."""
    return sources.open_version(platform, actor, source_id, copy=body.copy_files, key=key)[0]


@operation(router, "GET", "/sources/{source_id}/versions", "versions.list", errors=PAGES)
def list_versions(
    platform: OpenPlatform, actor: CurrentActor, source_id: str, page: PageOf
) -> Page[VersionView]:
    """List the versions of a source, the newest first."""
    return sources.list_versions(platform, actor, source_id, page)


@operation(router, "GET", _VERSION, "versions.read")
def read_version(platform: OpenPlatform, actor: CurrentActor, source_id: str, number: Number) -> VersionView:
    """Read a version with its files."""
    return sources.read_version(platform, actor, source_id, number)


@operation(
    router,
    "PUT",
    _VERSION + "/files/{name}",
    "versions.upload",
    errors={409: ("source.sealed",), 422: UPLOAD, 500: DAMAGED, 503: STORE},
    is_upload=True,
)
async def upload(request: Request, place: PlaceOf, platform: OpenPlatform, actor: CurrentActor) -> FileView:
    """Put a file into an open version, in place of one of the same name; the name is a label only."""
    put = partial(sources.put_file, platform, actor, place.source_id, place.number)
    return await receive(lambda chunks: put(name=place.name, chunks=chunks), request)


@operation(
    router,
    "DELETE",
    _VERSION + "/files/{name}",
    "versions.remove_file",
    status=204,
    errors={409: ("source.sealed",)},
)
def remove_file(
    platform: OpenPlatform, actor: CurrentActor, source_id: str, number: Number, name: str
) -> None:
    """Take a file out of an open version."""
    sources.remove_file(platform, actor, source_id, number, name)


@operation(router, "POST", _VERSION + "/seal", "versions.seal", errors={422: ("source.no_files",)})
def seal(platform: OpenPlatform, actor: CurrentActor, source_id: str, number: Number) -> VersionView:
    """Fix a version for ever; it can be used from now on."""
    return sources.seal_version(platform, actor, source_id, number)


@operation(
    router,
    "GET",
    _VERSION + "/preview",
    "versions.preview",
    errors={409: _NOT_SEALED, 422: (*READING, "table.not_found"), 500: DAMAGED, 503: BUSY},
)
def preview(
    platform: OpenPlatform, actor: CurrentActor, source_id: str, number: Number, window: WindowOf
) -> RowsView:
    """Read some rows of a table of a sealed version."""
    return versions.preview_version(platform, actor, source_id, number, window)


@operation(
    router,
    "POST",
    _VERSION + "/detection",
    "versions.detect",
    errors={409: _NOT_SEALED, 422: (*READING, *DOCUMENT), 500: DAMAGED, 503: BUSY},
)
def detect(
    platform: OpenPlatform, actor: CurrentActor, source_id: str, number: Number, body: Detection
) -> DetectionView:
    """Find tables, types, keys, relations and rules; gives a document that says them outright."""
    return versions.detect_version(platform, actor, source_id, number, body.document)
