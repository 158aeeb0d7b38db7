"""The audit log takes new rows and gives none back: changes and removals are refused by the database."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TRIGGERS = {"audit_keeps_values": "UPDATE", "audit_keeps_rows": "DELETE"}


def upgrade() -> None:
    """Make the triggers."""
    if op.get_bind().dialect.name == "sqlite":
        for name, change in _TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {change} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    for name, change in {**_TRIGGERS, "audit_keeps_all": "TRUNCATE"}.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
