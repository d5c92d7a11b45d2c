from datetime import UTC, datetime

import pytest

from tools.venue_file.document import NODE_LIMIT, SIZE_LIMIT_BYTES, UnreadableError, label, read


def test_each_part_remembers_its_line() -> None:
    document = read(b"venue: a\ncameras:\n  - id: gate\n    picture: {width: 768,\n      height: 576}\n")

    assert document.value == {"venue": "a", "cameras": ({"id": "gate", "picture": {"width": 768, "height": 576}},)}
    assert document.line(("cameras", 0, "id")) == 3
    assert document.line(("cameras", 0, "picture", "height")) == 5


def test_part_that_is_missing_has_the_line_of_what_should_hold_it() -> None:
    assert read(b"venue: a\ncameras:\n  - id: gate\n").line(("cameras", 0, "stream", "url")) == 3


def test_time_of_day_stays_text() -> None:
    assert read(b"[22:00, 06:30, 2026-11-28T14:00:00Z, 22]").value == (
        "22:00",
        "06:30",
        datetime(2026, 11, 28, 14, tzinfo=UTC),
        22,
    )


def test_alias_repeats_a_part() -> None:
    assert read(b"a: &point [1, 2]\nb: *point").value == {"a": (1, 2), "b": (1, 2)}


def test_label_reads_like_a_path() -> None:
    assert label(("cameras", 0, "zones", "grass")) == "cameras[0].zones.grass"


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, "first on line 1"),
        (b"a: 1\n? [x]\n: 2\n", 2, "a key that is no text"),
        (b"a: !!python/name:os.system x\n", 1, "cannot be read"),
        (b"a: 1\nb: 2026-13-45\n", 2, "cannot be read"),
    ],
)
def test_part_that_is_refused_is_a_problem_on_its_line(content: bytes, line: int, says: str) -> None:
    (problem,) = read(content).problems

    assert problem.line == line
    assert says in problem.description


def _bomb() -> bytes:
    levels = [b"a0: &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"]
    levels += [b"a%d: &a%d [%s]" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 9)]
    return b"\n".join(levels)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 1, "is empty"),
        (b"# only a comment\n", 1, "is empty"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: 1\nb: [1, 2\nc: 2\n", 3, "is not YAML"),
        (b"a: 1\n---\nb: 2\n", 2, "another document"),
        (b"a: \x07", 1, "control characters"),
        (b"a: *nowhere", 1, "undefined alias"),
        (b"[" * 1000, 1, "nested deeper"),
        (b"&a [*a]", 1, "unfold"),
        (_bomb(), 1, f"more than {NODE_LIMIT} values"),
        (b"a" * (SIZE_LIMIT_BYTES + 1), 1, "larger than 1 MiB"),
    ],
    ids=["empty", "comment", "encoding", "syntax", "two documents", "bell", "no anchor", "deep", "endless", "bomb", "large"],
)
def test_unreadable_file_is_one_problem(content: bytes, line: int, says: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        read(content)

    assert raised.value.problem.line == line
    assert says in raised.value.problem.description
