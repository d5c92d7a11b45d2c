"""`vigie report` against a real service."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.tools.conftest import Outcome, raise_signal
from tools.apply import apply_venue
from tools.errors import ExitCode
from tools.venue_file import load_venue

Vigie = Callable[..., Outcome]


@pytest.fixture
def raised(service: str, venue_path: Path) -> str:
    """The service, once an intrusion was raised at the gate."""
    apply_venue(load_venue(venue_path), service, author="test")
    raise_signal(service)
    return service


def test_what_happened_today_is_in_the_report(vigie: Vigie, raised: str, tmp_path: Path) -> None:
    html, table = tmp_path / "report.html", tmp_path / "report.csv"
    arguments = ("report", "--venue", "arena", "--html", str(html), "--csv", str(table), "--coordination", raised)

    shown, printed = vigie(*arguments), vigie(*arguments, "--json")

    found = json.loads(printed.out)
    (group,) = found["kinds"]
    assert (shown.code, printed.code) == (ExitCode.OK, ExitCode.OK)
    assert "zone intrusion" in shown.out
    assert found["venues"] == [{"venue": "arena", "time_zone": "Europe/Paris"}]
    assert (group["kind"], group["events"], group["precision"]) == ("ZONE_INTRUSION", group["undetermined"], None)
    assert group["events"] >= 1
    assert "zone intrusion" in html.read_text(encoding="utf-8")
    with table.open(newline="", encoding="utf-8") as lines:
        assert [line["camera"] for line in csv.DictReader(lines)] == ["", "", "gate-1"]


@pytest.mark.parametrize(("preset", "days"), [("--weekly", {7}), ("--quarterly", {90, 91, 92})])
def test_presets_are_periods_that_are_over(vigie: Vigie, raised: str, preset: str, days: set[int]) -> None:
    found = json.loads(vigie("report", preset, "--json", "--coordination", raised).out)
    first, last = (date.fromisoformat(found[day]) for day in ("first_day", "last_day"))

    assert (last - first).days + 1 in days
    assert last < datetime.now(UTC).date() + timedelta(days=1)
    assert found["purpose"]


def test_period_in_which_nothing_happened_says_so(vigie: Vigie, raised: str) -> None:
    outcome = vigie("report", "--from", "2020-02-01", "--to", "2020-02-29", "--coordination", raised)

    assert outcome.out == "Nothing was analysed and nothing happened from 2020-02-01 to 2020-02-29.\n"


BAD_ARGUMENTS = {
    "no day": (("--from", "yesterday"), ExitCode.USAGE, "such as 2026-11-28"),
    "days in the wrong order": (("--from", "2026-11-28", "--to", "2026-11-27"), ExitCode.USAGE, "earlier day first"),
    "two presets": (("--weekly", "--quarterly"), ExitCode.USAGE, "say one of"),
    "preset and days": (("--weekly", "--to", "2026-11-27"), ExitCode.USAGE, "say one of"),
    "years": (("--from", "2020-01-01", "--to", "2026-11-27"), ExitCode.BAD_INPUT, "366 days"),
    "unknown venue": (("--venue", "moon"), ExitCode.NOT_FOUND, "venues/moon"),
    "file that cannot be written": (("--html", "/nowhere/report.html"), ExitCode.BAD_INPUT, "cannot be written"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_say_what_to_do(vigie: Vigie, raised: str, case: str) -> None:
    arguments, code, words = BAD_ARGUMENTS[case]

    outcome = vigie("report", *arguments, "--coordination", raised)

    assert outcome.code == code
    assert words in " ".join(outcome.err.replace("│", " ").split())
