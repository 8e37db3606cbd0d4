"""The kinds that come with NightOwl, beside http and https, for whom the entry points are not at hand."""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.adapters.probes import celery, dns, icmp, smtp, tcp, tls
from nightowl.ports import Probe

BUILT_IN: Mapping[str, Probe] = {
    "celery": celery.probe,
    "dns": dns.probe,
    "icmp": icmp.probe,
    "smtp": smtp.probe,
    "smtps": smtp.probe,
    "tcp": tcp.probe,
    "tls": tls.probe,
}
