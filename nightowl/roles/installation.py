"""The configuration in force in this process, and the store that it names."""

from __future__ import annotations

import logging
import threading
from functools import cached_property, partial

from msgspec.structs import replace

from nightowl.config import Configuration, Watched
from nightowl.core.errors import Unavailable
from nightowl.flows.define import define
from nightowl.ports import Store
from nightowl.ports.clusters import TaskStore
from nightowl.wire.check_secrets import Vault, seal_secrets, vault
from nightowl.wire.clock import CLOCK
from nightowl.wire.installed import installed
from nightowl.wire.store import open_store, open_tasks

log = logging.getLogger(__name__)

POLL = 2.0
"""Seconds between looks at the configuration files."""


class Installation:
    """A configuration that follows its files (``path``), or a fixed one. Raises ``ConfigurationError``.

    A new configuration takes effect as a whole: checks, locations, channels, routes and users. The addresses of the
    store, the broker and the pages are read once; a change of theirs is named in ``problems`` until a restart.
    """

    def __init__(
        self, path: str | None = None, *, fixed: Configuration | None = None, listen: tuple[str, int] | None = None
    ) -> None:
        """``listen`` (host, port) wins over what the configuration says, now and after each reload."""
        self._watched = Watched(path, **installed()) if path is not None else None
        self._listen = listen
        self._current = self._listening(self._watched.current if self._watched else fixed or Configuration())
        self._started_with = self._current
        self._undefined = True
        self._reload = threading.Event()
        self._reading = threading.Lock()

    def current(self) -> Configuration:
        """The newest valid configuration."""
        return self._current

    @cached_property
    def store(self) -> Store:
        """The store, opened when it is first asked for. Raises ``Unavailable`` or ``SchemaOutdated``."""
        return open_store(self._started_with)

    @cached_property
    def tasks(self) -> TaskStore:
        """What is kept of watched clusters, opened when it is first asked for. Raises as ``store`` does."""
        return open_tasks(self._started_with)

    @cached_property
    def vault(self) -> Vault:
        """What seals the secrets of checks, by the secret that was in force at the start."""
        return vault(self._started_with)

    @property
    def problems(self) -> list[str]:
        """What keeps the files as they are now from being in force; empty: nothing."""
        error = self._watched.error if self._watched is not None else ""
        found = [f"the configuration was not reloaded, the old one is in force: {error}"] if error else []
        before, now = self._started_with, self.current()
        same = (before.store_url, before.bus, before.server) == (now.store_url, now.bus, now.server)
        return found if same else [*found, "a change of [store], [bus] or [server] takes effect after a restart"]

    def define(self) -> None:
        """Bring what the files define into the store. Raises ``Unavailable``."""
        configuration = self.current()
        seal = partial(seal_secrets, self.vault)
        specs, rules = configuration.specs, configuration.rule_specs
        define(self.store, specs, configuration.users, CLOCK.now(), seal=seal, rules=rules)
        self._undefined = False

    def reload(self) -> None:
        """Read the files again soon, whether or not they changed (for a signal handler)."""
        self._reload.set()

    def reload_now(self) -> str:
        """Read the files again; return why they are not in force (empty: they are)."""
        if self._changed(asked=True):
            self._undefined = True
            self._reload.set()
        return self._watched.error if self._watched is not None else ""

    def follow(self, stop: threading.Event, *, defines: bool) -> None:
        """Watch the files until ``stop``; with ``defines`` bring each new configuration into the store."""
        while not stop.is_set():
            asked = self._reload.wait(POLL)
            self._reload.clear()
            if self._changed(asked):
                self._undefined = True
            if defines and self._undefined:
                self._try_to_define()

    def _changed(self, asked: bool) -> bool:
        if self._watched is None:
            return False
        with self._reading:
            error = self._watched.error
            replaced = self._watched.reload() if asked else self._watched.poll()
            if replaced is not None:
                self._current = self._listening(replaced)
        if self._watched.error and self._watched.error != error:
            log.error("the configuration was not reloaded, the old one stays in force:\n%s", self._watched.error)
        if replaced is not None:
            log.info("the configuration was reloaded")
        return replaced is not None

    def _listening(self, configuration: Configuration) -> Configuration:
        if self._listen is None:
            return configuration
        host, port = self._listen
        return replace(configuration, server=replace(configuration.server, listen_host=host, listen_port=port))

    def _try_to_define(self) -> None:
        try:
            self.define()
        except Unavailable as error:
            log.warning("the configuration could not be stored, trying again: %s", error)
