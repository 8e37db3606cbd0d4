"""What the demo plays: its configuration as a table that could stand in a ``nightowl.toml``, and its timetable.

Three checks are wrong all the time (slow, expired certificate, failing at one location only), one now and then but
never for two rounds in a row, and one is really down for a while, is healed, and breaks again. The times fit to
rounds of 5 s. The shop's Celery fleet is watched; one of its workers dies in the middle of a task every four minutes.
"""

from __future__ import annotations

from typing import Any

from nightowl.demo.fleet import Fleet
from nightowl.demo.inbox import Inbox
from nightowl.demo.shop import Shop

LOCATIONS = ("london", "new-york", "tokyo")

_PAYMENTS_CYCLE = 180.0
_PAYMENTS_BROKEN = 75.0
_FLAP_CYCLE = 17.0
_FLAP_BROKEN = 4.5
_MAIL_CYCLE, _MAIL_GOES, _MAIL_GONE = 240.0, 30.0, 40.0

_RULES: dict[str, dict[str, Any]] = {
    "slow": {
        "metric": "check_duration_seconds",
        "where": {"phase": "total"},
        "above": 0.25,
        "recover": 0.2,
        "for": "30s",
    },
    "sudden": {
        "metric": "check_duration_seconds",
        "where": {"check": "checkout", "phase": "total"},
        "strategy": "floating",
        "baseline": {"of": "median", "over": "3m"},
        "above": "+100%",
        "for": "20s",
        "min_points": 5,
        "severity": "info",
    },
    "worse-than-before": {
        "metric": "nightowl_rounds_total",
        "where": {"verdict": "down"},
        "counter": True,
        "strategy": "period",
        "average": "1m",
        "compare": ["3m"],
        "above": "+40%",
        "severity": "info",
    },
    "silent": {
        "metric": "check_up",
        "where": {"location": "london"},
        "strategy": "absent",
        "over": "1m",
        "severity": "critical",
    },
}
"""One of each strategy, with spans that fit to a demo of some minutes."""


def broken(elapsed: float) -> frozenset[str]:
    """Which pages of the shop are broken, so many seconds after the demo began.

    Payments: for 75 s out of every 180, from the start. Recommendations: for less than a round out of every 17 s,
    which is no multiple of a round, so that it moves against the rounds.
    """
    return frozenset(
        name
        for name, cycle, part in (
            ("payments", _PAYMENTS_CYCLE, _PAYMENTS_BROKEN),
            ("recommendations", _FLAP_CYCLE, _FLAP_BROKEN),
        )
        if elapsed % cycle < part
    )


def away(elapsed: float) -> frozenset[str]:
    """Which workers of the fleet are gone, so many seconds after the demo began: mail, for 40 s out of every 240.

    It goes 30 s after the start, in the middle of printing a catalogue.
    """
    gone = _MAIL_GOES <= elapsed % _MAIL_CYCLE < _MAIL_GOES + _MAIL_GONE
    return frozenset({"mail"} if gone else ())


def configuration(shop: Shop, inbox: Inbox, fleet: Fleet) -> dict[str, Any]:
    """Return the configuration for a shop and an inbox that have started, and a fleet."""
    ports = [*shop.ports, inbox.smtp_port]
    return {
        "location": {
            name: {"reach": "private", "allow": [{"network": "127.0.0.1/32", "ports": ports}]} for name in LOCATIONS
        },
        "template": {"shop": {"every": "5s", "timeout": "900ms", "attempts": 3, "tags": {"team": "shop"}}},
        "check": {name: {"use": "shop", **keys} for name, keys in _checks(shop, inbox).items()},
        "rule": _RULES,
        "cluster": {"shop": fleet.configuration},
        "channel": {
            "mailbox": {
                "kind": "email",
                "host": "127.0.0.1",
                "port": inbox.smtp_port,
                "security": "none",
                "from": "NightOwl <owl@shop.example>",
                "to": ["ops@shop.example"],
            },
            "webhook": {"kind": "webhook", "url": inbox.webhook_url, "secret": "the demo's own, known to everybody"},
        },
        "route": {
            "urgent": {"match": {"severity": "critical"}, "to": ["mailbox"]},
            "everything": {"to": ["webhook"]},
        },
    }


def _checks(shop: Shop, inbox: Inbox) -> dict[str, dict[str, Any]]:
    urls = shop.urls
    return {
        "front": {"url": urls["front"], "expect": {"body": "Basket"}},
        "search": {"url": urls["search"], "warn": {"duration": "250ms"}, "severity": "warning"},
        "recommendations": {"url": urls["recommendations"], "severity": "info"},
        "checkout": {"url": urls["checkout"], "expect": {"body": "Your order"}},
        "payments": {
            "url": urls["payments"],
            "expect": {"json": {"$.ok": True}},
            "tags": {"team": "payments"},
        },
        "partners": {"url": urls["partners"], "ca": shop.ca, "warn": {"certificate": "14d"}, "severity": "warning"},
        "mail": {"url": f"tcp://127.0.0.1:{inbox.smtp_port}", "expect": {"banner": "220"}, "tags": {"team": "mail"}},
    }
