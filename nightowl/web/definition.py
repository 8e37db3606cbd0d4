"""The check that a page is about, and what can be told of its definition."""

from __future__ import annotations

from nightowl.core.errors import ConfigurationError, NotFound
from nightowl.core.values import Check
from nightowl.ports import CheckRow, StoredCheck
from nightowl.web.masking import without_secrets
from nightowl.web.page import Ask

EVERY = 60.0
"""Seconds between the rounds of a check that does not say otherwise."""


def found(ask: Ask) -> CheckRow:
    """The check of the path beside its state, or ``NotFound``."""
    name = ask.path["name"]
    stored = ask.unit.checks.get(name)
    if stored is None:
        raise NotFound(f"There is no check named {name}.")
    return CheckRow(check=stored, state=ask.unit.rounds.state(name))


def checked(ask: Ask, stored: StoredCheck) -> tuple[Check | None, str]:
    """The check as far as it can be told without its secrets, and what is wrong with its definition.

    What a file defines was judged when it was loaded, where its references can be read.
    """
    judge, mistake = ask.handlers.check_from_spec, ""
    try:
        if stored.origin == "stored":
            judge(stored.name, stored.spec)
    except ConfigurationError as error:
        mistake = str(error)
    try:
        return judge(stored.name, without_secrets(stored.spec)), mistake
    except ConfigurationError:
        return None, mistake


def written_every(ask: Ask, stored: StoredCheck) -> float:
    """The seconds between rounds as they are written, of a check of which ``checked`` can tell nothing."""
    try:
        return ask.handlers.parse_duration(str(stored.spec["every"]))
    except (KeyError, ValueError):
        return EVERY
