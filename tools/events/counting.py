"""`vigie events count`."""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, kind_text, styled_priority, styled_state
from tools.events.filters import (
    EVERY_VENUE,
    Cameras,
    Choice,
    Drills,
    Kinds,
    Priorities,
    Since,
    States,
    Until,
    Venue,
    Zones,
)
from vigie.v1 import event_service_pb2, event_service_pb2_grpc


def count_events(
    venue: Venue = EVERY_VENUE,
    kind: Kinds = [],  # noqa: B006 - typer copies it
    state: States = [],  # noqa: B006
    priority: Priorities = [],  # noqa: B006
    camera: Cameras = [],  # noqa: B006
    zone: Zones = [],  # noqa: B006
    drills: Drills = "with",
    since: Since = None,
    until: Until = None,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Counts events by kind, state and priority.

    Example: vigie events count --venue parc-des-princes --drills without --since 7d
    """
    choice = Choice(
        venue=venue,
        kinds=kind,
        states=state,
        priorities=priority,
        cameras=camera,
        zones=zone,
        drills=drills,
        since=since,
        until=until,
    )
    request = event_service_pb2.CountEventsRequest(parent=venue, filter=choice.filter())
    with connected(coordination) as channel:
        counted = event_service_pb2_grpc.EventServiceStub(channel).CountEvents(request, timeout=DEADLINE_S)
    if as_json:
        print(json_line(counted))
    elif counted.total:
        console().print(_table(counted.counts))
    else:
        print("No such events.")


def _table(counts: Sequence[event_service_pb2.EventCount]) -> Table:
    states, priorities = sorted({each.state for each in counts}), sorted({each.priority for each in counts}, reverse=True)
    table = Table(box=box.SIMPLE)
    table.add_column("kind")
    for heading in (Text("events"), *map(styled_state, states), *map(styled_priority, priorities)):
        table.add_column(heading, justify="right")
    for kind in sorted({each.kind for each in counts}):
        of_kind = [each for each in counts if each.kind == kind]
        by_state, by_priority = Counter[int](), Counter[int]()
        for each in of_kind:
            by_state[each.state] += each.events
            by_priority[each.priority] += each.events
        figures = (by_state.total(), *(by_state[state] for state in states), *(by_priority[level] for level in priorities))
        table.add_row(kind_text(kind), *map(str, figures))
    return table
