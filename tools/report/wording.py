"""Figures as people read them. Pure."""

from tools.estimates import Estimate
from tools.report.figures import Delay, Figures
from vigie.vocabulary import Kind

DASH = "-"
FEW_MARK = " (few)"


def kind_words(kind: Kind) -> str:
    """`zone intrusion` and the like."""
    return kind.name.lower().replace("_", " ")


def dismissals_text(figures: Figures) -> str:
    """How many events were dismissed for each reason."""
    named = {"UNSPECIFIED": "without a reason"}
    return ", ".join(f"{count} {named.get(name, name.lower().replace('_', ' '))}" for name, count in figures.dismissals.items())


def precision_text(figures: Figures) -> str:
    """In percent, marked where few events were judged; a dash where none was."""
    return DASH if figures.precision is None else _percent(figures.precision.value) + (FEW_MARK if figures.is_few else "")


def interval_text(estimate: Estimate | None) -> str:
    """The interval of a share, in percent."""
    return DASH if estimate is None else f"{100 * estimate.low:.0f} to {_percent(estimate.high)}"


def rate_text(estimate: Estimate | None) -> str:
    """A rate with its interval."""
    return DASH if estimate is None else f"{_digits(estimate.value)} ({_digits(estimate.low)} to {_digits(estimate.high)})"


def hours_text(hours: float) -> str:
    """A length of time in hours."""
    return f"{hours:,.1f} h"


def delay_text(delay: Delay | None) -> str:
    """Within which time of half and of 95 % of the events."""
    return DASH if delay is None else f"{seconds_text(delay.p50_s)} / {seconds_text(delay.p95_s)}"


def seconds_text(seconds: float) -> str:
    """A delay, as exactly as it matters."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _digits(value: float) -> str:
    """Two digits that matter, also of a small number."""
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"
