"""``celery -A APP nightowl``, in place of ``celery -A APP flower``.

Every ``celery`` command of a user's environment imports this module: all that is large is imported when it runs.
"""

from __future__ import annotations

import click


class _Command(click.Command):
    """A command whose help lists Flower's options, which it reads by itself, as Flower does."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from nightowl.config.flower import OPTIONS  # noqa: PLC0415 - see above

        with formatter.section("Options (Flower's; in flowerconfig.py and as FLOWER_NAME variables, too)"):
            formatter.write_dl([(f"--{option.name}", option.help) for option in OPTIONS.values() if not option.instead])
        super().format_options(ctx, formatter)


@click.command(cls=_Command, context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def nightowl(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Watch this app's cluster: pages, Flower's API, metrics, incidents and notices, in one process."""
    from nightowl.cli.celery_start import start  # noqa: PLC0415 - see above

    above = ctx.parent.command.params if ctx.parent else []
    start(ctx.obj.app, arguments, [option for parameter in above for option in parameter.opts])
