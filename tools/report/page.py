"""A report as a page: one file that needs no network and runs no script, to read on a screen of any width and on paper."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from tools.report import wording
from tools.report.charts import charts
from tools.report.figures import FEW
from tools.report.gathering import Report
from vigie.limits import KNOWN_LIMITS

_TEMPLATE = "page.html.jinja"


def page(report: Report) -> str:
    """The page, in HTML."""
    environment = Environment(
        loader=PackageLoader("tools.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "kind": wording.kind_words,
        "dismissals": wording.dismissals_text,
        "precision": wording.precision_text,
        "interval": wording.interval_text,
        "rate": wording.rate_text,
        "hours": wording.hours_text,
        "delay": wording.delay_text,
    }
    kinds = report.by_kind()
    return environment.get_template(_TEMPLATE).render(
        report=report, kinds=kinds, charts=charts(kinds), few=FEW, limits=KNOWN_LIMITS
    )
