"""Metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterable

from nightowl.core.values import ActorSeen, CheckState, Phases, Place, Sample, State

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
    "nightowl_role_up": "Whether the role can reach all that it needs.",
}
"""What is said of each metric that NightOwl has by itself."""

_OF_STATES = ("check_up", "check_duration_seconds", "check_certificate_expiry_seconds")
_PHASES = Phases.__struct_fields__


def exposition(states: Iterable[CheckState], samples: Iterable[Sample], actors: Iterable[ActorSeen] = ()) -> str:
    """Return what is known as text, each family under its head. What states tell, samples do not repeat."""
    families: dict[str, list[str]] = {name: [] for name in _OF_STATES}
    for state in states:
        check = _escaped(state.check)
        if state.last and not state.last.places:
            families["check_up"].append(f'check_up{{check="{check}"}} {_up(state.verdict)}\n')
        for place in state.last.places if state.last else ():
            if place.voted:
                _add_place(families, f'check="{check}",location="{_escaped(place.location)}"', place)
    for sample in samples:
        if sample.metric not in _OF_STATES:
            families.setdefault(sample.metric, []).append(_line(sample))
    families["nightowl_actor_clock_skew_seconds"] = [_skew(actor) for actor in actors if actor.skew is not None]
    return "".join(_head(name) + "".join(lines) for name, lines in families.items() if lines)


def _add_place(families: dict[str, list[str]], labels: str, place: Place) -> None:
    families["check_up"].append(f"check_up{{{labels}}} {_up(place.state)}\n")
    durations = families["check_duration_seconds"]
    for phase in _PHASES:
        seconds = getattr(place.phases, phase)
        if seconds is not None:
            durations.append(f'check_duration_seconds{{{labels},phase="{phase}"}} {seconds!r}\n')
    if place.certificate_expiry is not None:
        expiry = f"check_certificate_expiry_seconds{{{labels}}} {place.certificate_expiry!r}\n"
        families["check_certificate_expiry_seconds"].append(expiry)


def _up(state: State) -> float:
    return 1.0 if state in (State.UP, State.DEGRADED) else 0.0


def _skew(actor: ActorSeen) -> str:
    labels = (("location", actor.location), ("actor", actor.name))
    return _line(Sample("nightowl_actor_clock_skew_seconds", labels, actor.heard, round(actor.skew or 0.0, 3)))


def _head(name: str) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    said = f"# HELP {name} {HELP[name]}\n" if name in HELP else ""
    return f"{said}# TYPE {name} {kind}\n"


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels)
    return f"{sample.metric}{{{labels}}} {sample.value!r}\n" if labels else f"{sample.metric} {sample.value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
