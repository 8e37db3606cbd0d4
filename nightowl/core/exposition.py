"""Metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterable

from nightowl.core.known import METRICS, known
from nightowl.core.values import ActorSeen, CheckState, Sample

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

HELP = {
    "check_up": "Whether the location found the check up in its last round (1, degraded included) or down (0); "
    "a heartbeat has no location.",
    "check_duration_seconds": "Seconds that each phase of the kept attempt of the last round took.",
    "check_certificate_expiry_seconds": "When the certificate that the location saw ends, in Unix seconds.",
    "nightowl_rounds_total": "Rounds closed since the present director leads, by verdict.",
    "nightowl_rounds_missed_total": "Rounds that were not started because nobody led in time, ever.",
    "nightowl_results_refused_total": "Outcomes of actors that were not taken in, by reason.",
    "nightowl_round_spread_seconds": "Seconds from the first location's start of a round to the last one's.",
    "nightowl_actor_clock_skew_seconds": "Seconds by which the actor's clock is fast; negative: slow.",
    "nightowl_outcomes_late_total": "Outcomes that came after their round was closed.",
    "nightowl_jobs_resent_total": "Checks sent again because an actor fell silent or nobody took them.",
    "nightowl_lateness_seconds": "Seconds from the due moment of a round to a location's first attempt.",
    "nightowl_evaluation_seconds": "Seconds that the last evaluation of all rules took.",
    "nightowl_evaluate_portions_total": "Rules on sources, for each of their identifiers, sent to evaluators.",
    "nightowl_evaluate_missed_total": "Those of an instant that was over before they were evaluated.",
    "nightowl_evaluate_late_total": "Results of evaluators that came after their instant.",
    "nightowl_evaluate_resent_total": "Those sent again because no evaluator held them.",
    "nightowl_evaluate_seconds": "Seconds from an instant to the last result of it.",
    "nightowl_evaluator_portions_total": "What the evaluator has judged.",
    "nightowl_evaluator_expired_total": "What reached the evaluator after its instant.",
    "nightowl_evaluator_garbage_total": "Messages that the evaluator refused.",
    "nightowl_outbox_oldest_seconds": "Age of the oldest notice that waits to be sent.",
    "nightowl_queue_length": "Messages that wait in a queue of NightOwl's own.",
    "nightowl_actor_jobs": "Checks that the actor has under way.",
    "nightowl_actor_garbage_total": "Messages that the actor refused.",
    "nightowl_actor_processes": "Processes of the actor that run.",
    "nightowl_hook_deliveries_total": "Tries to post an event of a task to the hook, by what came of them.",
    "nightowl_hook_dropped_total": "Events of tasks that the hook was never told of, by reason.",
    "nightowl_sink_samples_total": "Samples that the sink's receiver was sent.",
    "nightowl_sink_dropped_total": "Samples that the sink gave up, by reason.",
    "nightowl_sink_queue": "Snapshots that wait to be sent by the sink.",
    "nightowl_sink_up": "Whether the sink's receiver took the last snapshot.",
    "nightowl_sink_lag_seconds": "Age of the newest snapshot that the sink's receiver has taken.",
    "nightowl_role_up": "Whether the role can reach all that it needs.",
}
"""What is said of each metric that NightOwl has by itself."""


def exposition(states: Iterable[CheckState], samples: Iterable[Sample], actors: Iterable[ActorSeen] = ()) -> str:
    """Return what is known as text, each family under its head. What states tell, samples do not repeat."""
    families: dict[str, list[str]] = {name: [] for name in METRICS}
    for sample in known(states, samples, actors):
        families.setdefault(sample.metric, []).append(_line(sample))
    return "".join(_head(name) + "".join(lines) for name, lines in families.items() if lines)


def _head(name: str) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    said = f"# HELP {name} {HELP[name]}\n" if name in HELP else ""
    return f"{said}# TYPE {name} {kind}\n"


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels)
    return f"{sample.metric}{{{labels}}} {sample.value!r}\n" if labels else f"{sample.metric} {sample.value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
