"""Where results are written."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.visibility import when

_KIND = "destination.kind"
_DATABASES = ("postgresql", "mysql", "mariadb", "bigquery", "sql_server", "oracle")
_STORES = ("s3", "google_cloud_storage")
FileFormat = Literal["csv", "tsv", "parquet", "xlsx", "ods"]


class Destination(Settings):
    """A folder, or a database or object store."""

    kind: Literal[
        "files",
        "postgresql",
        "mysql",
        "mariadb",
        "bigquery",
        "sql_server",
        "oracle",
        "s3",
        "google_cloud_storage",
    ] = setting(
        "files", "Kind of destination", "files writes into the output folder.", available_values=("files",)
    )
    format: FileFormat = setting(
        "csv",
        "File format",
        "One file for each table; one sheet for each table in workbooks.",
        visible_when=when(_KIND, "files", *_STORES),
    )
    neutralise_formulas: bool = setting(
        False,
        "Neutralise formulas",
        "Write an apostrophe before text cells that a spreadsheet would run (csv, tsv, xlsx). "
        "Changes the data.",
        advanced=True,
        visible_when=when(_KIND, "files", *_STORES),
    )
    existing: Literal["fail", "replace", "append"] = setting(
        "fail",
        "Existing tables",
        "What happens when the destination has the table already.",
        available_values=("fail",),
    )
    host: str = setting(
        "",
        "Host",
        "Address of the database or object store.",
        available=False,
        visible_when=when(_KIND, *_DATABASES, *_STORES),
    )
    port: int | None = setting(
        None,
        "Port",
        "Port of the database.",
        ge=1,
        le=65535,
        available=False,
        visible_when=when(_KIND, *_DATABASES),
    )
    database: str = setting(
        "",
        "Database",
        "Database, service or project.",
        available=False,
        visible_when=when(_KIND, *_DATABASES),
    )
    schema_name: str = setting(
        "",
        "Schema",
        "Schema or dataset in the database.",
        available=False,
        visible_when=when(_KIND, *_DATABASES),
    )
    user: str = setting(
        "",
        "User",
        "Account with write access.",
        available=False,
        visible_when=when(_KIND, *_DATABASES, *_STORES),
    )
    password: SecretStr | None = setting(
        None,
        "Password",
        "Secret of the account; never shown.",
        available=False,
        visible_when=when(_KIND, *_DATABASES, *_STORES),
    )
    bucket: str = setting(
        "",
        "Bucket",
        "Bucket of the object store.",
        available=False,
        visible_when=when(_KIND, *_STORES),
    )
    prefix: str = setting(
        "",
        "Prefix",
        "Start of the object keys.",
        available=False,
        visible_when=when(_KIND, *_STORES),
    )
