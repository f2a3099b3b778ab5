"""What AWS is asked: nothing twice in a target, and nothing that the catalogue does not declare."""

import json
from collections import Counter

import pytest

from orgscan import catalog, engine, metrics
from orgscan.model import Target
from tests.served import TARGETS, Asked, Served, record


@pytest.fixture(scope="module")
def served() -> Served:
    return Served(record())


def written(asked: Asked) -> tuple[str, str, str]:
    return asked.call, asked.region, json.dumps(asked.parameters, sort_keys=True, default=str)


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.region)
def test_a_whole_look_asks_nothing_twice(target: Target, served: Served) -> None:
    served.heal()
    clients = served.clients()
    assert engine.look(target, lambda: clients, catalog.everything(), now=served.recording.now)
    asked = Counter(map(written, served.calls))
    assert {each: times for each, times in asked.items() if times > 1} == {}
    declared = {call for each in catalog.everything().needed(once=target.once) for call in each.calls}
    assert {call for call, _, _ in asked} == declared | ({*metrics.CALLS} if not target.once else set())
