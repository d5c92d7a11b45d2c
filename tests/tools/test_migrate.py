from collections.abc import Callable
from pathlib import Path

from tests.tools.conftest import Outcome

Vigie = Callable[..., Outcome]


def test_it_says_from_where_to_where(vigie: Vigie, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vigie.db'}"
    first = vigie("migrate", "--database", url)
    assert "were of revision (none)" in first.out
    assert "nothing was to be done" in vigie("migrate", "--database", url).out
    back = vigie("migrate", "--database", url, "--downgrade", "0001")
    assert back.out.rstrip().endswith("are of 0001 now")


def test_a_check_changes_nothing_and_fails_on_tables_of_another_revision(vigie: Vigie, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vigie.db'}"
    assert vigie("migrate", "--database", url, "--downgrade", "base").code == 0
    for _ in range(2):
        checked = vigie("migrate", "--database", url, "--check")
        assert (checked.code, "has no tables yet" in checked.err) == (1, True)
    vigie("migrate", "--database", url)
    assert vigie("migrate", "--database", url, "--check").code == 0


def test_an_unknown_revision_is_named(vigie: Vigie, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vigie.db'}"
    vigie("migrate", "--database", url)
    refused = vigie("migrate", "--database", url, "--downgrade", "0815")
    assert (refused.code, "0815" in refused.err) == (3, True)


def test_only_one_thing_at_a_time(vigie: Vigie) -> None:
    refused = vigie("migrate", "--check", "--sql")
    assert (refused.code, "give one" in refused.err) == (2, True)
