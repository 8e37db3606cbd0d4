"""Turns validated tables, checks excepted, into plain values."""

from __future__ import annotations

from pathlib import Path

from nightowl.config import settings, urls
from nightowl.config.checks import Bench, pem
from nightowl.config.control import control_targets
from nightowl.config.fields import split_address
from nightowl.config.keys import read_key
from nightowl.config.masking import KeyPath
from nightowl.config.models.location import Location as LocationTable
from nightowl.config.models.maintenance import DAYS
from nightowl.config.models.maintenance import Maintenance as MaintenanceTable
from nightowl.config.models.people import Route as RouteTable
from nightowl.config.models.people import User as UserTable
from nightowl.config.models.server import Bus, Retention, Server, Store
from nightowl.core import values


def server(table: Server) -> settings.Server:
    """Return the settings of pages and API."""
    host, port = split_address(table.listen)
    return settings.Server(
        listen_host=host,
        listen_port=port,
        public_url=table.public_url or "",
        hosts=tuple(table.hosts),
        url_prefix=table.url_prefix,
        trusted_proxies=tuple(table.trusted_proxies),
        secret_key=table.secret_key or "",
        metrics_listen=split_address(table.metrics_listen) if table.metrics_listen else None,
    )


def retention(table: Retention) -> settings.Retention:
    """Return how long what is kept."""
    return settings.Retention(
        attempts=table.attempts,
        outcomes=table.outcomes,
        series=table.series,
        rollups=max(table.rollups, table.series),
        max_series=table.max_series,
        tasks=table.tasks,
        max_tasks=table.max_tasks,
        incidents=table.incidents,
        max_size=table.max_size,
    )


def store_url(table: Store, bench: Bench) -> str:
    """Return the database's URL, after reporting what is wrong with it."""
    problem = urls.store_problem(table.url)
    if problem:
        bench.report.add(("store", "url"), f"{problem} [NO09]")
        return ""
    return urls.store_url(table.url, bench.base)


def bus(table: Bus, bench: Bench) -> settings.Bus:
    """Return the settings of the bus, after reporting what is wrong with its URL and files."""
    if table.key and not table.certificate:
        bench.report.add(("bus", "certificate"), "the certificate of key [NO11]")
    if (table.ca or table.certificate) and (secure := urls.over_tls(table.broker)):
        bench.report.add(("bus", "broker"), f"{secure}://..., for files for TLS are given [NO16]")
    return settings.Bus(
        broker=broker(table.broker, ("bus", "broker"), bench),
        transport_options=table.transport_options,
        ca=pem_file(table.ca, ("bus", "ca"), bench),
        certificate=pem_file(table.certificate, ("bus", "certificate"), bench),
        key=pem_file(table.key, ("bus", "key"), bench),
    )


def broker(url: str, path: KeyPath, bench: Bench) -> str:
    """Return a broker's URL, after reporting what is wrong with it."""
    if problem := urls.broker_problem(url):
        bench.report.add(path, f"{problem} [NO08]")
    return url


def pem_file(name: str | None, path: KeyPath, bench: Bench) -> str:
    """Return the absolute path of a PEM file, after reporting that it is none."""
    if not name:
        return ""
    if "-----BEGIN " in name:
        bench.report.add(path, "the path of a PEM file")
        return ""
    pem(name, path, bench)
    return str(Path(bench.base, name).absolute())


def location(name: str, table: LocationTable, bench: Bench) -> values.Location:
    """Return a location; what its policy denies is added where the program is put together."""
    allow = tuple(values.Network(one.network, tuple(one.ports)) for one in table.allow)
    return values.Location(
        name=name,
        policy=values.Policy(reach=table.reach, allow=allow),
        broker=broker(table.broker, ("location", name, "broker"), bench),
        keys=tuple(read_key(text) for text in _listed(table.key)),
        labels=table.labels,
        control=control_targets(table.control, ("location", name, "control"), bench),
    )


def _listed(keys: str | list[str] | None) -> list[str]:
    return keys if isinstance(keys, list) else [keys] if keys else []


def route(name: str, table: RouteTable) -> values.Route:
    """Return a route."""
    return values.Route(
        name=name,
        match=table.match,
        to=tuple(table.to),
        repeat=table.repeat,
        group_by=tuple(table.group_by),
        wait=table.wait,
        escalate=tuple(values.Escalation(step.after, tuple(step.to)) for step in table.escalate),
    )


def maintenance(name: str, table: MaintenanceTable) -> values.Maintenance:
    """Return a maintenance."""
    return values.Maintenance(
        name=name,
        start=table.start,
        duration=table.duration,
        days=tuple(DAYS.index(day) for day in table.days),
        rrule=table.rrule or "",
        timezone=table.timezone,
        match=table.match,
    )


def user(name: str, table: UserTable) -> values.User:
    """Return somebody who may sign in."""
    return values.User(name=name, role=table.role, password_hash=table.password_hash, origin="file")
