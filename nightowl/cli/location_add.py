"""``nightowl location add``: declare a location, make its key, and tell how to start an actor there."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

import click

from nightowl.cli.actor_source import BROKER, KEY
from nightowl.cli.opening import config_option, errors_told
from nightowl.config.adding import Added, add_location
from nightowl.wire.bus import actor_user
from nightowl.wire.checks import check_kinds
from nightowl.wire.kinds import channel_kinds
from nightowl.wire.strategies import strategies


@click.command()
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def add(name: str, path: str, as_json: bool) -> None:
    """Add the location NAME to the configuration, with a key of its own, and print the line that starts an actor there.

    The key is written to keys/NAME.key beside the configuration, for its owner only, and [location.NAME] refers to it.
    The director seals all jobs of the location with it: whoever can read the broker learns nothing of them, and
    nobody else can make one up. What is printed holds the key; it is for the machine of the location and for nobody
    else.

    \b
    nightowl location add sydney
    """  # noqa: D301 - \b is the character by which click keeps the lines
    with errors_told():
        added = add_location(path, name, check_kinds(), strategies(), channel_kinds())
        click.echo(json.dumps(_as_json(added), indent=2) if as_json else _as_text(added))


def _as_json(added: Added) -> dict[str, object]:
    return {
        "location": added.name,
        "configuration": str(added.file),
        "key_file": str(added.key_file),
        "replaced": added.replaced or None,
        "environment": _environment(added),
        "command": _command(added),
    }


def _as_text(added: Added) -> str:
    said = [f"Added [location.{added.name}] to {added.file}; its key is in {added.key_file}."]
    if gone := added.replaced:
        said.append(f"The location {gone} was there as long as none was declared; [location.{gone}] brings it back.")
    if not _is_shared(_broker(added)):
        said.append(
            "The broker is in memory, where only nightowl up runs checks. Actors elsewhere need a [bus] broker."
        )
        return "\n".join(said)
    variables = [f"{name}={shlex.quote(value)}" for name, value in _environment(added).items()]
    said += ["Start directors again or let them reload, and start an actor there:", ""]
    said += [" ".join([*variables, shlex.join(_command(added))])]
    if added.configuration.bus.certificate:
        said += ["", f"{added.name}.pem and its key stand for a certificate of its own, not that of directors."]
    if _has_password(_broker(added)):
        said += ["", f"PASSWORD stands for that of {_user(_broker(added), added.name)} at the broker."]
        if _knows_rights(_broker(added)):
            said += ["nightowl keys broker-permissions prints the commands that make this user and its password."]
    return "\n".join(said)


def _environment(added: Added) -> dict[str, str]:
    return {BROKER: _for_actor(_broker(added), added.name), KEY: added.key}


def _command(added: Added) -> list[str]:
    """The command; a location has a certificate and a private key of its own, whose files are not known here."""
    bus = added.configuration.bus
    options = ["--ca", bus.ca] if bus.ca else []
    if bus.certificate:
        options += ["--certificate", f"{added.name}.pem", "--private-key", f"{added.name}-key.pem"]
    return ["nightowl", "actor", "--location", added.name, *options]


def _broker(added: Added) -> str:
    return added.configuration.bus.broker


def _is_shared(broker: str) -> bool:
    return bool(broker) and not broker.startswith("memory:")


def _has_password(broker: str) -> bool:
    return urlsplit(broker).password is not None


def _for_actor(broker: str, location: str) -> str:
    """Return the URL for the user of the location's actors, a word in place of the password; not that of directors."""
    parts = urlsplit(broker)
    if not _has_password(broker):
        return broker
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{_user(broker, location)}:PASSWORD@{place}").geturl()


def _user(broker: str, location: str) -> str:
    return actor_user(location) if _knows_rights(broker) else urlsplit(broker).username or ""


def _knows_rights(broker: str) -> bool:
    """Whether it is a broker at which each location can have a user of its own."""
    return urlsplit(broker).scheme in ("amqp", "amqps", "pyamqp", "redis", "rediss")
