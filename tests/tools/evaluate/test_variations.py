from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from cluster.config import KINDS
from tools.errors import CommandError
from tools.evaluate import variations as module
from tools.evaluate.conditions import CONDITIONS
from tools.evaluate.variations import PLAIN, Variation, variations
from vigie.vocabulary import Kind


@dataclass(frozen=True)
class Flames:
    PARTS: ClassVar[Mapping[str, str]] = {"fire.flicker": "drops steady light", "fire.growth": "drops what stays small"}


@dataclass(frozen=True)
class Falls:
    PARTS: ClassVar[Mapping[str, str]] = {"person_down.crouch": "no fall where someone ties a shoe"}


@pytest.fixture(autouse=True)
def two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", {"fire": Flames, "person_down": Falls})


def test_parts_of_a_rule_are_named_after_its_kind() -> None:
    strangers = [part for kind, rule in KINDS.items() for part in rule.PARTS if not part.startswith(f"{kind}.")]

    assert not strangers


def test_plain_run_stands_alone_where_nothing_else_is_asked_for() -> None:
    assert variations([], [], Kind) == [PLAIN]


def test_parts_that_are_named_are_switched_off_together() -> None:
    off = frozenset({"fire.flicker", "person_down.crouch"})

    assert variations([], sorted(off), Kind) == [PLAIN, Variation(without=off)]


def test_each_part_is_switched_off_in_turn() -> None:
    parts = ("fire.flicker", "fire.growth", "person_down.crouch")

    assert variations([], ["each"], Kind) == [PLAIN, *(Variation(without=frozenset({part})) for part in parts)]


def test_only_parts_of_kinds_that_are_watched_for_are_switched_off() -> None:
    assert variations([], ["each"], [Kind.PERSON_DOWN]) == [PLAIN, Variation(without=frozenset({"person_down.crouch"}))]


def test_run_without_a_part_is_about_its_kind_alone() -> None:
    assert Variation(without=frozenset({"fire.flicker"})).kinds == {Kind.FIRE}
    assert Variation(under="late").kinds == set(Kind)


def test_variation_says_what_it_changes() -> None:
    parts = frozenset({"fire.growth", "fire.flicker"})

    assert [str(each) for each in (PLAIN, Variation("late"), Variation(without=parts), Variation("late", parts))] == [
        "plain",
        "under late",
        "without fire.flicker, fire.growth",
        "under late without fire.flicker, fire.growth",
    ]


def test_each_condition_stands_beside_the_plain_run() -> None:
    assert [variation.under for variation in variations(["each"], [], Kind)] == list(CONDITIONS)
    assert variations(["late", "late"], [], Kind) == [PLAIN, Variation(under="late")]


@pytest.mark.parametrize(
    ("under", "without", "problem"),
    [
        ([], ["fire.flikker"], r"--without fire\.flikker: is not known.*\n  fire\.flicker: drops steady light"),
        (["fog"], [], r"--under fog: is not known.*\n  plain: as it is"),
    ],
)
def test_unknown_name_is_refused_with_those_that_are_known(under: list[str], without: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        variations(under, without, Kind)
