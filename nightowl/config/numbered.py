"""What is well-formed and still cannot work, or likely is not as meant: numbered, so that it can be looked up."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import get_args, get_type_hints

import dns.exception
import dns.rdata
import msgspec

from nightowl.config.fields import split_url
from nightowl.config.kinds import port_of
from nightowl.config.masking import KeyPath
from nightowl.config.settings import Configuration, Hint
from nightowl.config.sink_hints import sink_hints
from nightowl.config.units import format_duration
from nightowl.core.matching import severity_matches
from nightowl.core.reach import addresses_of, guard
from nightowl.core.values import Check, Heartbeat, Incident, Location, Network, Policy, Route, Severity, Target

NUMBERED = {
    "NO01": "The attempts of a round, with their gaps, do not fit into `every` less 2 seconds.",
    "NO02": "A check runs more often than every 5 seconds.",
    "NO03": "A check names a location that is not declared.",
    "NO04": "A quorum is greater than the number of locations.",
    "NO05": "A check uses a template that is not declared.",
    "NO06": "A route leads to a channel that is not declared.",
    "NO07": "A route or maintenance matches a severity or a kind of incident that does not exist.",
    "NO08": "A broker's URL is broken, or its transport unknown.",
    "NO09": "A database's URL is broken, or the database unknown.",
    "NO10": "A location is private and allows nothing, so nothing can be checked from there.",
    "NO11": "A client key stands without its certificate.",
    "NO12": "A HEAD request is expected to be answered with a body.",
    "NO13": "`h2c`, which is HTTP/2 without TLS, is asked for on an `https` URL.",
    "NO14": "A check's URL names an address and port that one of its locations may not reach.",
    "NO15": "An expected answer of a dns check is not a record of the type that it asks for.",
    "NO16": "Files for TLS are given, and the broker's URL is one without TLS.",
    "NO17": "A control target's URL names an address and port that its location may not reach.",
    "NO18": "A heartbeat, or the check of a task, has neither `every` nor `cron`, or both of them.",
    "NO19": "A heartbeat or a task is expected more often than every 10 seconds.",
    "NO20": "Hint: pages are served beyond loopback, and links in notices have no `public_url` to begin with.",
    "NO21": "Hint: a store that several machines may share is used without `[server] secret_key`, so that each machine \
seals the secrets of checks by a key of its own, which the others cannot open.",
    "NO22": "Hint: no route leads to a channel.",
    "NO23": "Hint: there are checks and no channel, so nobody will be told.",
    "NO24": "Hint: `warn.duration` is not below `timeout`, so slowness is never seen.",
    "NO25": "Hint: a location has no `key`, and its broker is on another machine.",
    "NO26": "Hint: an escalation leads to nobody who would not be told anyway.",
    "NO27": "Hint: a check follows a task of a cluster with `enable_events = false`, so it hears only of workers that \
send events by themselves.",
    "NO28": "Hint: a hook's `cluster` is like no cluster that is declared.",
    "NO29": "Hint: a sink's `metrics`, `labels`, `template` or `dimensions` name a metric or a label that NightOwl \
does not have.",
    "NO30": "A rule names a strategy that is not installed.",
    "NO31": "A rule has a key that its strategy does not understand.",
    "NO32": "A rule has one of `aggregate` and `over` without the other.",
    "NO33": "A rule lacks what its strategy needs.",
    "NO34": "A rule's limit is a number where it must be relative, or the other way round.",
    "NO35": "A rule has limits that do not go together.",
    "NO36": "A rule's `recover` does not lie on the good side of its limit.",
    "NO37": "A check says so much to its target that it cannot be sent to an actor.",
    "NO38": "A source is of a kind that is not installed.",
    "NO39": "A source lacks `url` or `path`, or has a key that its kind does not understand.",
    "NO40": "A rule names a source that is not declared.",
    "NO41": "A rule has neither `metric` nor `query`, or both, or a query that nobody understands.",
    "NO42": "A rule on a source has a key that is for NightOwl's own series.",
    "NO43": "A rule has `identifiers` and no `$id` that they stand for, or the other way round.",
    "NO44": "A check follows a task of a cluster that is not declared.",
    "NO50": "A template is not written as templates are, or does what they may not.",
    "NO51": "A template names a value that notices do not have.",
    "NO52": "A template does not work for every notice.",
    "NO53": "A webhook's template is sent as JSON, and does not always make JSON.",
    "NO54": "A channel's kind needs a package that is not installed.",
    "NO60": "A check, a rule or a cluster depends on a name that no check and no rule has.",
    "NO61": "Checks and rules depend on one another in a circle.",
    "NO62": "A maintenance has neither `days` nor `rrule`, or both of them.",
    "NO63": "A result backend's URL names no kind that Celery has.",
    "NO64": "The name of a Celery app is not that of a module, or of what is in one.",
    "NO70": "A sink's kind needs a package that is not installed.",
    "NO71": "A sink has a template of paths where its labels are sent as tags.",
    "NO72": "A sink has more dimensions than its receiver takes.",
    "NO73": "A sink for CloudWatch has no region, and the environment has none either.",
    "NO74": "Two sinks of the kind `prometheus` listen at one address.",
}
"""All numbers and what they mean; hints, NO20 to NO29, do not keep a configuration from loading."""

SHORTEST = 5.0
"""Seconds of the shortest ``every``."""

SHORTEST_HEARTBEAT = 10.0
"""Seconds of the shortest ``every`` of a heartbeat."""

LARGEST = 512 * 1024
"""Bytes of a check's target as it is sent: an actor takes messages of 2 MiB, and two seals and base64 fit into that."""

RESERVE = 2.0
"""Seconds of ``every`` that are left to dispatch, report and close a round."""

OPEN = (
    "no key, and the broker is on another machine, where jobs can be read and made up; "
    "nightowl keys new makes a key for [location.NAME] key"
)
"""What is wrong with open locations."""

_INCIDENT_KINDS: tuple[str, ...] = get_args(get_type_hints(Incident)["kind"])


class Problem(msgspec.Struct, frozen=True):
    """Something that cannot work: its number, where below the table, what is found, and what would be allowed.

    ``found`` None: what is written there.

    ``about`` are the keys that it was concluded from: where one of them is itself mistaken, nothing follows.
    """

    number: str
    key: KeyPath
    found: str | None
    allowed: str
    about: tuple[str, ...] = ()


def check_problems(
    check: Check, locations: Collection[str], policies: Mapping[str, Policy], clusters: Collection[str]
) -> Iterator[Problem]:
    """Yield what keeps a check from working at ``locations``; ``policies`` are those of the locations to judge.

    ``clusters`` are those that are watched.
    """
    if check.heartbeat is not None:
        yield from _heartbeat_problems(check.heartbeat)
        if check.heartbeat.cluster and check.heartbeat.cluster not in clusters:
            yield Problem("NO44", ("cluster",), None, one_of("a declared cluster", clusters))
        return
    every = format_duration(check.every)
    if check.every < SHORTEST:
        yield Problem("NO02", ("every",), f'"{every}"', f'at least "{format_duration(SHORTEST)}"')
    else:
        yield from _fit(check, every)
    for index, name in enumerate(check.locations):
        if name not in locations:
            yield Problem("NO03", ("locations", index), None, one_of("a declared location", locations))
    if check.quorum is not None and check.quorum > len(check.locations):
        allowed = f"at most {len(check.locations)}, the number of its locations"
        yield Problem("NO04", ("quorum",), None, allowed, ("locations",))
    yield from _target_problems(check.target)
    yield from _reach_problems(check, policies)


def _heartbeat_problems(plan: Heartbeat) -> Iterator[Problem]:
    if bool(plan.every) == bool(plan.cron):
        key, found = ("cron", None) if plan.cron else ("every", "neither every nor cron")
        yield Problem("NO18", (key,), found, 'either every = "1h" or cron = "0 3 * * *"', ("every", "cron"))
    elif plan.every and plan.every < SHORTEST_HEARTBEAT:
        yield Problem("NO19", ("every",), None, f'at least "{format_duration(SHORTEST_HEARTBEAT)}"')


def _target_problems(target: Target) -> Iterator[Problem]:
    if len(msgspec.msgpack.encode(target)) > LARGEST:
        key = "body" if target.body else "send" if target.send else "url"
        allowed = f"less: all keys of a check together take at most {LARGEST // 1024} KiB"
        yield Problem("NO37", (key,), "too much", allowed)
    if target.client_key and not target.client_certificate:
        yield Problem("NO11", ("client_certificate",), None, "the certificate of client_key")
    if target.method == "HEAD" and (target.expect.body or target.expect.regex or target.expect.json):
        yield Problem(
            "NO12", ("method",), None, "a method that is answered with a body, as something is expected of it"
        )
    if target.kind == "https" and target.http_version == "h2c":
        yield Problem("NO13", ("http_version",), None, '"2" for https; h2c is HTTP/2 without TLS')
    for index, answer in enumerate(target.expect.answers):
        if not _is_record(target.record, answer):
            yield Problem("NO15", ("expect", "answers", index), None, f"a record of type {target.record}", ("record",))


def _is_record(kind: str, written: str) -> bool:
    """Whether a text is a record's data as zone files have it (RFC 1035); that of a TXT record is any text."""
    try:
        return kind == "TXT" or dns.rdata.from_text("IN", kind, written) is not None
    except (dns.exception.DNSException, ValueError):
        return False


def _reach_problems(check: Check, policies: Mapping[str, Policy]) -> Iterator[Problem]:
    """Yield an address that the URL names outright and a location may not reach; other names are judged at run time."""
    judged = {name: policies[name] for name in check.locations if name in policies}
    key, allowed = _reachable(check.target, judged, "no check may reach one of cloud metadata")
    if allowed:
        yield Problem("NO14", (key,), None, allowed, (key, "locations"))


def _reachable(target: Target, policies: Mapping[str, Policy], otherwise: str) -> tuple[str, str]:
    """Say what a URL would have to name, or a location to allow, for all of these locations to reach it.

    With the key that says where the target is. Empty where they may, as far as that can be told without asking for
    names. ``otherwise``: why some addresses are not allowed at all.
    """
    key, host, port = _reached(target)
    addresses = addresses_of(host)
    closed = [name for name, policy in policies.items() if not _open(policy, addresses, port)]
    if not addresses or not closed:
        return key, ""
    network = Network(f"{addresses[0]}/{ipaddress.ip_address(addresses[0]).max_prefixlen}", (port,) if port else ())
    if not _open(Policy(reach="private", allow=(network,)), addresses, port):
        return key, f"another address; {otherwise}"
    ports = f", ports = [{port}]" if port else ""
    table = f'allow = [{{ network = "{network.network}"{ports} }}]'
    places = ", ".join(f"[location.{name}]" for name in closed)
    where = f"{places} would let it" if len(closed) == 1 else f"each of {places} would let them"
    return key, f"an address and port that location {', '.join(closed)} may reach; {table} in {where}"


def _reached(target: Target) -> tuple[str, str, int | None]:
    """The key that says where a target is, its host, and its port (0: it has none; None: it is not known)."""
    if target.kind == "dns":
        parts = split_url(f"dns://{target.resolver}")
        return "resolver", (parts.hostname if parts else "") or "", parts.port if parts else None
    parts = split_url(target.url)
    if parts is None:
        return "url", "", None
    return "url", parts.hostname or "", port_of(target.kind, parts.scheme, parts.port)


def _open(policy: Policy, addresses: Collection[str], port: int | None) -> bool:
    """Whether a policy lets through one of the addresses of a host; port None: whatever the port."""
    refusals = [guard(policy)(address, port or 0) for address in addresses]
    return any(refusal == "" or (refusal == "port" and port is None) for refusal in refusals)


def _fit(check: Check, every: str) -> Iterator[Problem]:
    gaps = (check.attempts - 1) * check.attempt_gap
    needed = check.attempts * check.target.timeout + gaps
    room = check.every - RESERVE
    if needed <= room:
        return
    fitting = int((room - gaps) / check.attempts * 10) / 10
    ways = [f"at least {format_duration(needed + RESERVE)}"]
    if fitting >= 0.1:
        ways.append(f"a timeout of at most {fitting:g}s")
    if check.attempts > 1:
        ways.append("fewer attempts")
    what = f"{check.attempts} x {format_duration(check.target.timeout)}"
    gap = f" with gaps of {format_duration(check.attempt_gap)}" if gaps else ""
    found = f'"{every}" for {what}{gap} and 2s in reserve'
    yield Problem("NO01", ("every",), found, ", or ".join(ways), ("timeout", "attempts", "attempt_gap"))


def location_problems(location: Location) -> Iterator[Problem]:
    """Yield what keeps a location from working."""
    if location.policy.reach == "private" and not location.policy.allow:
        yield Problem("NO10", ("allow",), None, "at least one network for a private location")
    for index, target in enumerate(location.control):
        _, allowed = _reachable(target, {location.name: location.policy}, "nothing may reach one of cloud metadata")
        if allowed:
            yield Problem("NO17", ("control", index), None, allowed)


def route_problems(route: Route, channels: Collection[str]) -> Iterator[Problem]:
    """Yield what keeps a route from leading anywhere."""
    for index, name in enumerate(route.to):
        if name not in channels:
            yield Problem("NO06", ("to", index), None, one_of("a declared channel", channels))
    yield from match_problems(route.match)


def match_problems(match: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what keeps any incident from being like this."""
    severity, kind = match.get("severity", "*"), match.get("kind", "*")
    if not any(severity_matches(severity, known) for known in Severity):
        yield Problem("NO07", ("match", "severity"), None, one_of("a severity, or >= and one", list(Severity)))
    if not any(fnmatchcase(known, kind) for known in _INCIDENT_KINDS):
        yield Problem("NO07", ("match", "kind"), None, one_of("a kind of incident", _INCIDENT_KINDS))


def one_of(what: str, names: Collection[str]) -> str:
    """Return ``what`` with the names there are."""
    return f"{what} ({', '.join(names)})" if names else f"{what} (there is none)"


def hints(configuration: Configuration) -> Iterator[Hint]:
    """Yield what works, but likely not as meant."""
    server = configuration.server
    if not is_loopback(server.listen_host) and not server.public_url:
        yield Hint(number="NO20", key="server.public_url", text="not given, so notices carry no links to the pages")
    if not configuration.store_url.startswith("sqlite:") and configuration.store_url and not server.secret_key:
        text = "not given, so other machines cannot open the secrets of checks that this one seals"
        yield Hint(number="NO21", key="server.secret_key", text=text)
    yield from _route_hints(configuration)
    if configuration.checks and not configuration.channels:
        yield Hint(number="NO23", key="channel", text="none is declared, so nobody will be told")
    for check in configuration.checks.values():
        warn = check.target.warn.duration
        if warn is not None and warn >= check.target.timeout:
            key = f"check.{check.name}.warn.duration"
            yield Hint(number="NO24", key=key, text="not below the timeout, so slowness is never seen")
        plan = check.heartbeat
        if plan and plan.cluster and not configuration.clusters[plan.cluster].enable_events:
            text = "false, so a check of its tasks hears only of workers that send events by themselves"
            yield Hint(number="NO27", key=f"cluster.{plan.cluster}.enable_events", text=text)
    for hook in configuration.hooks.values():
        if not any(fnmatchcase(name, like) for name in configuration.clusters for like in hook.clusters):
            yield Hint(number="NO28", key=f"hook.{hook.name}.cluster", text="like no declared cluster: nothing is told")
    yield from sink_hints(configuration.sinks.values())
    if found := open_locations(configuration):
        yield Hint(number="NO25", key=", ".join(f"location.{name}" for name in found), text=OPEN)


def _route_hints(configuration: Configuration) -> Iterator[Hint]:
    told: set[str] = set()
    for route in configuration.routes:
        told.update(route.to)
        for place, step in enumerate(route.escalate):
            told.update(step.to)
            if set(step.to) <= set(route.to):
                key = f"route.{route.name}.escalate.{place}"
                yield Hint(number="NO26", key=key, text="these channels are told at once")
    for name in [name for name in configuration.channels if name not in told]:
        yield Hint(number="NO22", key=f"channel.{name}", text="no route leads here")


def open_locations(configuration: Configuration) -> list[str]:
    """Return the locations without a key whose broker is on another machine."""
    common = configuration.bus.broker
    places = configuration.locations.items()
    return [name for name, place in places if not place.keys and _is_elsewhere(place.broker or common)]


def _is_elsewhere(broker: str) -> bool:
    parts = split_url(broker)
    return bool(parts and parts.hostname and not is_loopback(parts.hostname))


def is_loopback(host: str) -> bool:
    """Whether a host to listen at is reached from this machine only."""
    addresses = addresses_of(host)
    return bool(addresses) and all(ipaddress.ip_address(address).is_loopback for address in addresses)
