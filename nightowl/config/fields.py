"""The types of configuration keys: what a value may be, in words, and what it is turned into.

A value that is refused raises with the text of what would have been allowed; ``refusals`` makes mistakes of them.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import jsonpath_rfc9535
import regex
from pydantic import AfterValidator, GetCoreSchemaHandler, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nightowl.config import keys, units
from nightowl.core import cron
from nightowl.core.patterns import bounded


def refuse(allowed: str) -> PydanticCustomError:
    """Return the error that says what would have been ``allowed``."""
    return PydanticCustomError("allowed", "{allowed}", {"allowed": allowed})


@dataclass(frozen=True)
class Shape:
    """How documentation calls the values of a key."""

    text: str


@dataclass(frozen=True)
class Seconds:
    """A duration as a string with units, turned into seconds; bounds are seconds too."""

    at_least: float = 0.0
    at_most: float = units.LONGEST

    @property
    def allowed(self) -> str:
        """The bounds in words."""
        text = 'a duration such as "30s", "1m" or "1h30m"'
        if self.at_least:
            text += f", at least {units.format_duration(self.at_least)}"
        if self.at_most < units.LONGEST:
            text += f", at most {units.format_duration(self.at_most)}"
        return text

    def read(self, found: object) -> float:
        """Return the seconds."""
        try:
            seconds = units.parse_duration(found) if isinstance(found, str) else math.nan
        except ValueError:
            seconds = math.nan
        if not self.at_least <= seconds <= self.at_most:
            raise refuse(self.allowed)
        return seconds

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=units.DURATION_PATTERN)
        return core_schema.no_info_plain_validator_function(
            self.read,
            json_schema_input_schema=text,
            serialization=core_schema.plain_serializer_function_ser_schema(units.format_duration),
        )


def _size(found: object) -> int:
    try:
        return units.parse_size(found if isinstance(found, str) else "")
    except ValueError:
        raise refuse('a size such as "500MB" or "2GiB"') from None


Size = Annotated[
    int,
    PlainValidator(_size),
    PlainSerializer(units.format_size),
    WithJsonSchema({"type": "string", "pattern": units.SIZE_PATTERN}),
    Shape("size"),
]
"""Bytes, written with a unit."""


def _statuses(found: object) -> tuple[tuple[int, int], ...]:
    wanted: list[Any] = found if isinstance(found, list) else [found]
    try:
        ranges = tuple(units.parse_status(one) for one in wanted)
    except ValueError:
        ranges = ()
    if not ranges:
        raise refuse('status codes and ranges such as ["200-299", 404, "3xx"]')
    return ranges


def _status_texts(ranges: tuple[tuple[int, int], ...]) -> list[str]:
    return [units.format_status(one) for one in ranges]


_STATUS_SCHEMA = {"type": ["string", "integer"]}
Statuses = Annotated[
    tuple[tuple[int, int], ...],
    PlainValidator(_statuses),
    PlainSerializer(_status_texts),
    WithJsonSchema({"anyOf": [_STATUS_SCHEMA, {"type": "array", "items": _STATUS_SCHEMA, "minItems": 1}]}),
    Shape("list of status codes and ranges"),
]
"""Inclusive ranges of HTTP status codes."""


@dataclass(frozen=True)
class Whole:
    """A whole number between two bounds, both included."""

    at_least: int
    at_most: int

    def read(self, found: object) -> int:
        """Return the number."""
        if not isinstance(found, int) or isinstance(found, bool) or not self.at_least <= found <= self.at_most:
            raise refuse(f"a whole number from {self.at_least} to {self.at_most}")
        return found

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.int_schema(ge=self.at_least, le=self.at_most)
        return core_schema.no_info_plain_validator_function(self.read, json_schema_input_schema=number)


Port = Annotated[int, Whole(1, 65535), Shape("port")]
"""A TCP port."""


def split_url(found: str) -> SplitResult | None:
    """Return the parts of a URL whose host and port, where given, are well-formed; else None."""
    try:
        parts = urlsplit(found)
        well_formed = not (parts.port is not None and parts.port == 0)
        _ = parts.hostname, parts.username
    except ValueError:
        return None
    if not well_formed or not parts.scheme or re.search(r"[\s\x00-\x1f\x7f]", found):
        return None
    return parts


def web_url(found: str) -> str:
    """Return a text that is an http or https URL."""
    parts = split_url(found)
    if not parts or parts.scheme not in ("http", "https") or not parts.hostname:
        raise refuse('a URL such as "https://example.org/path"')
    return found


WebUrl = Annotated[str, AfterValidator(web_url), Shape("URL")]
"""An http or https URL."""


def _public_url(found: str) -> str:
    parts = split_url(web_url(found))
    if not parts or parts.query or parts.fragment or parts.username is not None:
        raise refuse('a URL without user, query and fragment, such as "https://owl.example"')
    return found.rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_public_url), Shape("URL")]
"""Where people reach the pages."""


def _target_url(found: str) -> str:
    parts = split_url(found)
    if not parts or not parts.hostname:
        raise refuse('a URL with scheme and host, such as "https://shop.example/login" or "tcp://db.example:5432"')
    return f"{parts.scheme}{found[len(parts.scheme) :]}"


TargetUrl = Annotated[str, AfterValidator(_target_url), Shape("URL")]
"""What a check tests; its scheme in lower case."""


def _cron(found: str) -> str:
    if not cron.is_expression(found):
        raise refuse('a cron expression of five fields (minute, hour, day, month, weekday), such as "0 3 * * 1-5"')
    return found


Cron = Annotated[str, AfterValidator(_cron), Shape("cron expression")]
"""When something is due, as crontab has it."""


def _timezone(found: str) -> str:
    if not cron.is_timezone(found):
        raise refuse('a name of the IANA time zone database, such as "Europe/Paris" or "UTC"')
    return found


TimeZone = Annotated[str, AfterValidator(_timezone), Shape("time zone")]
"""Where the clock on the wall is."""


def split_address(found: str) -> tuple[str, int]:
    """Return host and port of ``127.0.0.1:5555``, ``[::1]:5555`` or ``localhost:5555``.

    Raises:
        ValueError: it is none of these.
    """
    parts = urlsplit(f"//{found}")
    bare = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    if not bare or not parts.hostname or parts.port is None or re.search(r"\s", found):
        raise ValueError(found)
    return parts.hostname, parts.port


def _address(found: str) -> str:
    try:
        split_address(found)
    except ValueError:
        raise refuse('an address and a port such as "127.0.0.1:5555" or "[::1]:5555"') from None
    return found


def _resolver(found: str) -> str:
    try:
        host, port = split_address(found if _has_port(found) else f"{found}:53")
    except ValueError:
        port = 0
    if not port:
        raise refuse('a name server such as "10.0.0.2", "10.0.0.2:53", "[fd00::2]:53" or "ns.example.com"')
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _has_port(found: str) -> bool:
    return ":" in found.rpartition("]")[2]


Resolver = Annotated[str, AfterValidator(_resolver), Shape("address, or address:port")]
"""A name server, with the port that is usual where none was given."""


Address = Annotated[str, AfterValidator(_address), Shape("address:port")]
"""An address to listen at."""


def _host_name(found: str) -> str:
    if len(found) > 253 or not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", found):
        raise refuse('a host name without a port, such as "owl.example"')
    return found.lower()


HostName = Annotated[str, AfterValidator(_host_name), Shape("host name")]
"""A name that a Host header may give."""


def _prefix(found: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+/?|/?", found):
        raise refuse('a path such as "/nightowl"')
    return found.rstrip("/")


Prefix = Annotated[str, AfterValidator(_prefix), Shape("path")]
"""The path under which the pages are served."""


def _network(found: str) -> str:
    try:
        return str(ipaddress.ip_network(found))
    except ValueError:
        raise refuse('a network without host bits, such as "10.0.0.0/8" or "fd00::/8", or an address') from None


Network = Annotated[str, AfterValidator(_network), Shape("network")]
"""An IP network (or one address) in CIDR form."""


def _pattern(found: str) -> str:
    try:
        regex.compile(bounded(found))
    except ValueError as error:
        raise refuse(str(error)) from None
    except regex.error as error:
        raise refuse(f"a regular expression ({error})") from None
    return found


Pattern = Annotated[str, AfterValidator(_pattern), Shape("regular expression")]
"""A regular expression that is small when compiled, and is compiled once to prove it."""


def _paths(found: dict[str, Any]) -> dict[str, Any]:
    for path in found:
        try:
            jsonpath_rfc9535.compile(path)
        except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
            raise refuse(f'JSONPath (RFC 9535) to value, such as {{ "$.ok" = true }}; {path!r}: {error}') from None
    return found


def plain(found: Any) -> Any:
    """Return ``found`` where JSON can carry it: no dates, no NaN, no integers over 64 bits."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [plain(value) for value in found]
    if isinstance(found, str | bool):
        return found
    if isinstance(found, int) and -(2**63) <= found < 2**63:
        return found
    if isinstance(found, float) and math.isfinite(found):
        return found
    raise refuse("strings, finite numbers, true, false, and lists and tables of them")


JsonPaths = Annotated[
    dict[str, Any], AfterValidator(plain), AfterValidator(_paths), Shape("table of JSONPath to value")
]
"""JSONPath expressions and the values that they must lead to."""

Options = Annotated[dict[str, Any], AfterValidator(plain), Shape("table")]
"""Free keys that another program understands."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _headers(found: dict[str, str]) -> dict[str, str]:
    for name, value in found.items():
        if not _TOKEN.fullmatch(name) or re.search(r"[\r\n\x00]", value):
            raise refuse("header names of letters, digits and -, and values of one line")
    return found


Headers = Annotated[dict[str, str], AfterValidator(_headers), Shape("table of header to text")]
"""HTTP header fields."""


def one_line(found: str) -> str:
    """Return a text that has no line ends."""
    if re.search(r"[\r\n\x00]", found):
        raise refuse("a text of one line")
    return found


Line = Annotated[str, AfterValidator(one_line)]
"""A text of one line."""


def _location_keys(found: object) -> str | list[str]:
    """Return one key or a list of them in the form in which it was given."""
    given = found if isinstance(found, list) else [found]
    try:
        read = [keys.read_key(one if isinstance(one, str) else "") for one in given]
    except ValueError:
        read = []
    if not 1 <= len(read) <= 2 or len(set(read)) < len(read):
        raise refuse('a key as "nightowl keys new" prints it, or a list of two of them while one replaces the other')
    return [str(one) for one in given] if isinstance(found, list) else str(found)


_KEY_SCHEMA = {"type": "string"}
LocationKeys = Annotated[
    str | list[str],
    PlainValidator(_location_keys),
    WithJsonSchema({"anyOf": [_KEY_SCHEMA, {"type": "array", "items": _KEY_SCHEMA, "minItems": 1, "maxItems": 2}]}),
    Shape("key, or list of two"),
]
"""The key of a location, or two of them."""

TAKEN = ("severity", "name", "kind")
"""What a route's match knows besides tags, so that no tag is called that."""


_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")


def _tag_name(found: str) -> str:
    if found in TAKEN or not _TAG.fullmatch(found):
        raise refuse('the name of a tag, such as "team"')
    return found


TagName = Annotated[str, AfterValidator(_tag_name)]
"""The name of a tag, or of a label of a series."""


def _tags(found: dict[str, str]) -> dict[str, str]:
    for name in found:
        if name in TAKEN or not _TAG.fullmatch(name):
            raise refuse(f'tag names of letters, digits, "_", "." and "-"; {", ".join(TAKEN)} are taken')
    return found


Tags = Annotated[dict[str, str], AfterValidator(_tags), Shape("table of name to text")]
"""Names and values to sort and route by."""


def _unique(found: list[str]) -> list[str]:
    if not found or len(set(found)) < len(found):
        raise refuse("a list of at least one name, each once")
    return found


def each_once(found: list[str]) -> list[str]:
    """Return a list in which nothing stands twice."""
    if len(set(found)) < len(found):
        raise refuse("a list of names, each once")
    return found


Names = Annotated[list[str], AfterValidator(_unique), Shape("list of names")]
"""Names of other tables."""


def _clock_time(found: object) -> float:
    read = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", found) if isinstance(found, str) else None
    if not read:
        raise refuse('a time of the day such as "22:00"')
    return int(read[1]) * 3600.0 + int(read[2]) * 60.0


def _clock_text(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) % 3600 // 60:02}"


ClockTime = Annotated[
    float,
    PlainValidator(_clock_time),
    PlainSerializer(_clock_text),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
    Shape("time of the day"),
]
"""Seconds since midnight by the clock on the wall."""
