"""The installed strategies: built-in ones come as those of plug-ins do."""

import logging
from importlib.metadata import EntryPoint

from nightowl import plugins
from nightowl.core.points import NONE
from nightowl.core.rule import Rule
from nightowl.core.strategies import BUILT_IN
from nightowl.core.strategies.guarded import Guarded
from nightowl.wire.strategies import strategies


def test_the_built_in_ones_are_installed_as_they_are():
    assert {name: strategies()[name] for name in BUILT_IN} == BUILT_IN


def test_a_plug_in_is_guarded_and_cannot_take_the_name_of_a_built_in_one(monkeypatch, caplog):
    group = plugins.STRATEGIES
    entries = [
        EntryPoint("fixed", "nightowl.core.strategies.fixed", group),
        EntryPoint("fixed", "foreign.strategy", group),
        EntryPoint("own", "module_that_is_not_there", group),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)
    found = strategies.__wrapped__()
    assert found["fixed"] is BUILT_IN["fixed"]
    assert isinstance(found["own"], Guarded)
    rule = Rule(name="r", metric="m", strategy="own")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            sentence = found["own"].judge(rule, [NONE], firing=False).sentence
    assert "ModuleNotFoundError: No module named 'module_that_is_not_there'" in sentence
    assert [record.getMessage() for record in caplog.records] == [
        f"the rule r is unknown, and this is said once: {sentence}"
    ]
