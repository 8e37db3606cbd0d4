"""The users of a broker and their rights, as the commands by which its administrator makes them.

A director makes the queues, puts jobs into them, and takes reports. An actor takes the jobs of its location and puts
reports, and may nothing else: it cannot read reports, nor see or touch what is another location's. Evaluators take what
is for evaluators, likewise. Passwords are read
from files, which the commands make where they are missing, so that they stand in no output and no argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from urllib.parse import unquote, urlsplit

import msgspec

from nightowl.adapters.celery_bus.app import DROP, EVALUATE, REDIS_KEYS, REPORT, check_queue, speaks_amqp
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.redaction import without_password

PASSWORDS = "passwords"
"""Where the commands look for the file of each user's password."""

DIRECTOR = "nightowl-director"
"""The user that directors are where the broker's URL names none."""

EVALUATOR = "nightowl-evaluator"
"""The user that evaluators are."""

DIRECTOR_COMMANDS = (
    *(f"+@{kind}" for kind in ("list", "hash", "sortedset", "transaction", "scripting", "connection")),
    *("+set", "+get", "+del", "-@dangerous", "-@admin"),
)
"""What kombu does with queues and with what is not acknowledged yet, as rights of Redis."""


def actor_user(location: str) -> str:
    """Return the name of the user that a location's actors are to the broker."""
    return f"nightowl-actor-{location}"


class Users(msgspec.Struct, frozen=True):
    """The lines of shell that make the users of one broker, and which broker and locations they are about."""

    about: str
    commands: list[str]


def users(url: str, kind: str, locations: Iterable[str], *, evaluators: bool = False) -> Users:
    """Return the users of a broker; ``kind``: ``rabbitmq`` or ``redis`` where the URL does not tell.

    ``evaluators``: whether there are any at this broker.

    Raises ``ConfigurationError`` for another kind of broker.
    """
    kind = "rabbitmq" if speaks_amqp(url) else "redis" if url.startswith("redis") else kind
    names = sorted(locations)
    if kind not in ("rabbitmq", "redis"):
        allowed = "a broker that knows rights by location: amqps://... or rediss://..., or --broker"
        found = f'"{without_password(url or "memory://")}"'
        raise ConfigurationError([Mistake(file="", key="bus.broker", found=found, allowed=allowed)])
    director = unquote(urlsplit(url).username or "") or DIRECTOR
    takers = {actor_user(name): check_queue(name) for name in names}
    if evaluators:
        takers[EVALUATOR] = EVALUATE
    commands = _rabbitmq(_virtual_host(url), director, takers) if kind == "rabbitmq" else _redis(director, takers)
    served = ", ".join([*names, *(["evaluators"] if evaluators else [])])
    about = f"{kind} at {urlsplit(url).hostname or 'some host'}, for {served}"
    return Users(about, [*_passwords(director, takers), *commands])


def _virtual_host(url: str) -> str:
    return (unquote(urlsplit(url).path[1:]) if speaks_amqp(url) else "") or "/"


def _rabbitmq(host: str, director: str, takers: Mapping[str, str]) -> Iterator[str]:
    """Messages of a director go by the default exchange, those of others by one that leads to reports alone.

    ``takers`` maps each user to the queue that it takes from.
    """
    if host != "/":
        there = f"rabbitmqctl --quiet list_vhosts | grep -qxF {quote(host)}"
        yield f"{there} || rabbitmqctl add_vhost {quote(host)}"
    made = r"^nightowl\.(report|evaluate|check\..+)$"
    yield from _rabbitmq_user(director, host, made, _exactly("amq.default", REPORT), _exactly(DROP, REPORT))
    for user, taken in takers.items():
        yield from _rabbitmq_user(user, host, "^$", _exactly(DROP), _exactly(taken))


def _rabbitmq_user(user: str, host: str, configure: str, write: str, read: str) -> Iterator[str]:
    name, file = quote(user), _file(user)
    yield f"rabbitmqctl add_user {name} < {file} || rabbitmqctl change_password {name} < {file}"
    yield f"rabbitmqctl set_permissions -p {quote(host)} {name} {quote(configure)} {quote(write)} {quote(read)}"


def _exactly(*names: str) -> str:
    """Return a regular expression that matches these names and no others."""
    return f"^({'|'.join(map(re.escape, names))})$"


def _redis(director: str, takers: Mapping[str, str]) -> Iterator[str]:
    """Rights by key and command in one need Redis 7: what may be pushed to must not be popped from."""
    unacknowledged = [value for name, value in REDIS_KEYS.items() if name.startswith("unacked")]
    keys = [f"~{key}" for key in (check_queue("*"), EVALUATE, REPORT, *unacknowledged)]
    yield _redis_user(director, *keys, *DIRECTOR_COMMANDS)
    for user, taken in takers.items():
        jobs = f"(+brpop +llen +lpush +rpush ~{taken})"
        yield _redis_user(user, "+ping", "+select", "+hello", "+multi", "+exec", jobs, f"(+lpush %W~{REPORT})")


def _redis_user(user: str, *rights: str) -> str:
    """The password goes in as its hash."""
    password = f"\"#$(tr -d '\\n' < {_file(user)} | sha256sum | cut -c 1-64)\""
    return f"redis-cli ACL SETUSER {quote(user)} reset on {password} {' '.join(map(quote, rights))}"


def _passwords(director: str, takers: Iterable[str]) -> Iterator[str]:
    yield f"(umask 077; mkdir -p {PASSWORDS}; for file in {' '.join(map(_file, (director, *takers)))}; do"
    yield '  [ -s "$file" ] || head -c 24 /dev/urandom | base64 | tr "+/" "-_" > "$file"; done)'


def _file(user: str) -> str:
    return quote(f"{PASSWORDS}/{user}")
