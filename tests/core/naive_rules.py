"""The rules of the specification, written a second time and as plainly as can be: slow, and sharing no code."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from statistics import median, pstdev

OPS = {
    "above": lambda a, b: a > b,
    "below": lambda a, b: a < b,
    "at_least": lambda a, b: a >= b,
    "at_most": lambda a, b: a <= b,
    "equals": lambda a, b: a == b,
    "not_equals": lambda a, b: a != b,
}


def window(samples, start, end):
    """(time, value) in (start, end], by time, the last written winning."""
    kept = {time: value for time, value in samples if start < time <= end and isfinite(value)}
    return sorted(kept.items())


def rate(found):
    if len(found) < 2:
        return None
    rise = 0
    for (_, before), (_, after) in pairwise(found):
        rise += after - before if after >= before else after
    return rise / (found[-1][0] - found[0][0])


def aggregate(how, found):
    values = [value for _, value in found]
    if how == "count":
        return len(values)
    if not values:
        return None
    return {
        "mean": lambda: sum(values) / len(values),
        "median": lambda: median(values),
        "last": lambda: values[-1],
        "min": lambda: min(values),
        "max": lambda: max(values),
        "sum": lambda: sum(values),
    }[how]()


def current(rule, samples, t, step):
    span = rule.over or rule.stale or 5 * step
    found = window(samples, t - span, t)
    return rate(found) if rule.counter else aggregate(rule.aggregate or "last", found)


def bounds(rule, base, sigma):
    for limit in rule.limits:
        unit = {"": 1, "%": abs(base) / 100, "sigma": sigma}[limit.unit]
        yield limit.comparison, base + limit.amount * unit if limit.relative else limit.amount


def fixed(rule, samples, t, step, *, firing):
    value = current(rule, samples, t, step)
    if value is None:
        return None
    if firing and rule.recover is not None:
        return OPS[rule.limits[0].comparison](value, rule.recover)
    return any(OPS[comparison](value, bound) for comparison, bound in bounds(rule, 0, 0))


def floating(rule, samples, t, step, *, firing):
    value = current(rule, samples, t, step)
    gap = step if rule.baseline.gap is None else rule.baseline.gap
    before = window(samples, t - rule.baseline.over - gap, t - gap)
    base = rate(before) if rule.counter else aggregate(rule.baseline.of, before)
    if value is None or base is None or len(before) < rule.min_points:
        return None
    sigma = pstdev([value for _, value in before])
    return any(OPS[comparison](value, bound) for comparison, bound in bounds(rule, base, sigma))


def period(rule, samples, t, step, *, firing):
    def mean(end):
        found = window(samples, end - rule.average, end)
        if len(found) < rule.min_points:
            return None
        return rate(found) if rule.counter else aggregate("mean", found)

    found = []
    for ago in rule.compare:
        value, past = mean(t), mean(t - ago)
        if value is None or past is None:
            found.append(None)
        elif abs(past) <= rule.min_base:
            found.append({"unknown": None, "ok": False, "breach_if_changed": abs(value) > rule.min_base}[rule.on_zero])
        else:
            change = (value - past) / abs(past) * 100
            found.append(any(OPS[limit.comparison](change, limit.amount) for limit in rule.limits))
    if False in found:
        return False
    return None if None in found else True


def absent(rule, samples, t, step, *, firing):
    return not window(samples, t - (rule.over or rule.stale or 5 * step), t)


STRATEGIES = {"fixed": fixed, "floating": floating, "period": period, "absent": absent}


class Machine:
    """The table, state by state."""

    def __init__(self, rule):
        self.rule = rule
        self.phase = "OK"
        self.since = self.until = self.unknown_since = None
        self.was = ""

    def firing(self):
        return self.phase == "FIRING" or (self.phase == "NODATA" and self.was == "FIRING")

    def step(self, truth, t):
        rule = self.rule
        if truth is None and rule.nodata in ("ok", "alert"):
            truth = rule.nodata == "alert"
        if truth is None:
            if self.unknown_since is None:
                self.unknown_since = t
            if rule.nodata == "nodata" and self.phase != "NODATA" and t - self.unknown_since >= rule.nodata_after:
                self.was = "FIRING" if self.phase in ("FIRING", "RECOVERING") else ""
                self.phase = "NODATA"
            return
        self.unknown_since = None
        if truth and self.phase in ("RECOVERING", "NODATA") and (self.phase == "RECOVERING" or self.was == "FIRING"):
            self.phase = "FIRING"
        elif truth and self.phase in ("OK", "NODATA"):
            self.phase, self.since = ("PENDING", t) if rule.for_ else ("FIRING", None)
        elif truth and self.phase == "PENDING" and t - self.since >= rule.for_:
            self.phase = "FIRING"
        elif not truth and self.phase == "FIRING" and rule.keep_firing:
            self.phase, self.until = "RECOVERING", t + rule.keep_firing
        elif not truth and not (self.phase == "RECOVERING" and t < self.until):
            self.phase = "OK"


def phases(rule, samples, instants, step):
    """The phase after each instant, from the series' first sample on."""
    machine = Machine(rule)
    found = []
    begun = min((time for time, value in samples if abs(value) < float("inf")), default=None)
    for t in instants:
        if begun is not None and begun <= t:
            machine.step(STRATEGIES[rule.strategy](rule, samples, t, step, firing=machine.firing()), t)
            found.append((t, machine.phase))
    return found
