"""The words of the public notice, in the languages in which it can be had: `notice.LANGUAGE.yaml` beside this module."""

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from vigie.vocabulary import Kind

LANGUAGES = ("fr", "en")


class Wording(BaseModel):
    """A language's words; what stands in braces is filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    introduction: str
    act: str
    controller: str
    motive: str
    period: str
    period_text: str
    places: str
    one_camera: str
    many_cameras: str
    kinds: str
    contact: str
    suspended: str
    partly_suspended: str
    done_heading: str
    done: tuple[str, ...]
    undone_heading: str
    undone: tuple[str, ...]
    rights_heading: str
    rights: tuple[str, ...]
    complaint_heading: str
    complaint: str
    drawn_up: str
    kind_names: Mapping[str, str]
    moment: str
    first_day: str
    months: tuple[str, ...]

    def kind(self, kind: Kind) -> str:
        """A kind in words."""
        return self.kind_names[kind.name]

    def time(self, time: datetime) -> str:
        """A day and an hour in words."""
        day, month = self.first_day if time.day == 1 else str(time.day), self.months[time.month - 1]
        return self.moment.format(day=day, month=month, year=time.year, hour=f"{time:%H}", minute=f"{time:%M}")


def wording(language: str) -> Wording:
    """The words of one of LANGUAGES."""
    text = files("tools.authorizations").joinpath(f"notice.{language}.yaml").read_text(encoding="utf-8")
    return Wording.model_validate(yaml.safe_load(text))
