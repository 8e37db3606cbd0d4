"""Flower's options whose values are right by themselves, and do not fit what there is or one another."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from nightowl.config.flower.given import Given
from nightowl.core.errors import Mistake


def contradictions(given: Given) -> list[Mistake]:
    """Return what is wrong with values that were understood."""
    return [*_pairs(given), *_tls(given), *_api(given)]


def _pairs(given: Given) -> list[Mistake]:
    pairs = given.get("basic_auth", ())
    if all(name and password for name, _, password in (pair.partition(":") for pair in pairs)):
        return []
    return [Mistake(file="", key=given.where["basic_auth"], found="***", allowed="name:password, several with commas")]


def _tls(given: Given) -> list[Mistake]:
    if bool(given.get("certfile")) != bool(given.get("keyfile")):
        name = "certfile" if given.get("certfile") else "keyfile"
        return [_mistake(given, name, "both certfile and keyfile, or neither")]
    names = ("certfile", "keyfile", "ca_certs")
    missing = [name for name in names if given.get(name) and not Path(given.path(name)).is_file()]
    return [_mistake(given, name, "a file that there is") for name in missing]


def _api(given: Given) -> list[Mistake]:
    url = given.get("broker_api", "")
    if not url or (urlsplit(url).scheme in ("http", "https") and urlsplit(url).netloc):
        return []
    return [Mistake(file="", key=given.where["broker_api"], found="***", allowed="an http:// or https:// URL")]


def _mistake(given: Given, name: str, allowed: str) -> Mistake:
    return Mistake(file="", key=given.where[name], found=f'"{given.get(name)}"', allowed=allowed)
