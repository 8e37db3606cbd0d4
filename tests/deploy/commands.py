"""Our own command line reads a command of a deployment as it would read it there, and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nightowl.cli import main


def read(arguments: Sequence[str]) -> str:
    """Return the command that arguments behind ``nightowl`` are. Raises ``click.UsageError`` where it refuses them."""
    command: click.Command = main
    context = click.Context(main, info_name="nightowl")
    rest = list(arguments)
    names: list[str] = []
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        names.append(str(name))
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_context(names[-1], list(rest), parent=context)
    return " ".join(names)
