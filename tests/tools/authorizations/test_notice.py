"""The public notice: what it tells, and that nothing in it is taken for markup."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from tests.services.coordination.builders import authorization, timestamp, venue
from tools.authorizations.notice import notice_of, page
from tools.authorizations.wording import LANGUAGES, wording
from vigie.v1 import authorizations_pb2, venues_pb2
from vigie.vocabulary import Kind

NOW = datetime(2026, 11, 28, 9, 5, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> *[x](http://evil)* & co\n# heading"


def arena(*, controller: str = "Préfecture de police", motive: str = "a derby") -> venues_pb2.Venue:
    message = venue()
    message.cameras[0].display_name, message.cameras[1].display_name = "Porte A", "stand"
    (act,) = message.authorizations
    act.controller, act.motive, act.contact = controller, motive, "dpo@arena.example"
    act.start_time.CopyFrom(timestamp(datetime(2026, 11, 28, 13, tzinfo=UTC)))
    act.end_time.CopyFrom(timestamp(datetime(2026, 12, 1, 1, tzinfo=UTC)))
    return message


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_french_notice_tells_what_where_when_and_to_whom_to_turn(suffix: str) -> None:
    text = page(notice_of(arena(), "fr", NOW), suffix).replace("&#39;", "'").replace("\\", "")
    for told in (
        "Arena",
        "Autorisation 75-2026-0117",
        "Préfecture de police",
        "a derby",
        "du 28 novembre 2026 à 14 h 00 au 1er décembre 2026 à 02 h 00 (Europe/Paris)",
        "2 caméras (Porte A)",
        "personne ou véhicule dans une zone interdite ou sensible, densité trop importante de personnes",
        "dpo@arena.example",
        "article 10 de la loi n° 2023-380 du 19 mai 2023",
        "décret n° 2023-828 du 28 août 2023",
        "Aucune reconnaissance faciale",
        "article 15",
        "article 16",
        "article 17",
        "article 18",
        "article 21",
        "CNIL",
        "Établi le 28 novembre 2026 à 10 h 05",
    ):
        assert told in text, told


def test_english_notice_can_be_had_too() -> None:
    text = page(notice_of(arena(), "en", NOW), ".md")
    assert "from 28 November 2026 at 14:00 to 1 December 2026 at 02:00 (Europe/Paris)" in text
    assert "No face recognition" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words_and_every_text_is_filled_in(language: str) -> None:
    message = arena()
    del message.authorizations[0].kinds[:]
    message.authorizations[0].kinds.extend(int(kind) for kind in Kind)  # type: ignore[misc] # their numbers
    assert set(wording(language).kind_names) == set(Kind.__members__)
    assert not set("{}") & set(page(notice_of(message, language, NOW), ".md").replace("\\", ""))


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_that_an_act_says_becomes_markup_in_html() -> None:
    message = arena(controller=HOSTILE, motive=HOSTILE)
    message.display_name = HOSTILE
    page_ = Tags(page(notice_of(message, "fr", NOW), ".html"))
    assert not page_.tags & {"script", "a", "img"}
    assert "<script>alert(1)</script>" in page_.text


def test_nothing_that_an_act_says_becomes_markup_in_markdown() -> None:
    text = page(notice_of(arena(motive=HOSTILE), "fr", NOW), ".md")
    (line,) = (line for line in text.splitlines() if "alert" in line)
    assert line == r"- **Motif** – \<script\>alert(1)\</script\> \*\[x\](http://evil)\* \& co \# heading"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (authorizations_pb2.AUTHORIZATION_STATE_SUSPENDED, "rien n'est analysé"),
        (authorizations_pb2.AUTHORIZATION_STATE_PARTLY_SUSPENDED, "pour une partie des caméras"),
        (authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE, ""),
    ],
)
def test_suspended_act_is_told_to_be_suspended(state: authorizations_pb2.AuthorizationState.ValueType, told: str) -> None:
    message = arena()
    message.authorizations[0].state = state
    (act,) = notice_of(message, "fr", NOW).acts
    assert told in act.remark
    assert bool(told) == bool(act.remark)


def test_acts_come_in_the_order_in_which_they_begin() -> None:
    message = arena()
    earlier = authorization([message.cameras[0].name])
    earlier.reference = "75-2026-0099"
    earlier.start_time.CopyFrom(timestamp(NOW - timedelta(days=1)))
    message.authorizations.append(earlier)
    assert [act.heading[-4:] for act in notice_of(message, "fr", NOW).acts] == ["0099", "0117"]


def test_who_names_no_contact_is_the_contact() -> None:
    message = arena()
    message.authorizations[0].ClearField("contact")
    notice = notice_of(message, "fr", NOW)
    assert ("Contact", "Préfecture de police") in notice.acts[0].facts
    assert "adressez-vous à : Préfecture de police." in " ".join(text for part in notice.sections for text in part.paragraphs)


def test_places_without_names_for_people_are_counted() -> None:
    message = arena()
    message.cameras[0].display_name = ""
    assert ("Lieux", "2 caméras") in notice_of(message, "fr", NOW).acts[0].facts
    del message.authorizations[0].cameras[1]
    assert ("Lieux", "1 caméra") in notice_of(message, "fr", NOW).acts[0].facts
