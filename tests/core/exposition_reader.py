"""A strict reader of Prometheus' text format 0.0.4, for tests: it refuses what a scraper could misunderstand."""

from __future__ import annotations

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LINE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}


def labels_of(text):
    found, at = {}, 0
    while at < len(text or ""):
        pair = LABEL.match(text, at)
        assert pair, text
        assert pair[1] not in found
        found[pair[1]] = re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), pair[2])
        at = pair.end()
    return found


def read(page):
    """Return {(metric, labels as sorted pairs): value}, and {family: type}."""
    assert page.endswith("\n")
    found, kinds, family, kind = {}, {}, "", ""
    for line in page.split("\n")[:-1]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in kinds, f"{family} comes twice"
            kinds[family] = kind
        elif not line.startswith("# HELP "):
            whole = LINE.fullmatch(line)
            assert whole, line
            assert whole[1] in {family + suffix for suffix in SUFFIXES[kind]}, line
            key = (whole[1], tuple(sorted(labels_of(whole[2]).items())))
            assert key not in found, f"{key} comes twice"
            found[key] = float(whole[3])
    return found, kinds


def value(page, metric, **labels):
    """The sum of a metric's series that carry these labels; None: there is none."""
    values = [
        number
        for (name, carried), number in read(page)[0].items()
        if name == metric and labels.items() <= dict(carried).items()
    ]
    return sum(values) if values else None
