import json
from pathlib import Path

from tests.tools.evaluate.labelled import fields
from tools.evaluate.labels import Label, LabelFile
from tools.evaluate.matching import Signal
from tools.evaluate.player import Played
from tools.evaluate.results import due_s, run_of
from tools.evaluate.variations import PLAIN, Variation
from vigie.vocabulary import Kind


def label(**more: object) -> Label:
    return Label.model_validate_json(json.dumps(fields(**more)))


def test_fall_is_due_when_the_person_lies() -> None:
    fall = {"kind": "PERSON_DOWN", "start_s": 2.0, "end_s": 9.0}
    whole = label(watch=[{"kind": "PERSON_DOWN"}], events=[fall, {**fall, "lying_from_s": 3.5}])

    assert [due_s(whole, event) for event in whole.events] == [2.0, 3.5]


def test_left_thing_is_due_when_it_was_left_for_as_long_as_the_rule_asks() -> None:
    left = {"kind": "ABANDONED_OBJECT", "start_s": 2.0, "end_s": 60.0}
    by_default = label(watch=[{"kind": "ABANDONED_OBJECT"}], events=[left])
    in_short = label(watch=[{"kind": "ABANDONED_OBJECT", "stationary_s": 10.0}], events=[left])

    assert due_s(by_default, by_default.events[0]) == 32.0
    assert due_s(in_short, in_short.events[0]) == 12.0


def test_signals_of_kinds_of_which_nothing_is_known_are_not_counted() -> None:
    watch = [{"kind": kind} for kind in ("FIRE", "PERSON_DOWN", "CROWD_MOVEMENT")]
    file = LabelFile(Path("hall.json"), label(watch=watch, says_nothing_about=["CROWD_MOVEMENT"]))
    signals = tuple(Signal(kind, "", 1.0, None, 0.9, "so", None) for kind in (Kind.FIRE, Kind.CROWD_MOVEMENT))

    run = run_of(PLAIN, [(file, Played(5.0, 1800.0, 0.0, (signals,)))], 0, frozenset(Kind))

    assert {kind: figures.false_alarms for kind, figures in run.figures().items()} == {Kind.PERSON_DOWN: 0, Kind.FIRE: 1}


def test_time_is_watched_for_a_kind_only_where_the_clip_speaks_about_it() -> None:
    files = [LabelFile(Path(f"{kind}.json"), label(watch=[{"kind": kind}], says_nothing_about=[])) for kind in ("FIRE", "WEAPON")]

    run = run_of(PLAIN, [(file, Played(5.0, 60.0, 0.0, ((),))) for file in files], 0, frozenset(Kind))

    assert {kind: figures.watched_s for kind, figures in run.figures().items()} == {Kind.WEAPON: 60, Kind.FIRE: 60}


def test_run_without_a_part_counts_the_kind_of_the_part_alone() -> None:
    file = LabelFile(Path("hall.json"), label(watch=[{"kind": "FIRE"}, {"kind": "PERSON_DOWN"}], says_nothing_about=[]))
    played = Played(5.0, 60.0, 0.0, ((), (Signal(Kind.FIRE, "", 1.0, None, 0.9, "so", None),)))

    run = run_of(Variation(without=frozenset({"fire.flicker"})), [(file, played)], 1, frozenset(Kind))

    assert {kind: figures.false_alarms for kind, figures in run.figures().items()} == {Kind.FIRE: 1}
