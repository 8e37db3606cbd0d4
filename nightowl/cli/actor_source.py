"""Where an actor has its configuration from: a file, or the environment and a few options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import msgspec

from nightowl.cli.opening import USUAL
from nightowl.config import Configuration
from nightowl.config.actors import Given, Means, for_actor
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.wire.checks import load_configuration

BROKER = "NIGHTOWL_BROKER"
KEY = "NIGHTOWL_LOCATION_KEY"

_OPTIONS = {
    "-c/--config": f"A TOML file, or a folder of them: {USUAL} where it is here and no broker is given.",
    "--broker": f"The broker's URL, where it has no password in it; else {BROKER}.",
    "--key-file": f"A file with the location's key; else {KEY} is the key.",
    "--ca": "CA certificates (PEM) that the broker's certificate is verified by; else the system's.",
    "--certificate": "The client certificate (PEM) that is shown to the broker.",
    "--private-key": "The private key (PEM) of --certificate.",
}

F = TypeVar("F", bound=Callable[..., Any])


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``source_options`` as they were given."""

    config: str | None
    broker: str | None
    key_file: str | None
    ca: str | None
    certificate: str | None
    private_key: str | None

    @property
    def arguments(self) -> list[str]:
        """The options again, for a process of the same actor. None of them is a secret."""
        given = {name.replace("_", "-"): value for name, value in msgspec.structs.asdict(self).items()}
        return [part for name, value in given.items() if value is not None for part in (f"--{name}", value)]

    def configuration(self, locations: Sequence[str], environ: Mapping[str, str] = os.environ) -> Configuration:
        """Return the configuration. Raises ``ConfigurationError``."""
        broker = self._broker(environ)
        others = {"broker": self.broker, "key-file": self.key_file, "ca": self.ca, "certificate": self.certificate}
        others |= {"private-key": self.private_key}
        if self.config is not None or (not broker.value and Path(USUAL).exists()):
            for name in [name for name, value in others.items() if value is not None]:
                raise _refused(f"--{name}", "it together with a configuration", f"one of both: {BROKER}, or -c FILE")
            return load_configuration(self.config or USUAL)
        return self._without_file(broker, locations, environ)

    def _broker(self, environ: Mapping[str, str]) -> Given:
        if self.broker is None:
            return Given(BROKER, environ.get(BROKER, ""))
        if _has_password(self.broker):
            raise _refused("--broker", "a password, which every user of this machine could read", BROKER)
        return Given("--broker", self.broker)

    def _without_file(self, broker: Given, locations: Sequence[str], environ: Mapping[str, str]) -> Configuration:
        if not broker.value:
            raise _refused(BROKER, "nothing", f"the broker's URL there, or a configuration ({USUAL} here, or -c FILE)")
        if len(locations) > 1:
            allowed = f"one location with {BROKER}; several need a configuration (-c FILE), where each has its key"
            raise _refused("--location", ", ".join(locations), allowed)
        key = Given("--key-file", self.key_file) if self.key_file else Given(KEY, environ.get(KEY, ""))
        if not key.value:
            allowed = f'the key of {locations[0]} there, or --key-file FILE; "nightowl location add" makes both'
            raise _refused(KEY, "nothing", allowed)
        means = Means(
            broker=broker,
            key=key,
            key_is_file=self.key_file is not None,
            ca=Given("--ca", self.ca or ""),
            certificate=Given("--certificate", self.certificate or ""),
            private_key=Given("--private-key", self.private_key or ""),
        )
        return for_actor(locations[0], means)


def source_options(command: F) -> F:
    """Add the options that a ``Source`` is made of."""
    for names, text in reversed(_OPTIONS.items()):
        metavar = "PATH" if "config" in names else "URL" if "broker" in names else "FILE"
        command = click.option(*names.split("/"), metavar=metavar, help=text)(command)
    return command


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return False


def _refused(key: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key=key, found=found, allowed=allowed)])
