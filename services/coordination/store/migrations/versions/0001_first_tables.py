"""The first tables, the counters, and the guard of the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

HEADS = ("event_changes", "venue_changes", "audit")
REFUSAL = "the audit log is never changed"
AUDIT_GUARD = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit_entries BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_entries EXECUTE FUNCTION audit_refuse()",
    ],
}


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
    )
    op.create_table(
        "event_changes",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_event_changes"),
    )
    op.create_table(
        "evidence",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_evidence"),
    )
    op.create_table(
        "heads",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heads"),
    )
    op.create_table(
        "venues",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("venue_id", name="pk_venues"),
    )
    op.create_table(
        "authorizations",
        sa.Column("wording_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("authorization_id", sa.String(length=63), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kinds", sa.SmallInteger(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_time", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kinds BETWEEN 1 AND 255", name=op.f("ck_authorizations_eight_kinds")),
        sa.CheckConstraint("start_time < end_time", name=op.f("ck_authorizations_period")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_authorizations_venue_id_venues"),
        sa.PrimaryKeyConstraint("wording_id", name="pk_authorizations"),
    )
    op.create_index("ix_authorizations_venue_id_end_time", "authorizations", ["venue_id", "end_time"], unique=False)
    op.create_index(
        "uq_authorizations_current",
        "authorizations",
        ["venue_id", "authorization_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_time IS NULL"),
        postgresql_where=sa.text("withdrawn_time IS NULL"),
    )
    op.create_table(
        "cameras",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("recording", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("withdrawn_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_cameras_venue_id_venues"),
        sa.PrimaryKeyConstraint("venue_id", "camera_id", name="pk_cameras"),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("zones", sa.JSON(), nullable=False),
        sa.Column("open_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_close_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raise_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signal_count", sa.Integer(), nullable=False),
        sa.Column("open_signals", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind BETWEEN 1 AND 8", name=op.f("ck_events_eight_kinds")),
        sa.CheckConstraint("severity BETWEEN 1 AND 3", name=op.f("ck_events_three_severities")),
        sa.CheckConstraint("state BETWEEN 1 AND 4", name=op.f("ck_events_states")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_events_venue_id_venues"),
        sa.PrimaryKeyConstraint("event_id", name="pk_events"),
    )
    op.create_index("ix_events_open_time_event_id", "events", ["open_time", "event_id"], unique=False)
    op.create_index("ix_events_venue_id_open_time_event_id", "events", ["venue_id", "open_time", "event_id"], unique=False)
    op.create_table(
        "camera_health",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("receive_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["venue_id", "camera_id"],
            ["cameras.venue_id", "cameras.camera_id"],
            name="fk_camera_health_venue_id_camera_id_cameras",
        ),
        sa.PrimaryKeyConstraint("venue_id", "camera_id", name="pk_camera_health"),
    )
    op.create_table(
        "incarnations",
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["venue_id", "camera_id"],
            ["cameras.venue_id", "cameras.camera_id"],
            name="fk_incarnations_venue_id_camera_id_cameras",
        ),
        sa.PrimaryKeyConstraint("venue_id", "camera_id", "incarnation", name="pk_incarnations"),
    )
    op.create_table(
        "reviews",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.SmallInteger(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("review_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("reviewer <> ''", name=op.f("ck_reviews_reviewer")),
        sa.CheckConstraint("decision BETWEEN 1 AND 3", name=op.f("ck_reviews_decisions")),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name="fk_reviews_event_id_events"),
        sa.PrimaryKeyConstraint("event_id", "event_version", name="pk_reviews"),
    )
    op.create_index("uq_reviews_request_id", "reviews", ["request_id"], unique=True)
    op.create_table(
        "signals",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("zone", sa.String(length=63), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("open_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("orphaned", sa.Boolean(), nullable=False),
        sa.Column("ground_x_m", sa.Double(), nullable=True),
        sa.Column("ground_y_m", sa.Double(), nullable=True),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.CheckConstraint("kind BETWEEN 1 AND 8", name=op.f("ck_signals_eight_kinds")),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name="fk_signals_event_id_events"),
        sa.ForeignKeyConstraint(["evidence"], ["evidence.sha256"], name="fk_signals_evidence_evidence"),
        sa.ForeignKeyConstraint(
            ["venue_id", "camera_id"], ["cameras.venue_id", "cameras.camera_id"], name="fk_signals_venue_id_camera_id_cameras"
        ),
        sa.PrimaryKeyConstraint("signal_id", name="pk_signals"),
    )
    op.create_index("ix_signals_event_id", "signals", ["event_id"], unique=False)
    op.create_index(
        "ix_signals_open",
        "signals",
        ["venue_id", "camera_id"],
        unique=False,
        sqlite_where=sa.text("close_time IS NULL"),
        postgresql_where=sa.text("close_time IS NULL"),
    )
    op.create_index("ix_signals_venue_id_kind_open_time", "signals", ["venue_id", "kind", "open_time"], unique=False)
    op.create_table(
        "signal_revisions",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raise_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("box_x0", sa.Double(), nullable=True),
        sa.Column("box_y0", sa.Double(), nullable=True),
        sa.Column("box_x1", sa.Double(), nullable=True),
        sa.Column("box_y1", sa.Double(), nullable=True),
        sa.Column("ground_x_m", sa.Double(), nullable=True),
        sa.Column("ground_y_m", sa.Double(), nullable=True),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.CheckConstraint("severity BETWEEN 1 AND 3", name=op.f("ck_signal_revisions_three_severities")),
        sa.ForeignKeyConstraint(["evidence"], ["evidence.sha256"], name="fk_signal_revisions_evidence_evidence"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.signal_id"], name="fk_signal_revisions_signal_id_signals"),
        sa.PrimaryKeyConstraint("signal_id", "revision", name="pk_signal_revisions"),
    )
    heads = sa.table("heads", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.bulk_insert(heads, [{"name": name, "value": 0} for name in HEADS])
    for statement in AUDIT_GUARD[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Takes it back."""
    for table in (
        "signal_revisions",
        "signals",
        "reviews",
        "incarnations",
        "camera_health",
        "events",
        "cameras",
        "authorizations",
        "venues",
        "heads",
        "evidence",
        "event_changes",
        "audit_entries",
    ):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse")
