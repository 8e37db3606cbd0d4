"""What a location can be asked to try before it calls anything down."""

from __future__ import annotations

import pytest


def test_control_targets_are_targets_of_the_kind_that_their_scheme_says(configured):
    text = '[location.l]\nallow = [{ network = "10.0.0.0/8" }]\ncontrol = ["tcp://10.0.0.1:53", "https://a.example"]'
    control = configured(text).locations["l"].control
    assert [(target.kind, target.url, target.timeout) for target in control] == [
        ("tcp", "tcp://10.0.0.1:53", 2.0),
        ("https", "https://a.example", 2.0),
    ]


@pytest.mark.parametrize("url", ["gopher://a", "tcp://a", "tcp://a:1/path", "just-a-name", "https://user:word@a"])
def test_a_control_target_that_cannot_be_tried_is_refused(mistakes, url):
    assert "location.l.control[0]" in mistakes(f'[location.l]\ncontrol = ["{url}"]')


def test_there_are_five_control_targets_at_most(mistakes):
    assert "location.l.control" in mistakes(f"[location.l]\ncontrol = {['tcp://a:1'] * 6}")
