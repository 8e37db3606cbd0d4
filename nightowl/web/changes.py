"""What pages and API may change, in one place, so that both refuse the same things in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.secrecy import destination, is_sealed, secrets_of
from nightowl.core.values import Author
from nightowl.ports import StoredCheck, Unit
from nightowl.web.audit import differences, record
from nightowl.web.handlers import Handlers
from nightowl.web.heartbeats import is_heartbeat, is_task
from nightowl.web.masking import MASK, unmask
from nightowl.web.parents import confirm_parents

_TAKEN = ".json"
"""How a check's name may not end: its page's data is there."""

_RETYPED = "the value itself; what is masked is kept only while scheme, host and port of the URL stay"


def put_checks(handlers: Handlers, author: Author, specs: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Define checks, all or none; by name, whether each is new.

    Raises ``ConfigurationError`` with the mistakes of all, ``Refused`` for one that a file defines.
    """
    now = handlers.clock.now()
    with handlers.store.transaction() as unit:
        before = {name: unit.checks.get(name) for name in specs}
        for stored in filter(None, before.values()):
            _refuse_file(stored)
        whole = {name: _unmasked(spec, before[name]) for name, spec in specs.items()}
        _confirm(handlers, whole, before)
        confirm_parents(handlers, unit, "check", whole)
        for name, spec in whole.items():
            paused = bool(spec.get("paused", False))
            sealed = handlers.seal(name, spec)
            unit.checks.put(StoredCheck(name=name, origin="stored", paused=paused, spec=sealed, changed=now))
            _record_definition(unit, author, now, name, before[name], sealed)
    return {name: stored is None for name, stored in before.items()}


def pause(handlers: Handlers, author: Author, name: str, *, paused: bool) -> None:
    """Let a check rest, or run again; one that a file defines as well, for that is no change of its definition.

    Raises ``NotFound``, or ``Refused`` where a file itself says that the check rests.
    """
    now = handlers.clock.now()
    with handlers.store.transaction() as unit:
        stored = _existing(unit, name)
        spec = dict(stored.spec)
        if stored.origin == "stored":
            spec = {key: value for key, value in spec.items() if key != "paused"} | ({"paused": True} if paused else {})
        elif spec.get("paused") and not paused:
            raise Refused(f"{name} is paused by its configuration file: change it there.")
        if paused != stored.paused:
            unit.checks.put(replace(stored, paused=paused, spec=spec, changed=now))
            record(unit, author, now, "check.pause" if paused else "check.resume", name)


def remove(handlers: Handlers, author: Author, name: str) -> None:
    """Forget a check and its rounds. Raises ``NotFound`` or ``Refused``."""
    with handlers.store.transaction() as unit:
        stored = _changeable(unit, name)
        unit.checks.remove(name)
        record(unit, author, handlers.clock.now(), "check.delete", name, differences(stored.spec, {}))


def run_now(handlers: Handlers, author: Author, name: str) -> None:
    """Ask the leading director for a round of this check at once. Raises ``NotFound`` or ``Refused``."""
    with handlers.store.transaction() as unit:
        stored = _existing(unit, name)
        if is_heartbeat(stored):
            raise Refused(f"{name} is a heartbeat: its job calls when it runs, and cannot be run from here.")
        if is_task(stored):
            raise Refused(f"{name} follows a task, which its cluster runs, and cannot be run from here.")
        if stored.paused:
            raise Refused(f"{name} is paused: resume it before running it.")
        unit.feed.add("request", f"run:{name}")
        record(unit, author, handlers.clock.now(), "check.run", name)


def test_channel(handlers: Handlers, author: Author, name: str) -> str:
    """Send a test notice; return what went otherwise than meant (empty: nothing).

    Raises ``NotFound``, or ``DeliveryFailed`` where it is not taken.
    """
    if any(channel.name == name for channel in handlers.channels()):
        with handlers.store.transaction() as unit:
            record(unit, author, handlers.clock.now(), "channel.test", name)
    return handlers.test_channel(name)


def reload(handlers: Handlers, author: Author) -> None:
    """Read the configuration files again. Raises ``Refused`` with the mistakes where the old one stays in force."""
    refused = handlers.reload()
    with handlers.store.transaction() as unit:
        record(unit, author, handlers.clock.now(), "configuration.reload", "", "refused" if refused else "")
    if refused:
        raise Refused(f"The configuration was not reloaded, the old one stays in force: {refused}")


def _record_definition(
    unit: Unit, author: Author, now: float, name: str, before: StoredCheck | None, spec: Mapping[str, Any]
) -> None:
    detail = differences(before.spec if before else {}, spec)
    if before is None or detail:
        record(unit, author, now, "check.edit" if before else "check.add", name, detail)


def _confirm(
    handlers: Handlers, specs: Mapping[str, Mapping[str, Any]], before: Mapping[str, StoredCheck | None]
) -> None:
    mistakes: list[Mistake] = []
    for name, spec in specs.items():
        if name.endswith(_TAKEN):
            found, allowed = f'the name "{name}"', f"a name that does not end in {_TAKEN}"
            mistakes.append(Mistake(file="", key=f"check.{name}", found=found, allowed=allowed))
        mistakes += _unknown_secrets(name, spec, before[name])
        try:
            handlers.check_from_spec(name, spec)
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)


def _unknown_secrets(name: str, spec: Mapping[str, Any], before: StoredCheck | None) -> list[Mistake]:
    """The secrets that were not given, and are not kept from before."""
    kept = secrets_of(_kept(spec, before))
    return [
        Mistake(file="", key=f"check.{name}.{place}", found=f'"{MASK}"', allowed=_RETYPED)
        for place, secret in secrets_of(spec).items()
        if secret == MASK or (is_sealed(secret) and kept.get(place) != secret)
    ]


def _kept(spec: Mapping[str, Any], before: StoredCheck | None) -> Mapping[str, Any]:
    """The definition from before, whose secrets are kept: none where the check is pointed elsewhere.

    Otherwise whoever may edit a check could have its secrets sent to a host of their own.
    """
    return before.spec if before and destination(before.spec) == destination(spec) else {}


def _unmasked(spec: Mapping[str, Any], before: StoredCheck | None) -> dict[str, Any]:
    return unmask(spec, _kept(spec, before))


def _changeable(unit: Unit, name: str) -> StoredCheck:
    stored = _existing(unit, name)
    _refuse_file(stored)
    return stored


def _existing(unit: Unit, name: str) -> StoredCheck:
    stored = unit.checks.get(name)
    if stored is None:
        raise NotFound(f"There is no check named {name}.")
    return stored


def _refuse_file(stored: StoredCheck) -> None:
    if stored.origin == "file":
        raise Refused(f"{stored.name} is defined in a configuration file: change it there.")
