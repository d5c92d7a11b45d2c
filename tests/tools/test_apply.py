from collections.abc import Callable
from pathlib import Path

from tests.tools.conftest import Outcome
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]


def test_venue_is_applied_once(vigie: Vigie, service: str, venue_path: Path) -> None:
    arguments = ("apply", "-f", str(venue_path), "--coordination", service)

    tried, applied, again = vigie(*arguments, "--dry-run"), vigie(*arguments), vigie(*arguments)

    assert tried.out == applied.out.replace("changed", "would change")
    assert "camera gate-1: added" in applied.out
    assert again.out == "venues/arena: nothing to change\n"


def test_wrong_file_is_refused_before_the_service_is_asked(vigie: Vigie, venue_path: Path) -> None:
    venue_path.write_text(venue_path.read_text().replace("zone: grass", "zone: gras"))

    outcome = vigie("apply", "-f", str(venue_path), "--coordination", "127.0.0.1:1")

    assert outcome.code == ExitCode.BAD_INPUT
    assert f"{venue_path}:20: cameras[0].rules[0].zone: 'gras' is no zone" in outcome.err


def test_service_that_is_not_there_is_unreachable(vigie: Vigie, venue_path: Path) -> None:
    outcome = vigie("apply", "-f", str(venue_path), "--coordination", "127.0.0.1:1")

    assert outcome.code == ExitCode.UNREACHABLE
    assert "127.0.0.1:1 cannot be reached (Connection refused); start it with `vigie serve`" in outcome.err


def test_address_that_is_none_is_bad_input(vigie: Vigie, venue_path: Path) -> None:
    outcome = vigie("apply", "-f", str(venue_path), "--coordination", "here")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "'here' is no address; write HOST:PORT" in outcome.err


def test_camera_that_is_not_quite_good_enough_is_applied_with_a_warning(vigie: Vigie, service: str, venue_path: Path) -> None:
    slow = venue_path.read_text().replace("    picture:", "    rate_hz: 2\n    picture:")
    assert slow.count("rate_hz: 2") == 1
    venue_path.write_text(slow)

    outcome = vigie("apply", "-f", str(venue_path), "--coordination", service)

    assert outcome.code == 0
    assert "camera gate-1: ZONE_INTRUSION: 2 frames a second are analysed, it needs 3" in outcome.err


def test_camera_with_less_than_half_of_what_it_needs_is_refused(vigie: Vigie, venue_path: Path) -> None:
    venue_path.write_text(venue_path.read_text().replace("    picture:", "    rate_hz: 1\n    picture:"))

    outcome = vigie("apply", "-f", str(venue_path), "--coordination", "127.0.0.1:1")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "ZONE_INTRUSION in zone grass: 1 frames a second are analysed, it needs 3" in outcome.err
