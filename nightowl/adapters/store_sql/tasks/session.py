"""What every part of the store of tasks works with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.tasks.numbers import Numbers
from nightowl.adapters.store_sql.tasks.word_index import WordIndex


@dataclass(frozen=True, slots=True)
class Session:
    """A connection inside a transaction, the compiled bulk statements, the numbers of names, the index of words."""

    connection: Connection
    bulk: Bulk
    numbers: Numbers
    words: WordIndex
