"""What is or was wrong with cameras and their hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.add_column("camera_health", sa.Column("host", sa.Text(), server_default="", nullable=False))
    op.add_column("camera_health", sa.Column("down_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "health_events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("camera_id", sa.String(length=63), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("fault", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("camera_count", sa.Integer(), nullable=False),
        sa.Column("begin_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind BETWEEN 1 AND 4", name=op.f("ck_health_events_kinds")),
        sa.CheckConstraint("fault BETWEEN 0 AND 7", name=op.f("ck_health_events_faults")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.venue_id"], name="fk_health_events_venue_id_venues"),
        sa.PrimaryKeyConstraint("event_id", name="pk_health_events"),
    )
    op.create_index("ix_health_events_begin_time_event_id", "health_events", ["begin_time", "event_id"])
    op.create_index("ix_health_events_venue_id_begin_time_event_id", "health_events", ["venue_id", "begin_time", "event_id"])
    op.create_index(
        "uq_health_events_lasting",
        "health_events",
        ["venue_id", "kind", "camera_id", "host", "fault"],
        unique=True,
        sqlite_where=sa.text("end_time IS NULL"),
        postgresql_where=sa.text("end_time IS NULL"),
    )


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("health_events")
    op.drop_column("camera_health", "down_since")
    op.drop_column("camera_health", "host")
