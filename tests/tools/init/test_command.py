import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Outcome
from tools.errors import ExitCode
from vigie.identity import read_identity

Vigie = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "identity"
    monkeypatch.setenv("VIGIE_IDENTITY_DIR", str(home))
    return home


def lines(outcome: Outcome) -> list[dict[str, object]]:
    assert outcome.code == ExitCode.OK, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_first_call_makes_and_the_next_one_says_what_is_there(vigie: Vigie) -> None:
    first, second = lines(vigie("init", "--json")), lines(vigie("init", "--json"))

    assert [made["deed"] for made in first] == ["made"] * 3
    assert second == [made | {"deed": "kept"} for made in first]


def test_user_is_told_that_the_developer_may_do_everything(vigie: Vigie, home: Path) -> None:
    assert f"{home / 'developer'} may do everything at every venue: it is for development" in vigie("init").out


def test_person_gets_a_folder_of_its_own(vigie: Vigie, home: Path) -> None:
    vigie("init")
    (made,) = lines(vigie("init", "person", "ada", "--role", "operator:arena", "--role", "auditor:*", "--json"))

    assert made["folder"] == str(home / "people" / "ada")
    assert made["alternatives"] == ["urn:vigie:auditor:*", "urn:vigie:operator:arena"]
    assert "ada" in {each["name"] for each in lines(vigie("init", "--json"))}


def test_cluster_is_written_where_it_is_wanted(vigie: Vigie, tmp_path: Path) -> None:
    vigie("init")
    out = tmp_path / "usb"
    (made,) = lines(vigie("init", "cluster", "arena-1", "--venue", "arena", "--days", "30", "--out", str(out), "--json"))

    assert made["alternatives"] == ["urn:vigie:cluster:arena"]
    assert read_identity(out).ca


def test_what_a_person_may_do_is_changed_only_when_asked_for(vigie: Vigie) -> None:
    vigie("init")
    vigie("init", "person", "ada", "--role", "operator:arena")
    refused = vigie("init", "person", "ada", "--role", "supervisor:arena")
    (renewed,) = lines(vigie("init", "person", "ada", "--role", "supervisor:arena", "--renew", "--json"))

    assert refused.code == ExitCode.CONFLICT
    assert "is for ada, who may operator:arena; replace it with --renew, or write another with --out" in refused.err
    assert renewed["alternatives"] == ["urn:vigie:supervisor:arena"]


def test_person_needs_an_authority_first(vigie: Vigie, home: Path) -> None:
    outcome = vigie("init", "person", "ada", "--role", "operator:arena")

    assert outcome.code == ExitCode.REFUSED
    assert outcome.err == f"vigie: {home} holds no authority; make one with `vigie init`, or name its folder with --folder\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("person ada", "Missing option '--role'"),
        ("person ada --role chief:arena", "'chief' is no role of a person; roles are operator,"),
        ("person ada --role cluster:arena", "'cluster' is no role of a person"),
        ("person ada --role operator", "'' is no venue's id; name one, or '*' for all"),
        ("person ada --role operator:Arena", "'Arena' is no venue's id"),
        ("person ../ada --role operator:arena", "'../ada' is no name; write 1 to 64 letters"),
        ("person ada --role operator:arena --days 0", "should be greater than or equal to 1"),
        ("cluster Arena --venue arena", "'Arena' is no id; write 1 to 63 of a-z"),
        ("cluster arena", "Missing option '--venue'"),
        ("--host http://x", "'http://x' is no host name and no address"),
    ],
)
def test_what_cannot_be_is_said(vigie: Vigie, arguments: str, words: str) -> None:
    outcome = vigie("init", *arguments.split())

    assert outcome.code == ExitCode.USAGE
    assert words in " ".join(outcome.err.replace("│", "").split())
