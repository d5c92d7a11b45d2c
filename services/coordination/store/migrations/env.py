"""Runs migrations on the connection that the caller opened, or writes them as SQL.

To write one after a change of `models.py`: `command.revision(migrations(connection), "what changes", autogenerate=True)`.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from services.coordination.store.models import Base, UtcDateTime


def _written(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Keeps migrations free of our own types, which may change later."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["connection"].dialect.name,
        target_metadata=Base.metadata,
        literal_binds=True,
        output_buffer=context.config.output_buffer,
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=_written,
    )
with context.begin_transaction():
    context.run_migrations()
