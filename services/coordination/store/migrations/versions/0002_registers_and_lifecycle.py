"""Suspensions of acts, the whole lifecycle of events, erasures, analysed time, destinations."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSAL = "the audit log is never changed"
ERASED = "(SELECT value FROM heads WHERE name = 'audit_erased')"
GUARD = {
    "sqlite": [
        "DROP TRIGGER audit_no_delete",
        f"""CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entries WHEN OLD.number > {ERASED}
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF OLD.number <= {ERASED} THEN RETURN OLD; END IF;
                END IF;
                RAISE EXCEPTION '{REFUSAL}';
            END $$""",
    ],
}
OLD_GUARD = {
    "sqlite": [
        "DROP TRIGGER audit_no_delete",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entries BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    ],
}

# All checks of a table, as they were and as they are.
CHECKS = {
    "events": (
        {
            "eight_kinds": "kind BETWEEN 1 AND 8",
            "three_severities": "severity BETWEEN 1 AND 3",
            "states": "state BETWEEN 1 AND 4",
        },
        {
            "eight_kinds": "kind BETWEEN 1 AND 8",
            "three_severities": "severity BETWEEN 1 AND 3",
            "states": "state BETWEEN 1 AND 7",
            "priorities": "priority BETWEEN 1 AND 4",
            "dismissal_reasons": "dismissal_reason BETWEEN 1 AND 9",
        },
    ),
    "reviews": (
        {"reviewer": "reviewer <> ''", "decisions": "decision BETWEEN 1 AND 3"},
        {
            "reviewer": "reviewer <> ''",
            "decisions": "decision BETWEEN 1 AND 5",
            "dismissal_reasons": "dismissal_reason BETWEEN 1 AND 9",
        },
    ),
}


def _moment(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _flag(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def _text(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


COLUMNS: dict[str, tuple[Callable[[], "sa.Column[Any]"], ...]] = {
    "venues": (lambda: sa.Column("settings", sa.Text(), server_default="{}", nullable=False),),
    "authorizations": (lambda: _text("recorder"), lambda: _text("revoke_reason"), lambda: _text("revoke_author")),
    "camera_health": (lambda: sa.Column("state", sa.SmallInteger(), server_default="0", nullable=False),),
    "signals": (
        lambda: _flag("drill"),
        lambda: _flag("flooded"),
        lambda: _flag("folded"),
        lambda: _moment("reach_time"),
    ),
    "reviews": (lambda: sa.Column("dismissal_reason", sa.SmallInteger(), nullable=True),),
    "events": (
        lambda: sa.Column("priority", sa.SmallInteger(), server_default="2", nullable=False),
        lambda: _flag("drill"),
        lambda: sa.Column("dismissal_reason", sa.SmallInteger(), nullable=True),
        lambda: _moment("end_time"),
        lambda: sa.Column("reopen_count", sa.Integer(), server_default="0", nullable=False),
        lambda: _moment("reopen_time"),
        lambda: sa.Column("folded_signal_count", sa.Integer(), server_default="0", nullable=False),
        lambda: sa.Column("merged_into", sa.Uuid(), nullable=True),
        lambda: _moment("acknowledge_time"),
        lambda: _moment("watch_time"),
        lambda: _moment("last_open_time"),
        lambda: _moment("reason_time"),
    ),
}
# Each way in which people look at events and the audit log, sorted by time; and which events a camera or zone has seen.
INDEXES = {
    "audit_entries": (("time",),),
    "events": (
        ("state", "priority", "open_time", "event_id"),
        ("venue_id", "state", "priority", "open_time", "event_id"),
        ("kind", "open_time", "event_id"),
    ),
    "signals": (("venue_id", "camera_id", "zone", "event_id"),),
}
# Which signals others may be near to, and what a camera raised in a window of time.
AGGREGATION = (("venue_id", "kind", "reach_time"), ("venue_id", "camera_id", "kind", "open_time"))
# Which signals have a picture.
EVIDENCE = ("signals", "signal_revisions")
WITH_EVIDENCE: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text("evidence IS NOT NULL"))
NOT_FOLDED: dict[str, Any] = {"sqlite_where": sa.text("folded = 0"), "postgresql_where": sa.text("NOT folded")}
# What would be in the new columns, had they been there.
REACHES = {
    "sqlite": """UPDATE signals
        SET reach_time = coalesce(close_time, strftime('%Y-%m-%d %H:%M:%f000', update_time, '+6 hours'))""",
    "postgresql": "UPDATE signals SET reach_time = coalesce(close_time, update_time + interval '6 hours')",
}
LAST_SIGNALS = """UPDATE events
    SET last_open_time = (SELECT max(open_time) FROM signals WHERE signals.event_id = events.event_id), reason_time = open_time"""
TABLES = ("deliveries", "analysed_time", "suspensions", "destinations", "audit_anchors")


def upgrade() -> None:
    """Applies it."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column())
    for table, (before, after) in CHECKS.items():
        _replace_checks(table, before, after)
    for table, indexes in INDEXES.items():
        for names in indexes:
            op.create_index(_index_name(table, names), table, names)
    for table in EVIDENCE:
        op.create_index(_index_name(table, ("evidence",)), table, ["evidence"], **WITH_EVIDENCE)
    _prepare_aggregation()
    _create_tables()
    heads = sa.table("heads", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.bulk_insert(heads, [{"name": "audit_erased", "value": 0}])
    for statement in GUARD[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Takes it back. What did not exist before is folded into what did: an escalated or closed event was confirmed."""
    for statement in OLD_GUARD[op.get_context().dialect.name]:
        op.execute(statement)
    op.execute("DELETE FROM heads WHERE name = 'audit_erased'")
    for table in TABLES:
        op.drop_table(table)
    for table, indexes in INDEXES.items():
        for names in indexes:
            op.drop_index(_index_name(table, names), table)
    for table in EVIDENCE:
        op.drop_index(_index_name(table, ("evidence",)), table)
    for names in AGGREGATION:
        op.drop_index(_index_name("signals", names), "signals")
    op.create_index("ix_signals_venue_id_kind_open_time", "signals", ["venue_id", "kind", "open_time"])
    op.execute("DELETE FROM reviews WHERE decision > 3")
    op.execute("UPDATE events SET state = 4 WHERE state = 6 AND dismissal_reason IS NOT NULL")
    op.execute("UPDATE events SET state = 3 WHERE state IN (5, 6)")
    op.execute("DELETE FROM events WHERE state = 7")
    for table, (before, after) in CHECKS.items():
        _replace_checks(table, after, before, without=tuple(column().name for column in COLUMNS[table]))
    for table in ("venues", "authorizations", "camera_health", "signals"):
        for column in COLUMNS[table]:
            op.drop_column(table, column().name)


def _prepare_aggregation() -> None:
    op.drop_index("ix_signals_venue_id_kind_open_time", "signals")
    for names in AGGREGATION:
        op.create_index(_index_name("signals", names), "signals", names, **NOT_FOLDED)
    op.execute(REACHES[op.get_context().dialect.name])
    op.execute(LAST_SIGNALS)
    op.execute("UPDATE events SET end_time = update_time WHERE state = 4")


def _index_name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _replace_checks(table: str, before: dict[str, str], after: dict[str, str], without: tuple[str, ...] = ()) -> None:
    if op.get_context().dialect.name == "sqlite":
        _rebuild(table, after, without)
        return
    for name in before:
        # The second is what 0001 made of it once.
        for constraint in (f"ck_{table}_{name}", f"ck_{table}_ck_{table}_{name}"):
            op.drop_constraint(op.f(constraint), table, type_="check", if_exists=True)
    for column in without:
        op.drop_column(table, column)
    for name, condition in after.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _rebuild(table: str, checks: dict[str, str], without: tuple[str, ...]) -> None:
    """SQLite cannot change checks: the table is written anew."""
    rebuilt = sa.Table(table, sa.MetaData(), autoload_with=op.get_bind())
    for constraint in [found for found in rebuilt.constraints if isinstance(found, sa.CheckConstraint)]:
        rebuilt.constraints.discard(constraint)
    for name, condition in checks.items():
        rebuilt.append_constraint(sa.CheckConstraint(condition, name=f"ck_{table}_{name}"))
    with op.batch_alter_table(table, recreate="always", copy_from=rebuilt) as batch:
        for column in without:
            batch.drop_column(column)


def _create_tables() -> None:
    op.create_table(
        "audit_anchors",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("erase_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_anchors"),
    )
    op.create_table(
        "destinations",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("destination_id", sa.String(length=63), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_destinations_venue_id_venues"),
        sa.PrimaryKeyConstraint("venue_id", "destination_id", name="pk_destinations"),
    )
    op.create_table(
        "suspensions",
        sa.Column("suspension_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("authorization_id", sa.String(length=63), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lift_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("lift_author", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kinds BETWEEN 0 AND 255", name=op.f("ck_suspensions_eight_kinds")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_suspensions_venue_id_venues"),
        sa.PrimaryKeyConstraint("suspension_id", name="pk_suspensions"),
    )
    op.create_index("ix_suspensions_venue_id_authorization_id", "suspensions", ["venue_id", "authorization_id"])
    op.create_table(
        "analysed_time",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.CheckConstraint("kind BETWEEN 1 AND 8", name=op.f("ck_analysed_time_eight_kinds")),
        sa.ForeignKeyConstraint(
            ["venue_id", "camera_id"],
            ["cameras.venue_id", "cameras.camera_id"],
            name="fk_analysed_time_venue_id_camera_id_cameras",
        ),
        sa.PrimaryKeyConstraint("venue_id", "camera_id", "kind", "day", name="pk_analysed_time"),
    )
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("destination_id", sa.String(length=63), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.BigInteger(), nullable=False),
        sa.Column("event_state", sa.SmallInteger(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state BETWEEN 1 AND 3", name=op.f("ck_deliveries_states")),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name="fk_deliveries_event_id_events"),
        sa.ForeignKeyConstraint(
            ["venue_id", "destination_id"],
            ["destinations.venue_id", "destinations.destination_id"],
            name="fk_deliveries_venue_id_destination_id_destinations",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_state_next_attempt_time", "deliveries", ["state", "next_attempt_time"])
    op.create_index("ix_deliveries_destination_event", "deliveries", ["venue_id", "destination_id", "event_id"])
    op.create_index("ix_deliveries_create_time_delivery_id", "deliveries", ["create_time", "delivery_id"])
    op.create_index("uq_deliveries_request_id", "deliveries", ["request_id"], unique=True)
