"""Lists, for people and for pipes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import click


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], whole: Collection[str] = ()) -> None:
    """Print a table on a terminal (``whole`` columns are not wrapped), in a pipe a line for each row, with tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415  # a tenth of a second that pipes and programs need not pay
    from rich.table import Table  # noqa: PLC0415  # likewise
    from rich.text import Text  # noqa: PLC0415  # likewise

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column in whole)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
