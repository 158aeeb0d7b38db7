"""Every SQL table, in one place. Times are seconds since 1970, UTC, of the database's clock."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id", **options: object) -> Column[str]:
    return Column(name, String(40), **options)  # type: ignore[arg-type]


def _to(target: str, name: str, *, nullable: bool = False, **options: object) -> Column[str]:
    return Column(name, String(40), ForeignKey(target), nullable=nullable, **options)  # type: ignore[arg-type]


def _at(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


def _one_of(column: str, *values: str) -> CheckConstraint:
    said = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({said})", name=column)


instance = Table(
    "instance",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts of this installation: its id, the setup token's hash and expiry.",
)

# People

users = Table(
    "users",
    metadata,
    _id(primary_key=True),
    Column("email", String(320), nullable=False, unique=True, comment="Lower case."),
    Column("name", String(200), nullable=False),
    Column("company", String(200), nullable=False, server_default=""),
    Column("role", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("password_hash", String(200), comment="Argon2id; empty for accounts of single sign-on."),
    Column("subject", String(400), unique=True, comment="Issuer and subject of OpenID Connect."),
    _at("created_at"),
    _at("updated_at"),
    _one_of("role", "admin", "user"),
    _one_of("status", "active", "blocked"),
)
sessions = Table(
    "sessions",
    metadata,
    _id(primary_key=True),
    _to("users.id", "user_id", index=True),
    Column("secret_hash", String(64), nullable=False, unique=True, comment="SHA-256."),
    Column("csrf_hash", String(64), nullable=False),
    Column("address", String(60), nullable=False, server_default=""),
    _at("created_at"),
    _at("seen_at"),
    _at("expires_at"),
)
tokens = Table(
    "tokens",
    metadata,
    _id(primary_key=True),
    _to("users.id", "user_id", index=True),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("secret_hash", String(64), nullable=False, unique=True, comment="SHA-256."),
    Column("hint", String(12), nullable=False, comment="The first characters, to be recognised by."),
    Column("suspended", Boolean, nullable=False),
    _at("created_at"),
    _at("expires_at", nullable=True),
    _at("used_at", nullable=True),
)
throttles = Table(
    "throttles",
    metadata,
    Column("key", String(200), primary_key=True, comment="What is counted, hashed where it names a person."),
    Column("count", Integer, nullable=False),
    _at("window_ends_at"),
)
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_hash", String(64), primary_key=True, comment="A sign-in by OpenID Connect on its way."),
    Column("verifier", String(128), nullable=False),
    Column("nonce", String(64), nullable=False),
    _at("expires_at"),
)

# Data and documents

sources = Table(
    "sources",
    metadata,
    _id(primary_key=True),
    _to("users.id", "owner_id", index=True),
    Column("name", String(200), nullable=False),
    Column("version", Integer, nullable=False, comment="The newest sealed version; 0 before the first."),
    _at("created_at"),
    _at("updated_at"),
)
source_versions = Table(
    "source_versions",
    metadata,
    _to("sources.id", "source_id", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(64), comment="SHA-256 over names and digests of the files; empty until sealed."),
    _at("created_at"),
    _at("sealed_at", nullable=True),
)
syntheses = Table(
    "syntheses",
    metadata,
    _id(primary_key=True),
    _to("users.id", "owner_id", index=True),
    _to("sources.id", "source_id", nullable=True, index=True, comment="Empty once the source was deleted."),
    Column("name", String(200), nullable=False),
    Column("version", Integer, nullable=False, comment="The newest version of the document."),
    _at("created_at"),
    _at("updated_at"),
)
synthesis_versions = Table(
    "synthesis_versions",
    metadata,
    _to("syntheses.id", "synthesis_id", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    _to("users.id", "author_id"),
    _at("created_at"),
)
shares = Table(
    "shares",
    metadata,
    _to("syntheses.id", "synthesis_id", primary_key=True),
    _to("users.id", "user_id", primary_key=True, index=True),
    Column("level", String(10), nullable=False),
    _at("created_at"),
    _one_of("level", "view", "run", "edit"),
)
destinations = Table(
    "destinations",
    metadata,
    _id(primary_key=True),
    _to("users.id", "owner_id", index=True),
    Column("name", String(200), nullable=False),
    Column("settings", JSON, nullable=False, comment="Without secrets."),
    Column("secret_id", String(40)),
    _at("created_at"),
    _at("updated_at"),
)
secrets = Table(
    "secrets",
    metadata,
    _id(primary_key=True),
    _to("users.id", "owner_id"),
    Column("purpose", String(40), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("ciphertext", Text, nullable=False, comment="Base64 of nonce and AES-GCM ciphertext."),
    _at("created_at"),
)

# Executions

executions = Table(
    "executions",
    metadata,
    _id(primary_key=True),
    _to("syntheses.id", "synthesis_id", index=True),
    Column("synthesis_version", Integer, nullable=False),
    _to("sources.id", "source_id", nullable=True, index=True, comment="Empty once the source was deleted."),
    Column("source_version", Integer, nullable=False),
    _to("users.id", "owner_id", index=True, comment="Who started it, and whose quota it uses."),
    _to("executions.id", "ancestor_id", nullable=True, comment="What it repeats or goes on from."),
    Column("model_id", String(40), comment="The stored model it draws from; empty when it trains."),
    Column("name", String(200), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("document", JSON, nullable=False, comment="The synthesis as it was at the start."),
    Column("request", JSON, nullable=False, comment="Rows of root tables, seed and conditions of a drawing."),
    Column("status", String(10), nullable=False),
    Column("error", JSON(none_as_null=True), comment="Code, message, where, remedy, findings."),
    Column("epoch", Integer, nullable=False, comment="Grows at each claim; late writers are refused by it."),
    Column("worker_id", String(40)),
    _at("lease_expires_at"),
    Column(
        "renewed_at", Double, nullable=False, server_default="0", comment="Compute time is counted to it."
    ),
    Column("attempt", Integer, nullable=False, comment="Delivery to a worker, counted from 1."),
    Column("losses", Integer, nullable=False, comment="Workers and connections lost so far."),
    Column("next_event", Integer, nullable=False),
    Column("reserved_seconds", Double, nullable=False),
    Column("used_seconds", Double, nullable=False, comment="Compute time of all attempts."),
    Column("charged_seconds", Double, nullable=False, comment="Part of it that the quota knows."),
    Column("reserved_rows", BigInteger, nullable=False),
    Column("used_rows", BigInteger, nullable=False),
    _at("created_at"),
    _at("started_at", nullable=True),
    _at("finished_at", nullable=True),
    _at("cleared_at", nullable=True),
    _one_of("kind", "run", "generate"),
    _one_of("status", "queued", "running", "paused", "cancelling", "succeeded", "failed", "cancelled"),
    Index("ix_executions_status", "status", "created_at"),
    Index("ix_executions_cleared_at", "cleared_at"),
)
steps = Table(
    "steps",
    metadata,
    _to("executions.id", "execution_id", primary_key=True),
    Column("step", String(20), primary_key=True),
    Column("epoch", Integer, nullable=False),
    _at("started_at"),
    _at("finished_at", nullable=True),
    Column("outcome", JSON(none_as_null=True), comment="Digest of each output; empty while it runs."),
)
events = Table(
    "events",
    metadata,
    _to("executions.id", "execution_id", primary_key=True),
    Column("number", Integer, primary_key=True),
    _at("at"),
    Column("body", JSON, nullable=False),
)
models = Table(
    "models",
    metadata,
    _id(primary_key=True),
    _to("executions.id", "execution_id", index=True),
    _to("syntheses.id", "synthesis_id", index=True),
    Column("name", String(200), nullable=False),
    _at("created_at"),
)
workers = Table(
    "workers",
    metadata,
    _id(primary_key=True),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(40), nullable=False),
    _at("started_at"),
    _at("seen_at"),
    _at("stopped_at", nullable=True),
)

# Files

artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the content before encryption."),
    Column("label", String(10), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("key_id", String(16), comment="Key it is encrypted with; empty for plain content."),
    Column(
        "created_at", Double, nullable=False, index=True, comment="When it was last put; 0 once given up."
    ),
    Column("blob", String(100), nullable=False, unique=True, comment="Its name in the store."),
    _one_of("label", "original", "derived", "protected"),
)
condemned = Table(
    "condemned",
    metadata,
    Column("blob", String(100), primary_key=True, comment="Removed from the store soon; never named again."),
)
files = Table(
    "files",
    metadata,
    Column("owner_id", String(40), primary_key=True, comment="Source, execution, model or download."),
    Column("version", Integer, primary_key=True, comment="Version of a source; 0 elsewhere."),
    Column("path", String(400), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("label", String(10), nullable=False),
    Column("size", BigInteger, nullable=False),
    _at("created_at"),
    ForeignKeyConstraint(["digest", "label"], ["artefacts.digest", "artefacts.label"]),
    Index("ix_files_digest_label", "digest", "label"),
)
downloads = Table(
    "downloads",
    metadata,
    _id(primary_key=True),
    _to("executions.id", "execution_id", index=True),
    Column("format", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("error", JSON(none_as_null=True)),
    _at("claimed_until"),
    _at("created_at"),
    _one_of("format", "csv", "tsv", "xlsx", "ods", "parquet"),
    _one_of("status", "preparing", "ready", "failed"),
)
tickets = Table(
    "tickets",
    metadata,
    Column("secret_hash", String(64), primary_key=True),
    _to("users.id", "user_id"),
    Column("owner_id", String(40), nullable=False),
    Column("path", String(400), nullable=False),
    Column("file_name", String(300), nullable=False),
    _at("expires_at"),
    _at("used_at", nullable=True),
)
receipts = Table(
    "receipts",
    metadata,
    _id(primary_key=True),
    Column("subject_id", String(40), nullable=False, index=True),
    Column("reason", String(40), nullable=False),
    Column("files", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("details", JSON, nullable=False),
    _at("at"),
)

# Rules of use

quotas = Table(
    "quotas",
    metadata,
    _to("users.id", "user_id", primary_key=True),
    Column("resource", String(10), primary_key=True),
    Column("limit", Double, comment="Seconds of compute or rows; empty for no limit."),
    Column("period", String(10), nullable=False),
    _at("window_ends_at"),
    Column("used", Double, nullable=False),
    Column("reserved", Double, nullable=False),
    _one_of("resource", "seconds", "rows"),
    _one_of("period", "day", "week", "month", "year"),
)
idempotency = Table(
    "idempotency",
    metadata,
    _to("users.id", "user_id", primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False, comment="SHA-256 of operation, path and body."),
    Column("object_id", String(40), nullable=False, comment="What the first request made."),
    _at("created_at"),
)
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _at("at"),
    Column("actor_id", String(40), comment="Empty for the platform itself and for strangers."),
    Column("action", String(60), nullable=False),
    Column("object_id", String(40)),
    Column("outcome", String(10), nullable=False),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False, comment="Digest of the entry before."),
    Column("digest", String(64), nullable=False, unique=True),
    _one_of("outcome", "done", "refused"),
)
