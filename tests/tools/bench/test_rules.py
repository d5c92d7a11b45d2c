import json
from collections.abc import Callable

import pytest

from tests.tools.conftest import Outcome
from vigie.vocabulary import Kind

Vigie = Callable[..., Outcome]


def test_each_rule_has_its_cost_and_share(vigie: Vigie) -> None:
    outcome = vigie("bench", "rules", "--rounds", "2", "--seconds", "2", "--json")

    found = json.loads(outcome.out)
    assert set(found["rules_ms"]) == {"small picture", *(kind.name for kind in Kind)}
    assert sum(found["shares"].values()) == pytest.approx(1, abs=0.01)
    assert found["all_rules_to_inference"] > 0
    assert found["all_rules_to_decode"] > found["all_rules_to_inference"]
