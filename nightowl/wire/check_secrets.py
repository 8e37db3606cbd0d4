"""The secrets of checks: sealed before they are stored, opened only where a check is compiled to be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightowl.adapters.vault import Vault
from nightowl.config import Configuration
from nightowl.core.errors import ConfigurationError, Mistake, Refused
from nightowl.core.secrecy import destination, is_sealed, map_secrets
from nightowl.wire.state import secret_key

__all__ = ["Vault", "open_secrets", "seal_secrets", "stand_ins", "vault"]

_KEY = "-----BEGIN SEALED KEY-----"


def vault(configuration: Configuration) -> Vault:
    """Return what seals and opens the secrets of this installation's checks."""
    return Vault(secret_key(configuration))


def seal_secrets(safe: Vault, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check's definition as it is stored; what is sealed already stays as it is."""

    def sealed(place: str, secret: str) -> str:
        return secret if is_sealed(secret) else safe.seal(secret, _bond(name, place, spec))

    return map_secrets(spec, sealed)


def open_secrets(safe: Vault, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored definition with its secrets as they were given; raises ``ConfigurationError`` where it cannot."""
    mistakes: list[Mistake] = []

    def opened(place: str, secret: str) -> str:
        try:
            return safe.open(secret, _bond(name, place, spec)) if is_sealed(secret) else secret
        except Refused as error:
            mistakes.append(_unopened(name, place, str(error)))
            return secret

    found = map_secrets(spec, opened)
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


def stand_ins(safe: Vault, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored definition that can be judged without opening anything.

    Raises:
        ConfigurationError: a secret was sealed with another key.
    """
    mistakes: list[Mistake] = []

    def judged(place: str, secret: str) -> str:
        if is_sealed(secret) and not safe.made(secret):
            mistakes.append(_unopened(name, place, "it was sealed with another [server] secret_key"))
        return _KEY if place == "client_key" and is_sealed(secret) else secret

    found = map_secrets(spec, judged)
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


def _bond(name: str, place: str, spec: Mapping[str, Any]) -> str:
    """What a secret is bound to: so it serves no other check, no other place in it, and is sent to no other host."""
    return "\0".join((name, place, destination(spec)))


def _unopened(name: str, place: str, why: str) -> Mistake:
    return Mistake(
        file="", key=f"check.{name}.{place}", found="a secret that cannot be opened", allowed=f"the value again: {why}"
    )
