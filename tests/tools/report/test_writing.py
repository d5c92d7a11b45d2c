"""A report as a page, as JSON and as CSV: each says the same."""

import csv
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest

from tests.tools.report.rows import WEEK, report, row
from tools.report.charts import charts
from tools.report.document import document, sheet
from tools.report.page import page
from tools.report.showing import tables
from tools.report.wording import seconds_text
from vigie.limits import KNOWN_LIMITS
from vigie.vocabulary import Kind

GROUPS = ("kinds", "venue_kinds", "camera_kinds")


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, and the cells of each line of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.lines: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append("")
        if tag not in ("meta", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.lines[-1][-1] += data


def whole() -> dict[str, Any]:
    """The JSON document as a program reads it."""
    found: dict[str, Any] = json.loads(json.dumps(document(WEEK)))
    return found


def groups(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in GROUPS:
        yield from found[group]


def test_figures_without_a_basis_are_null_and_not_nothing() -> None:
    wrong_way, fire = whole()["kinds"][0], whole()["kinds"][2]

    assert (wrong_way["kind"], wrong_way["precision"], wrong_way["watch_delay_p50_s"]) == ("WRONG_WAY", None, None)
    assert wrong_way["false_alarms_per_camera_hour"] == 0.0
    assert (fire["kind"], fire["confirmed"], fire["dismissed"], fire["dismissed_light"]) == ("FIRE", 1, 5, 5)
    assert (fire["acknowledge_delay_p50_s"], fire["acknowledge_delay_p95_s"]) == (75, 4000)
    assert whole()["camera_kinds"][-1]["false_alarms_per_camera_hour"] is None


def test_csv_read_back_says_what_json_says() -> None:
    lines = list(csv.DictReader(StringIO(sheet(WEEK))))
    expected = list(groups(whole()))

    assert len(lines) == len(expected)
    for line, group in zip(lines, expected, strict=True):
        assert (line.pop("first_day"), line.pop("last_day")) == ("2026-11-16", "2026-11-22")
        assert {name: text for name, text in line.items() if text} == {
            name: str(value) for name, value in group.items() if value is not None
        }


def test_page_says_what_json_says() -> None:
    lines = [line for line in Page(page(WEEK)).lines if len(line) > 9]

    for group in groups(whole()):
        named = [group.get("venue"), group.get("camera"), group["kind"].lower().replace("_", " ")]
        keys = [name for name in named if name]
        (line,) = [line for line in lines if line[: len(keys)] == keys and line[len(keys)].isdigit()]
        figures = line[len(keys) :]
        counts = ("events", "confirmed", "dismissed", "undetermined", "unacknowledged")
        assert [int(text) for text in figures[:5]] == [group[name] for name in counts]
        assert figures[5].startswith("-" if group["precision"] is None else f"{100 * group['precision']:.0f} %")
        assert ("(few)" in figures[5]) is (group["precision"] is not None and group["few_judged"])
        assert figures[7] == f"{group['camera_hours']:.1f} h"
        for text, name in ((figures[8], "watch_delay"), (figures[9], "acknowledge_delay")):
            p95_s = group[f"{name}_p95_s"]
            assert text == "-" if p95_s is None else f"/ {seconds_text(p95_s)}" in text


def test_page_needs_no_network_and_runs_no_script() -> None:
    text = page(WEEK)
    read = Page(text)

    assert read.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in read.tags}
    attributes = [name for _, attrs in read.tags for name in attrs]
    assert not [name for name in attributes if name in ("src", "href", "srcset", "action") or name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import", text)


def test_page_says_who_made_it_of_what_and_what_its_figures_mean() -> None:
    text = page(WEEK)

    assert "Weekly report to the supervising authority" in text
    assert "from 2026-11-16 to 2026-11-22" in text
    assert "Camille &lt;Roux&gt;" in text
    assert "2026-11-25 09:00 UTC" in text
    for kind in (Kind.ZONE_INTRUSION, Kind.FIRE, Kind.WRONG_WAY):
        assert all(sentence.replace("'", "&#39;") in text for sentence in KNOWN_LIMITS[kind])


def test_kind_that_nothing_watches_for_is_not_shown() -> None:
    assert "weapon" not in page(report(row(kind=Kind.FIRE))).lower().replace("known limits", "")
    assert [group["kind"] for group in document(report(row(kind=Kind.FIRE)))["kinds"]] == ["FIRE"]  # type: ignore[attr-defined]


def test_report_of_nothing_is_a_page_too() -> None:
    assert "Nothing was analysed and nothing happened" in page(report())
    assert sheet(report()).count("\n") == 1


def test_nothing_is_drawn_outside_of_a_plot() -> None:
    drawn = charts(WEEK.by_kind())
    spans = [span for chart in drawn for track in chart.tracks for span in track.spans]

    assert [chart.title for chart in drawn][:2] == ["Precision", "Events"]
    assert spans
    assert all(0 <= span.start <= span.end <= 100 for span in spans)


def test_plot_without_figures_is_left_out() -> None:
    assert charts(report(row(hours=3)).by_kind()) == ()


def test_tables_show_every_camera_and_exercises_apart() -> None:
    kinds, exercises, venues, cameras = tables(WEEK)

    assert [each.row_count for each in (kinds, exercises, venues, cameras)] == [3, 2, 4, 5]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (75, "1 min 15 s"), (3600, "1 h 00 min"), (7325, "2 h 02 min")]
)
def test_delays_are_as_exact_as_matters(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
