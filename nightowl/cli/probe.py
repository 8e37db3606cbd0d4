"""``nightowl probe``: run attempts from here, now, with no broker."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_network
from itertools import cycle
from math import isfinite
from pathlib import Path
from threading import Event
from time import monotonic, time
from typing import IO, Any
from urllib.parse import urlsplit

import click
import msgspec
from msgspec.structs import replace

from nightowl.cli.probe_output import Screen, json_line, plain_line
from nightowl.core.errors import NightOwlError
from nightowl.core.secrecy import map_url
from nightowl.core.values import Check, Job, Location, Network, Outcome, Policy, State, Target
from nightowl.flows.perform import Performer
from nightowl.wire.clock import CLOCK
from nightowl.wire.engine import engine
from nightowl.wire.kinds import NEEDS_PORT, url_kinds

HERE = "local"
"""The location of URLs that were given on the command line."""
_SLACK = 60.0
_HIDDEN = "***"


class Seconds(click.FloatRange):
    """A finite number of seconds from a millisecond on; *not a number* would pass every comparison with a bound."""

    def __init__(self, at_most: float | None = None) -> None:
        super().__init__(0.001, at_most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that was given."""
        seconds: float = super().convert(value, param, ctx)
        return seconds if isfinite(seconds) else self.fail(f"{value} is not a finite number of seconds.", param, ctx)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A check at one of its locations; ``url`` is what is shown of its target's."""

    url: str
    check: Check
    location: str
    policy: Policy


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    urls: tuple[str, ...]
    targets: Path | None
    path: str | None
    names: tuple[str, ...]
    attempts: int | None
    timeout: float | None
    in_flight: int
    repeat_for: float | None
    ca: Path | None
    insecure: bool
    allow: tuple[str, ...]
    out: IO[bytes] | None
    as_json: bool


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--targets", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="URLs, one a line.")
@click.option("-c", "--config", "path", metavar="PATH", help="Checks of this configuration, from their locations.")
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check of the configuration.")
@click.option("--attempts", type=click.IntRange(1, 100), help="Attempts an outcome; default: the check's own.")
@click.option("--timeout", type=Seconds(3600), help="Seconds an attempt may take.")
@click.option("--in-flight", type=click.IntRange(1, 4096), default=100, show_default=True, help="Outcomes at a time.")
@click.option("--repeat-for", type=Seconds(), help="Walk the checks in a circle for that many seconds.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Authorities to trust (PEM).")
@click.option("--insecure", is_flag=True, help="Do not verify certificates.")
@click.option("--allow", multiple=True, metavar="NETWORK:PORTS", help="Guard the URLs: the internet, and this.")
@click.option("--out", type=click.File("wb", lazy=False), help="Write JSON lines to this file.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines.")
def probe(**given: Any) -> None:
    """Run attempts at URLs, or the checks of a configuration, from here and now; no broker is needed.

    The exit code is 0 when everything is up or degraded, 1 when something is not, 2 when the input is wrong.
    """
    options = Options(**given)
    subjects = [_overridden(subject, options) for subject in (*_typed(options), *_configured(options))]
    if not subjects:
        raise click.UsageError("Nothing to probe: give a URL, --targets FILE or -c PATH.")
    with _output(options, outcomes=None if options.repeat_for else len(subjects)) as show:
        good = Walk(subjects, options.in_flight, options.repeat_for).run(show)
    sys.exit(0 if good else 1)


class Walk:
    """Runs subjects once each, or in a circle for a time, so many at a time."""

    def __init__(self, subjects: list[Subject], in_flight: int, repeat_for: float | None) -> None:
        self._until = None if repeat_for is None else monotonic() + repeat_for
        self._waiting: Iterator[Subject] = iter(subjects) if repeat_for is None else cycle(subjects)
        self._in_flight = in_flight
        self._open = 0
        self._ended: deque[tuple[str, Outcome]] = deque()
        self._finished = Event()
        self._performer: Performer
        self._good = True

    def run(self, show: Callable[[str, Outcome], None]) -> bool:
        """Run all of them, showing each outcome; whether everything was up or degraded."""
        running = engine()
        self._performer = Performer(running, CLOCK, actor="probe")
        running.start()
        try:
            running.later(0, self._fill)
            while not self._finished.wait(0.05):
                self._drain(show)
            self._drain(show)
        finally:
            running.stop()
        return self._good

    def _drain(self, show: Callable[[str, Outcome], None]) -> None:
        while self._ended:
            show(*self._ended.popleft())

    def _fill(self) -> None:
        """Start as many as may run; from here on everything happens on the engine's owner."""
        while self._open < self._in_flight:
            subject = None if self._until is not None and monotonic() >= self._until else next(self._waiting, None)
            if subject is None:
                break
            self._open += 1
            self._start(subject)
        if not self._open:
            self._finished.set()

    def _start(self, subject: Subject) -> None:
        check = subject.check
        now = time()
        job = Job(
            check=check.name,
            due=now,
            deadline=now + check.attempts * (check.target.timeout + check.attempt_gap + 1.0) + _SLACK,
            target=check.target,
            attempts=check.attempts,
            attempts_when=check.attempts_when,
            attempt_gap=check.attempt_gap,
        )

        def done(outcome: Outcome) -> None:
            self._open -= 1
            self._good = self._good and outcome.state in (State.UP, State.DEGRADED)
            self._ended.append((subject.url, outcome))
            self._fill()

        self._performer.perform(job, Location(name=subject.location, policy=subject.policy), done)


def _listed(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _typed(options: Options) -> Iterator[Subject]:
    """The subjects of URLs that were typed, or listed in a file."""
    pem = options.ca.read_text(encoding="utf-8") if options.ca else ""
    policy = _policy(options.allow)
    kinds = url_kinds()
    for url in (*options.urls, *(_listed(options.targets) if options.targets else ())):
        target = Target(kind=_kind(url, kinds), url=url, verify=not options.insecure, ca=pem)
        yield Subject(url=url, check=Check(name=url, target=target, locations=(HERE,)), location=HERE, policy=policy)


def _kind(url: str, kinds: tuple[str, ...]) -> str:
    """The kind of a URL, which is its scheme."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.UsageError(f"{url!r} is not a URL: {error}.") from None
    if parts.scheme not in kinds:
        raise click.UsageError(f"{url!r} has no scheme that can be probed; allowed: {', '.join(kinds)}.")
    if not parts.hostname:
        raise click.UsageError(f"{url!r} has no host.")
    if parts.scheme in NEEDS_PORT and not port:
        raise click.UsageError(f"{url!r} has no port.")
    return parts.scheme


def _policy(allowed: tuple[str, ...]) -> Policy:
    """Typed URLs may go anywhere, unless ``--allow`` asks for the guard."""
    if not allowed:
        return Policy(reach="any")
    return Policy(reach="internet", allow=tuple(_network(text) for text in allowed))


def _network(text: str) -> Network:
    """``10.0.0.0/8``, ``10.0.0.0/8:80,443`` or ``[fd00::/8]:443``."""
    network, ports = (text, "") if _is_network(text) else (text.rpartition(":")[0].strip("[]"), text.rpartition(":")[2])
    numbers = [int(port) for port in ports.split(",") if port.isdecimal()]
    if not _is_network(network) or len(numbers) != (ports.count(",") + 1 if ports else 0):
        raise click.UsageError(f"--allow {text!r} is not NETWORK or NETWORK:PORT,PORT such as 10.0.0.0/8:80,443.")
    return Network(network, tuple(numbers))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _configured(options: Options) -> Iterator[Subject]:
    """The checks of a configuration at their locations."""
    if options.path is None:
        if options.names:
            raise click.UsageError("--check names a check of a configuration: give it with -c PATH.")
        return
    from nightowl.wire.addresses import guarded_locations  # noqa: PLC0415  pydantic, which typed URLs need not wait for
    from nightowl.wire.checks import load_configuration  # noqa: PLC0415  likewise

    try:
        configuration = load_configuration(options.path)
        locations = guarded_locations(configuration)
    except NightOwlError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    checks = configuration.checks
    unknown = [name for name in options.names if name not in checks]
    if unknown:
        known = ", ".join(sorted(checks)) or "none"
        raise click.UsageError(f"{options.path}: no check is named {unknown[0]!r}; there are: {known}.")
    called = [name for name in options.names if checks[name].heartbeat]
    if called:
        what = "follows a task" if checks[called[0]].target.kind == "task" else "is a heartbeat, which jobs call"
        raise click.UsageError(f"{called[0]} {what}: there is nothing to probe.")
    for name in options.names or checks:
        shown = _without_secrets(checks[name].target)
        for location in checks[name].locations:
            policy = locations[location].policy
            yield Subject(url=shown, check=checks[name], location=location, policy=policy)


def _without_secrets(target: Target) -> str:
    """The URL of a check, without what its references stand for and what sounds secret."""
    url = map_url(target.url, lambda _place, _secret: _HIDDEN)
    for secret in target.secrets:
        url = url.replace(secret, _HIDDEN)
    return url


def _overridden(subject: Subject, options: Options) -> Subject:
    check = subject.check
    if options.timeout is not None:
        check = replace(check, target=replace(check.target, timeout=options.timeout))
    if options.attempts is not None:
        check = replace(check, attempts=options.attempts)
    return subject if check is subject.check else replace(subject, check=check)


def _output(options: Options, outcomes: float | None) -> AbstractContextManager[Callable[[str, Outcome], None]]:
    """What shows outcomes: JSON lines, plain lines, or a table (``outcomes``: how many will come; None: open end)."""
    if options.out is not None or options.as_json:
        lines = options.out or sys.stdout.buffer
        return nullcontext(lambda url, outcome: _write(lines, json_line(url, outcome)))
    if sys.stdout.isatty():
        return Screen(outcomes)
    return nullcontext(lambda url, outcome: click.echo(plain_line(url, outcome), nl=False))


def _write(lines: IO[bytes], line: bytes) -> None:
    lines.write(line)
