"""Samples as Prometheus scrapes them: text 0.0.4, or OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/).

Lines bear no time: they are as of now. OpenMetrics' ``_created`` is left out, as series do not tell when they began,
and so are exemplars, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isinf, isnan

from nightowl.core import exposition
from nightowl.core.cluster import gauges
from nightowl.core.series import Labels
from nightowl.core.sinks.selection import is_counter
from nightowl.core.values import Sample

TEXT = exposition.MEDIA_TYPE
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_PARTS = ("_bucket", "_count", "_sum")

_HELP = exposition.HELP | {f"celery_{name}": said for name, said in gauges.HELP.items()}


def wants_open_metrics(accept: str) -> bool:
    """Whether an Accept header (RFC 9110, 12.5.1) takes OpenMetrics."""
    for offer in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in offer.split(";"))
        if kind == "application/openmetrics-text":
            return not any(parameter in ("q=0", "q=0.0") for parameter in parameters)
    return False


def text(samples: Iterable[Sample], prefix: str = "", *, open_metrics: bool = False) -> str:
    """Return samples by families, each under its head; names begin with ``prefix``."""
    families = _families(samples)
    parts = []
    for name, found in families.items():
        kind = _kind(name, found, open_metrics=open_metrics)
        shown = prefix + (name.removesuffix("_total") if open_metrics and kind == "counter" else name)
        said = f"# HELP {shown} {_HELP[name]}\n" if name in _HELP else ""
        parts.append(f"{said}# TYPE {shown} {kind}\n")
        parts += [_line(prefix, sample) for sample in sorted(found, key=_place)]
    return "".join([*parts, "# EOF\n"] if open_metrics else parts)


def _families(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Samples by family: the parts of a histogram are one, where its buckets are there."""
    given = [sample for sample in samples if not isnan(sample.value)]
    histograms = {sample.metric.removesuffix("_bucket") for sample in given if sample.metric.endswith("_bucket")}
    found: dict[str, list[Sample]] = {}
    for sample in given:
        base = next(
            (base for part in _PARTS if (base := sample.metric.removesuffix(part)) in histograms), sample.metric
        )
        found.setdefault(base, []).append(sample)
    return found


def _kind(name: str, found: list[Sample], *, open_metrics: bool) -> str:
    metric = found[0].metric
    if metric != name:
        return "histogram"
    if is_counter(metric):
        if metric.endswith("_total"):
            return "counter"
        return "unknown" if open_metrics else "untyped"
    return "gauge"


def _place(sample: Sample) -> tuple[Labels, int, float]:
    """Where a sample stands in its family: parts of one histogram together, buckets rising."""
    part = next((place for place, part in enumerate(_PARTS) if sample.metric.endswith(part)), 0)
    bound = next((float(value) for name, value in sample.labels if name == "le" and part == 0), -inf)
    return tuple(pair for pair in sample.labels if pair[0] != "le"), part, bound


def _line(prefix: str, sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
    value = ("+Inf" if sample.value > 0 else "-Inf") if isinf(sample.value) else repr(sample.value)
    return f"{prefix}{sample.metric}{{{labels}}} {value}\n" if labels else f"{prefix}{sample.metric} {value}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
