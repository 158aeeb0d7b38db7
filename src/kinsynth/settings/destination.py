"""Where results are written."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from kinsynth.settings.base import Settings, setting

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
        "csv", "File format", "One file for each table; one sheet for each table in workbooks."
    )
    neutralise_formulas: bool = setting(
        False,
        "Neutralise formulas",
        "Write an apostrophe before text cells that a spreadsheet would run (csv, tsv, xlsx). "
        "Changes the data.",
    )
    existing: Literal["fail", "replace", "append"] = setting(
        "fail",
        "Existing tables",
        "What happens when the destination has the table already.",
        available_values=("fail",),
    )
    host: str = setting("", "Host", "Address of the database or object store.", available=False)
    port: int | None = setting(None, "Port", "Port of the database.", ge=1, le=65535, available=False)
    database: str = setting("", "Database", "Database, service or project.", available=False)
    schema_name: str = setting("", "Schema", "Schema or dataset in the database.", available=False)
    user: str = setting("", "User", "Account with write access.", available=False)
    password: SecretStr | None = setting(
        None, "Password", "Secret of the account; never shown.", available=False
    )
    bucket: str = setting("", "Bucket", "Bucket of the object store.", available=False)
    prefix: str = setting("", "Prefix", "Start of the object keys.", available=False)
