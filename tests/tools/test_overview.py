"""How all venues do, as a person and a program see it, against a real service."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.tools.conftest import Outcome, raise_signal
from tools.apply import apply_venue
from tools.venue_file import load_venue

Vigie = Callable[..., Outcome]


def test_without_venues_it_says_how_to_get_some(vigie: Vigie, service: str) -> None:
    assert "vigie apply" in vigie("overview", "--coordination", service).out


def test_overview_is_a_table_for_people_and_lines_for_programs(vigie: Vigie, service: str, venue_path: Path) -> None:
    apply_venue(load_venue(venue_path), service, author="test")
    raise_signal(service)
    vigie("events", "drill", "arena/gate-1", "--kind", "FIRE", "--reason", "evening shift", "--coordination", service)

    table = vigie("overview", "--coordination", service).out
    arena = json.loads(vigie("overview", "--venue", "arena", "--json", "--coordination", service).out)

    (line,) = (line for line in table.splitlines() if "arena" in line)
    assert "1 of 1 authorised" in line
    assert "ZONE_INTRUSION 1 (0 confirmed, 0 dismissed)" in line
    assert "normal" in line
    assert (arena["new_events"], arena["unhealthy_cameras"], len(arena["last_day"])) == (1, 1, 1)
