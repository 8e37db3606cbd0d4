"""What a role writes to standard error: a line an event, plain or JSON, passwords masked."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import click

from nightowl.core.redaction import without_password

log_option = click.option(
    "--log",
    "style",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="How to write the log to standard error.",
)

_QUIET = ("celery", "kombu", "amqp", "uvicorn", "alembic", "mail.log", "asyncio", "httpx")
"""Libraries whose informational lines say nothing to an operator."""

_MUTE = ("celery.worker.consumer", "kombu.connection")
"""What speaks of lost connections in its own words, traceback included; the bus says that a broker is away and back."""


def log_to_stderr(style: str) -> None:
    """Set up logging for a role."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if style == "json" else _Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _MUTE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Plain(logging.Formatter):
    """``2026-11-20T18:00:00.000Z INFO nightowl.flows.lead: leading since now``."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_moment(record)} {record.levelname} {record.name}: {_text(self, record)}"


class _Json(logging.Formatter):
    """One JSON object a line: time, level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _text(self, record),
        }
        return json.dumps(said, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info:
        text = f"{text}\n{formatter.formatException(record.exc_info)}"
    return without_password(text)
