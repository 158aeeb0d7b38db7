"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "artefacts",
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the content before encryption.",
        ),
        sa.Column("label", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "key_id",
            sa.String(length=16),
            nullable=True,
            comment="Key it is encrypted with; empty for plain content.",
        ),
        sa.Column(
            "created_at", sa.Double(), nullable=False, comment="When it was last put; 0 once given up."
        ),
        sa.Column("blob", sa.String(length=100), nullable=False, comment="Its name in the store."),
        sa.CheckConstraint("label IN ('original', 'derived', 'protected')", name=op.f("ck_artefacts_label")),
        sa.PrimaryKeyConstraint("digest", "label", name=op.f("pk_artefacts")),
        sa.UniqueConstraint("blob", name=op.f("uq_artefacts_blob")),
    )
    with op.batch_alter_table("artefacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artefacts_created_at"), ["created_at"], unique=False)

    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column(
            "actor_id",
            sa.String(length=40),
            nullable=True,
            comment="Empty for the platform itself and for strangers.",
        ),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_id", sa.String(length=40), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False, comment="Digest of the entry before."),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_audit_outcome")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sa.UniqueConstraint("digest", name=op.f("uq_audit_digest")),
    )
    op.create_table(
        "condemned",
        sa.Column(
            "blob",
            sa.String(length=100),
            nullable=False,
            comment="Removed from the store soon; never named again.",
        ),
        sa.PrimaryKeyConstraint("blob", name=op.f("pk_condemned")),
    )
    op.create_table(
        "instance",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_instance")),
        comment="Facts of this installation: its id, the setup token's hash and expiry.",
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipts_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column(
            "state_hash",
            sa.String(length=64),
            nullable=False,
            comment="A sign-in by OpenID Connect on its way.",
        ),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_sign_ins")),
    )
    op.create_table(
        "throttles",
        sa.Column(
            "key",
            sa.String(length=200),
            nullable=False,
            comment="What is counted, hashed where it names a person.",
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False, comment="Lower case."),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("company", sa.String(length=200), server_default="", nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "password_hash",
            sa.String(length=200),
            nullable=True,
            comment="Argon2id; empty for accounts of single sign-on.",
        ),
        sa.Column(
            "subject", sa.String(length=400), nullable=True, comment="Issuer and subject of OpenID Connect."
        ),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'user')", name=op.f("ck_users_role")),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_users_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("subject", name=op.f("uq_users_subject")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("stopped_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "destinations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False, comment="Without secrets."),
        sa.Column("secret_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_destinations_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destinations")),
    )
    with op.batch_alter_table("destinations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destinations_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "files",
        sa.Column(
            "owner_id", sa.String(length=40), nullable=False, comment="Source, execution, model or download."
        ),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version of a source; 0 elsewhere."),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest", "label"], ["artefacts.digest", "artefacts.label"], name=op.f("fk_files_digest_label")
        ),
        sa.PrimaryKeyConstraint("owner_id", "version", "path", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index("ix_files_digest_label", ["digest", "label"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column(
            "fingerprint",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of operation, path and body.",
        ),
        sa.Column("object_id", sa.String(length=40), nullable=False, comment="What the first request made."),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotency_user_id")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "quotas",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("resource", sa.String(length=10), nullable=False),
        sa.Column(
            "limit", sa.Double(), nullable=True, comment="Seconds of compute or rows; empty for no limit."
        ),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("window_ends_at", sa.Double(), nullable=False),
        sa.Column("used", sa.Double(), nullable=False),
        sa.Column("reserved", sa.Double(), nullable=False),
        sa.CheckConstraint("period IN ('day', 'week', 'month', 'year')", name=op.f("ck_quotas_period")),
        sa.CheckConstraint("resource IN ('seconds', 'rows')", name=op.f("ck_quotas_resource")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_quotas_user_id")),
        sa.PrimaryKeyConstraint("user_id", "resource", name=op.f("pk_quotas")),
    )
    op.create_table(
        "secrets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("ciphertext", sa.Text(), nullable=False, comment="Base64 of nonce and AES-GCM ciphertext."),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_secrets_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False, comment="SHA-256."),
        sa.Column("csrf_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=60), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sessions_secret_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sources",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="The newest sealed version; 0 before the first."
        ),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_sources_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
    )
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sources_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tickets_user_id")),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_tickets")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False, comment="SHA-256."),
        sa.Column(
            "hint", sa.String(length=12), nullable=False, comment="The first characters, to be recognised by."
        ),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "source_versions",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 over names and digests of the files; empty until sealed.",
        ),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sealed_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_source_versions_source_id")),
        sa.PrimaryKeyConstraint("source_id", "number", name=op.f("pk_source_versions")),
    )
    op.create_table(
        "syntheses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column(
            "source_id", sa.String(length=40), nullable=True, comment="Empty once the source was deleted."
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="The newest version of the document."),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_syntheses_owner_id")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_syntheses_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_syntheses")),
    )
    with op.batch_alter_table("syntheses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_syntheses_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_syntheses_source_id"), ["source_id"], unique=False)

    op.create_table(
        "executions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("synthesis_id", sa.String(length=40), nullable=False),
        sa.Column("synthesis_version", sa.Integer(), nullable=False),
        sa.Column(
            "source_id", sa.String(length=40), nullable=True, comment="Empty once the source was deleted."
        ),
        sa.Column("source_version", sa.Integer(), nullable=False),
        sa.Column(
            "owner_id",
            sa.String(length=40),
            nullable=False,
            comment="Who started it, and whose quota it uses.",
        ),
        sa.Column(
            "ancestor_id", sa.String(length=40), nullable=True, comment="What it repeats or goes on from."
        ),
        sa.Column(
            "model_id",
            sa.String(length=40),
            nullable=True,
            comment="The stored model it draws from; empty when it trains.",
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False, comment="The synthesis as it was at the start."),
        sa.Column(
            "request",
            sa.JSON(),
            nullable=False,
            comment="Rows of root tables, seed and conditions of a drawing.",
        ),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "error",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="Code, message, where, remedy, findings.",
        ),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="Grows at each claim; late writers are refused by it.",
        ),
        sa.Column("worker_id", sa.String(length=40), nullable=True),
        sa.Column("lease_expires_at", sa.Double(), nullable=False),
        sa.Column(
            "renewed_at",
            sa.Double(),
            server_default="0",
            nullable=False,
            comment="Compute time is counted to it.",
        ),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="Delivery to a worker, counted from 1."),
        sa.Column("losses", sa.Integer(), nullable=False, comment="Workers and connections lost so far."),
        sa.Column("next_event", sa.Integer(), nullable=False),
        sa.Column("reserved_seconds", sa.Double(), nullable=False),
        sa.Column("used_seconds", sa.Double(), nullable=False, comment="Compute time of all attempts."),
        sa.Column("charged_seconds", sa.Double(), nullable=False, comment="Part of it that the quota knows."),
        sa.Column("reserved_rows", sa.BigInteger(), nullable=False),
        sa.Column("used_rows", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("cleared_at", sa.Double(), nullable=True),
        sa.CheckConstraint("kind IN ('run', 'generate')", name=op.f("ck_executions_kind")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_executions_status"),
        ),
        sa.ForeignKeyConstraint(["ancestor_id"], ["executions.id"], name=op.f("fk_executions_ancestor_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_executions_owner_id")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_executions_source_id")),
        sa.ForeignKeyConstraint(["synthesis_id"], ["syntheses.id"], name=op.f("fk_executions_synthesis_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
    )
    with op.batch_alter_table("executions", schema=None) as batch_op:
        batch_op.create_index("ix_executions_cleared_at", ["cleared_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_executions_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_executions_source_id"), ["source_id"], unique=False)
        batch_op.create_index("ix_executions_status", ["status", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_executions_synthesis_id"), ["synthesis_id"], unique=False)

    op.create_table(
        "shares",
        sa.Column("synthesis_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("level IN ('view', 'run', 'edit')", name=op.f("ck_shares_level")),
        sa.ForeignKeyConstraint(["synthesis_id"], ["syntheses.id"], name=op.f("fk_shares_synthesis_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_shares_user_id")),
        sa.PrimaryKeyConstraint("synthesis_id", "user_id", name=op.f("pk_shares")),
    )
    with op.batch_alter_table("shares", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shares_user_id"), ["user_id"], unique=False)

    op.create_table(
        "synthesis_versions",
        sa.Column("synthesis_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_synthesis_versions_author_id")),
        sa.ForeignKeyConstraint(
            ["synthesis_id"], ["syntheses.id"], name=op.f("fk_synthesis_versions_synthesis_id")
        ),
        sa.PrimaryKeyConstraint("synthesis_id", "number", name=op.f("pk_synthesis_versions")),
    )
    op.create_table(
        "downloads",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("execution_id", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "format IN ('csv', 'tsv', 'xlsx', 'ods', 'parquet')", name=op.f("ck_downloads_format")
        ),
        sa.CheckConstraint("status IN ('preparing', 'ready', 'failed')", name=op.f("ck_downloads_status")),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_downloads_execution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
    )
    with op.batch_alter_table("downloads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_downloads_execution_id"), ["execution_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("execution_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_events_execution_id")),
        sa.PrimaryKeyConstraint("execution_id", "number", name=op.f("pk_events")),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("execution_id", sa.String(length=40), nullable=False),
        sa.Column("synthesis_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_models_execution_id")),
        sa.ForeignKeyConstraint(["synthesis_id"], ["syntheses.id"], name=op.f("fk_models_synthesis_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
    )
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_models_execution_id"), ["execution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_models_synthesis_id"), ["synthesis_id"], unique=False)

    op.create_table(
        "steps",
        sa.Column("execution_id", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column(
            "outcome",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="Digest of each output; empty while it runs.",
        ),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_steps_execution_id")),
        sa.PrimaryKeyConstraint("execution_id", "step", name=op.f("pk_steps")),
    )
