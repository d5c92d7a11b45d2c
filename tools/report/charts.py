"""The plots of a report: what stands where, in percent of a plot's width. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.report.figures import Delay, Figures
from tools.report.wording import delay_text, interval_text, kind_words, precision_text, seconds_text
from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a bar, from and to percent; `style` says how the page draws it."""

    start: float
    end: float
    style: str


@dataclass(frozen=True, slots=True)
class Track:
    """One line of a plot.

    Attributes:
        text: what the line shows, in figures: a plot says nothing that is not said in words.
    """

    label: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot.

    Attributes:
        ticks: what stands at its left end, its middle and its right end.
    """

    title: str
    meaning: str
    ticks: tuple[str, str, str]
    tracks: tuple[Track, ...]


def charts(kinds: Mapping[Kind, Figures]) -> tuple[Chart, ...]:
    """Those of a report that have anything to show."""
    found = (
        _precisions(kinds),
        _events(kinds),
        _delays(
            "From capture to the first watcher",
            "From the time at which the picture was taken until the event was first sent to somebody's screen.",
            {kind: each.watch_delay for kind, each in kinds.items()},
        ),
        _delays(
            "From the record to the first acknowledgement",
            "From the time at which the event could first be seen until somebody took it up.",
            {kind: each.acknowledge_delay for kind, each in kinds.items()},
        ),
    )
    return tuple(chart for chart in found if chart.tracks)


def _precisions(kinds: Mapping[Kind, Figures]) -> Chart:
    tracks = []
    for kind, each in kinds.items():
        if each.precision is not None:
            low, value, high = (100 * share for share in (each.precision.low, each.precision.value, each.precision.high))
            text = f"{precision_text(each)}, {interval_text(each.precision)}; n = {each.judged}"
            tracks.append(Track(kind_words(kind), text, (Span(low, high, "interval"), Span(value, value, "dot"))))
    meaning = (
        "Of the events that were judged, how many were confirmed. The bar is where the true share lies with 95 % confidence."
    )
    return Chart("Precision", meaning, ("0 %", "50 %", "100 %"), tuple(tracks))


def _events(kinds: Mapping[Kind, Figures]) -> Chart:
    most = max((each.events for each in kinds.values()), default=0)
    right_end = most + most % 2
    tracks = tuple(
        Track(
            kind_words(kind),
            f"{each.confirmed} confirmed, {each.dismissed} dismissed, {each.undetermined} undetermined",
            _pieces({"confirmed": each.confirmed, "dismissed": each.dismissed, "undetermined": each.undetermined}, right_end),
        )
        for kind, each in kinds.items()
        if each.events
    )
    meaning = "How many events there were, and what people decided."
    return Chart("Events", meaning, ("0", f"{right_end // 2}", f"{right_end}"), tracks)


def _pieces(counts: Mapping[str, int], right_end: int) -> tuple[Span, ...]:
    """One behind the other; a count of nothing has none."""
    spans, start = [], 0.0
    for style, count in counts.items():
        end = start + 100 * count / right_end
        spans.append(Span(start, end, style))
        start = end
    return tuple(span for span in spans if span.end > span.start)


def _delays(title: str, meaning: str, delays: Mapping[Kind, Delay | None]) -> Chart:
    longest_s = max((delay.p95_s for delay in delays.values() if delay), default=0.0) or 1.0
    tracks = tuple(
        Track(kind_words(kind), f"{delay_text(delay)}; n = {delay.events}", _reach(delay, longest_s))
        for kind, delay in delays.items()
        if delay
    )
    ticks = "0 s", seconds_text(longest_s / 2), seconds_text(longest_s)
    return Chart(
        title, f"{meaning} The dot is where half of the events were, the bar ends where 95 % of them were.", ticks, tracks
    )


def _reach(delay: Delay, longest_s: float) -> tuple[Span, ...]:
    p50, p95 = 100 * delay.p50_s / longest_s, 100 * delay.p95_s / longest_s
    return Span(0.0, p95, "interval"), Span(p50, p50, "dot")
