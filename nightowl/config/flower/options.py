"""Flower's options: what each is, and what NightOwl makes of it.

https://flower.readthedocs.io/en/latest/config.html, and ``flower/options.py`` of Flower 2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["text", "whole", "number", "truth", "texts", "numbers"]


class Option(NamedTuple):
    """An option by its name with underscores.

    ``instead`` is what takes its place where NightOwl does not have it (empty: it has); where it is ``refused``,
    nothing starts with it. ``secret``: its value is never shown.
    """

    name: str
    kind: Kind
    help: str
    instead: str = ""
    refused: bool = False
    secret: bool = False


_SIGN_IN = (
    "NightOwl does not sign people in by OAuth2: give --basic_auth=name:password, or users of NightOwl's own "
    "(nightowl user add)"
)
_LOGGING = "NightOwl writes its log to standard error"


def _sign_in(name: str, *, secret: bool = False) -> Option:
    return Option(name, "text", "OAuth2, which is refused", instead=_SIGN_IN, refused=True, secret=secret)


_ALL = (
    Option("port", "whole", "the port to listen on (5555)"),
    Option("address", "text", "the address to listen on (empty: all)"),
    Option("unix_socket", "text", "a Unix socket to listen on in place of address and port"),
    Option("url_prefix", "text", "the path that a proxy serves the pages under"),
    Option("xheaders", "truth", "believe X-Forwarded-For and X-Forwarded-Proto of proxies in private networks"),
    Option("certfile", "text", "a file with the server's certificate (PEM)"),
    Option("keyfile", "text", "a file with its private key (PEM)"),
    Option("ca_certs", "text", "a file of authorities (PEM) that a client's certificate must come from"),
    Option("basic_auth", "texts", "name:password of who may sign in; several with commas", secret=True),
    Option("cookie_secret", "text", "signs forms; without it one is made and kept", secret=True),
    Option("conf", "text", "a file with options (flowerconfig.py)"),
    Option("read_only", "truth", "control nothing"),
    Option("broker_api", "text", "RabbitMQ's management API, http://USER:PASSWORD@HOST:15672/api/", secret=True),
    Option("inspect_timeout", "number", "milliseconds to wait for answers of workers (1000)"),
    Option("enable_events", "truth", "tell workers to send events (true)"),
    Option("max_tasks", "whole", "the most tasks that are kept; without it, those of 14 days"),
    Option("persistent", "truth", "keep what is known in the file of db"),
    Option("db", "text", "with persistent: the file to keep it in, with .nightowl.db added"),
    Option("purge_offline_workers", "whole", "seconds for which a worker that is away is shown; without it, for ever"),
    Option("task_runtime_metric_buckets", "numbers", "upper bounds of run times in metrics, in seconds"),
    Option("max_workers", "whole", "", instead="every worker is known"),
    Option("state_save_interval", "whole", "", instead="what is known is stored four times a second"),
    Option("auto_refresh", "truth", "", instead="pages are live; who wants can pause them there"),
    Option("natural_time", "truth", "", instead="times are told as people say them, exact under the pointer"),
    Option("tasks_columns", "text", "", instead="the list of tasks has columns of its own"),
    Option("format_task", "text", "", instead='arguments are redacted by [cluster.NAME] "arguments" and "redact"'),
    Option("debug", "truth", "", instead=_LOGGING),
    Option("logging", "text", "", instead=_LOGGING),
    Option("log_file_prefix", "text", "", instead=_LOGGING),
    Option("log_file_max_size", "whole", "", instead=_LOGGING),
    Option("log_file_num_backups", "whole", "", instead=_LOGGING),
    Option("log_rotate_when", "text", "", instead=_LOGGING),
    Option("log_rotate_interval", "whole", "", instead=_LOGGING),
    Option("log_rotate_mode", "text", "", instead=_LOGGING),
    Option("log_to_stderr", "truth", "", instead=_LOGGING),
    _sign_in("auth"),
    _sign_in("auth_provider"),
    _sign_in("oauth2_key"),
    _sign_in("oauth2_secret", secret=True),
    _sign_in("oauth2_redirect_uri"),
)

OPTIONS: Mapping[str, Option] = {option.name: option for option in _ALL}
"""All of them by name."""

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


def truth(text: str) -> bool:
    """Return what a text means as Flower reads it. Raises ``ValueError``."""
    if text.strip().lower() not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return text.strip().lower() in _TRUE


def value(option: Option, given: object) -> object:
    """Return an option's value from a text, or from what a configuration file says.

    Raises ``ValueError`` with what would have been accepted.
    """
    listed = list(given) if isinstance(given, list | tuple) else str(given).split(",")
    match option.kind:
        case "truth":
            return truth(str(given))
        case "whole":
            return _whole(given)
        case "number":
            return _number(given)
        case "texts":
            return tuple(str(each).strip() for each in listed if str(each).strip())
        case "numbers":
            return tuple(map(_number, listed))
        case _:
            return "" if given is None else str(given)


def _whole(given: object) -> int:
    try:
        found = int(str(given))
    except ValueError:
        found = -1
    if found < 0:
        raise ValueError("a whole number, 0 or above")
    return found


def _number(given: object) -> float:
    try:
        found = float(str(given))
    except ValueError:
        found = -1.0
    if not 0.0 <= found < float("inf"):
        raise ValueError("a number, 0 or above")
    return found
