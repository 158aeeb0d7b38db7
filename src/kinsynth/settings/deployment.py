"""Deployment: how an installation runs, read from the environment; all other settings are in the document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kinsynth.errors import Finding, SettingsError


def _setting(default: Any, title: str, description: str, **bounds: Any) -> Any:
    return Field(default=default, title=title, description=description, **bounds)


class Deployment(BaseSettings):
    """Settings of an installation: each is an environment variable ``KINSYNTH_`` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="KINSYNTH_", frozen=True, extra="ignore", hide_input_in_errors=True, validate_default=True
    )

    data: Path = _setting(
        Path("kinsynth-data"), "Data folder", "Folder of everything the installation keeps on this machine."
    )
    database: SecretStr = _setting(
        SecretStr(""),
        "Database",
        "Address of the records: postgresql://USER:PASSWORD@HOST/NAME; empty for a SQLite file in the data "
        "folder.",
    )
    artefacts: str = _setting(
        "",
        "Artefact store",
        "Where files are kept: s3://BUCKET/PREFIX; empty for a folder in the data folder.",
    )
    s3_endpoint: str = _setting("", "S3 endpoint", "Address of an S3-compatible store; empty for Amazon's.")
    s3_region: str = _setting("us-east-1", "S3 region", "Region of the bucket.")
    s3_access_key: str = _setting("", "S3 access key", "Account of the artefact store.")
    s3_secret_key: SecretStr = _setting(SecretStr(""), "S3 secret key", "Secret of the account.")
    key_file: Path | None = _setting(
        None,
        "Encryption key file",
        "File with one or more base64 keys of 32 bytes, one a line, the newest first: secrets, raw data and "
        "checkpoints are encrypted with it. Empty: a key for secrets is made in the data folder, raw data is "
        "not encrypted.",
    )
    host: str = _setting("127.0.0.1", "Address", "Address the API listens at.")
    port: int = _setting(8642, "Port", "Port the API listens at.", ge=0, le=65535)
    public_url: str = _setting(
        "",
        "Public address",
        "Address people use, such as https://synth.example.org; empty for host and port.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = _setting(
        (),
        "Trusted proxies",
        "Addresses of proxies whose X-Forwarded-For and -Proto are believed, with commas.",
    )
    embedded_workers: int = _setting(
        1,
        "Embedded workers",
        "Worker processes that kinsynth serve starts; 0 where workers run elsewhere.",
        ge=0,
        le=64,
    )
    executions_per_worker: int = _setting(
        1, "Executions per worker", "Executions that one worker process performs at a time.", ge=1, le=64
    )
    lease_s: float = _setting(
        10.0, "Lease (s)", "A worker that is silent for this long has lost its executions.", ge=1, le=600
    )
    poll_s: float = _setting(0.2, "Poll interval (s)", "How often a worker looks for work.", ge=0.02, le=60)
    checkpoint_s: float = _setting(
        10.0,
        "Checkpoint interval (s)",
        "How often the state of a training is put into the artefact store.",
        ge=0.1,
        le=3600,
    )
    cancel_s: float = _setting(
        8.0, "Time to stop (s)", "A training child that does not stop in this time is killed.", ge=0.1, le=600
    )
    keep_raw_days: float = _setting(
        0.0,
        "Raw data kept (days)",
        "How long raw data and checkpoints of ended executions are kept.",
        ge=0,
        le=3650,
    )
    keep_results_days: float | None = _setting(
        None, "Results kept (days)", "How long results of ended executions are kept; empty for always.", gt=0
    )
    session_hours: float = _setting(
        12.0, "Session (h)", "A session ends this long after it began.", gt=0, le=720
    )
    idle_minutes: float = _setting(
        60.0, "Idle session (min)", "A session ends when it is not used for this long.", gt=0
    )
    max_upload_bytes: int = _setting(
        20_000_000_000, "Largest upload (bytes)", "A file of a source that is larger is refused.", ge=1
    )
    max_body_bytes: int = _setting(
        8_388_608,
        "Largest request (bytes)",
        "A request body other than an upload that is larger is refused.",
        ge=1024,
    )
    analysis_processes: int = _setting(
        2,
        "Analysis processes",
        "Child processes that read files for previews, checks and downloads at a time.",
        ge=1,
        le=64,
    )
    analysis_memory_bytes: int = _setting(
        8_589_934_592,
        "Memory of an analysis (bytes)",
        "Limit of each child process that reads files.",
        ge=536_870_912,
    )
    analysis_timeout_s: int = _setting(
        900, "Time of an analysis (s)", "Limit of each child process that reads files.", ge=1, le=86_400
    )
    analysis_wait_s: float = _setting(
        60.0,
        "Wait for an analysis (s)",
        "A request that finds all child processes at work for longer than this is refused.",
        ge=0,
        le=600,
    )
    quota_seconds: float | None = _setting(
        None, "Compute time (s)", "Compute time of a new user in each period; empty for no limit.", ge=0
    )
    quota_rows: int | None = _setting(
        None,
        "Rows",
        "Rows of root tables that a new user may generate in each period; empty for no limit.",
        ge=0,
    )
    quota_period: Literal["day", "week", "month", "year"] = _setting(
        "month", "Period", "After which time the quota of a new user is renewed."
    )
    oidc_issuer: str = _setting("", "OpenID issuer", "Address of an OpenID Connect provider; empty for none.")
    oidc_client_id: str = _setting("", "OpenID client", "Client id at the provider.")
    oidc_client_secret: SecretStr = _setting(SecretStr(""), "OpenID secret", "Client secret at the provider.")
    oidc_create_users: bool = _setting(
        False, "New people by OpenID", "Whether somebody unknown who signs in becomes a user."
    )
    log_format: Literal["json", "text"] = _setting(
        "json", "Log format", "json: one document a line; text: for reading."
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Log level", "The least that is logged."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value
        )

    @property
    def database_url(self) -> str:
        """Give the address of the records."""
        return self.database.get_secret_value() or f"sqlite:///{self.data.resolve() / 'kinsynth.sqlite'}"


def read_deployment(**given: Any) -> Deployment:
    """Read the settings of an installation from the environment; what is given wins.

    Raises:
        SettingsError: ``deployment.setting``, variables are wrong; ``findings`` names all, values of none.
    """
    try:
        return Deployment(**given)
    except ValidationError as error:
        findings = tuple(
            Finding(
                code="deployment.setting",
                severity="error",
                where="KINSYNTH_" + "_".join(str(part) for part in detail["loc"]).upper(),
                message=f"{detail['msg']}.",
                remedy="Correct the environment variable.",
            )
            for detail in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(
            "deployment.setting",
            f"{len(findings)} settings of the installation are wrong: "
            f"{', '.join(one.where for one in findings)}.",
            remedy="Correct the environment variables.",
            findings=findings,
        ) from None
