"""The index of words in each kind of database; what a word is, ``core.cluster.words`` says for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, Select, column, delete, select, table, text
from sqlalchemy.dialects.mysql import match

from nightowl.adapters.store_sql.tasks.chunks import chunks
from nightowl.adapters.store_sql.tasks.copying import copy, insert
from nightowl.adapters.store_sql.tasks.places import Span
from nightowl.core.cluster.words import LONGEST, READ, Texts, Wanted, uncut, words

Said = Sequence[tuple[int, Texts]]
"""Ids of tasks, and the texts by whose words they are found."""


class WordIndex(Protocol):
    """Which tasks have which words."""

    def put(self, connection: Connection, said: Said) -> None:
        """Add tasks, none of which is there."""

    def drop(self, connection: Connection, said: Said) -> None:
        """Take tasks out, with the texts that they were put with."""

    def select(self, wanted: Wanted, span: Span) -> Select[Any]:
        """The ids of tasks that have all the words, as ``id``."""


def word_index(dialect: Dialect) -> WordIndex:
    """The one of this kind of database."""
    if dialect.name == "sqlite":
        return _Sqlite()
    return _Postgresql() if dialect.name == "postgresql" else _Mariadb()


_WORDS = table("task_words", column("id"), column("words"), column("rowid"), column("task_words"))


class _Sqlite:
    """FTS5, which keeps nothing but which row has which word, and so must be told the words again to forget them.

    Its tokenizer cuts and lowers ASCII as ``words`` does, and sooner, but leaves long words whole: one that is as long
    as is known may go on. Every character beyond ASCII it takes for part of a word: what is none is taken out before.
    """

    def put(self, connection: Connection, said: Said) -> None:
        insert(connection, "task_words", ("rowid", "words"), _told(said))

    def drop(self, connection: Connection, said: Said) -> None:
        if told := _told(said):
            sql = "INSERT INTO task_words (task_words, rowid, words) VALUES ('delete', ?, ?)"
            connection.exec_driver_sql(sql, told)

    def select(self, wanted: Wanted, span: Span) -> Select[Any]:
        begun = [wanted.beginning] * bool(wanted.beginning)
        asked = " ".join([*map(_asked, wanted.whole), *(f'"{word}"*' for word in begun)])
        matches = _WORDS.c.task_words.op("MATCH")(asked)
        return select(_WORDS.c.rowid.label("id")).where(matches, _WORDS.c.rowid.between(*span))


class _Postgresql:
    """A ``tsvector`` of just these words, as PostgreSQL's own parser would cut them in its own way."""

    def put(self, connection: Connection, said: Said) -> None:
        if rows := [(id_, _lexemes(each)) for id_, each in _cut(said)]:
            copy(connection, "task_words", ("id", "words"), rows)

    def drop(self, connection: Connection, said: Said) -> None:
        _delete(connection, said)

    def select(self, wanted: Wanted, span: Span) -> Select[Any]:
        asked = [f"'{word}'" for word in wanted.whole] + [f"'{wanted.beginning}':*"] * bool(wanted.beginning)
        matches = text("words @@ CAST(:asked AS tsquery)").bindparams(asked=" & ".join(asked))
        return select(_WORDS.c.id).where(matches, _WORDS.c.id.between(*span))


class _Mariadb:
    """A FULLTEXT index of words in hexadecimal: so none is too short, too common or cut in MariaDB's own way."""

    def put(self, connection: Connection, said: Said) -> None:
        if rows := [(id_, " ".join(map(_hexadecimal, dict.fromkeys(each.split())))) for id_, each in _cut(said)]:
            connection.exec_driver_sql("INSERT INTO task_words (id, words) VALUES (%s, %s)", rows)

    def drop(self, connection: Connection, said: Said) -> None:
        _delete(connection, said)

    def select(self, wanted: Wanted, span: Span) -> Select[Any]:
        asked = [f"+{_hexadecimal(word)}" for word in wanted.whole]
        asked += [f"+{_hexadecimal(wanted.beginning)}*"] * bool(wanted.beginning)
        matches = match(_WORDS.c.words, against=" ".join(asked)).in_boolean_mode()
        return select(_WORDS.c.id).where(matches, _WORDS.c.id.between(*span))


def _told(said: Said) -> list[tuple[int, str]]:
    """What FTS5 is told of texts, where there are any."""
    found = [(id_, " ".join([text[:READ] for text in texts if text]), texts) for id_, texts in said]
    return [(id_, text if text.isascii() else uncut(text) or words(texts)) for id_, text, texts in found if text]


def _asked(word: str) -> str:
    return f'"{word}"' + "*" * (len(word.encode()) == LONGEST)


def _cut(said: Said) -> Iterator[tuple[int, str]]:
    """The words of texts, where there are any."""
    return ((id_, found) for id_, texts in said if (found := words(texts)))


def _lexemes(words: str) -> str:
    """A ``tsvector`` as text: no word has a quote or a backslash in it."""
    return " ".join(f"'{word}'" for word in words.split())


def _hexadecimal(word: str) -> str:
    return f"x{word.encode().hex()}"


def _delete(connection: Connection, said: Said) -> None:
    for chunk in chunks([id_ for id_, _ in said]):
        connection.execute(delete(_WORDS).where(_WORDS.c.id.in_(chunk)))
