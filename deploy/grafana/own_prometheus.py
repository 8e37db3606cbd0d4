"""NightOwl itself over Prometheus: does it keep up, does it lose anything, what does it cost.

The same figure may be scraped from several processes (a director and the web tell of the same rounds), so figures are
the largest of all and never a sum over processes.
"""

from __future__ import annotations

from deploy.grafana.boards import ORANGE, RED, Board, Panel, Row
from deploy.grafana.prometheus import ANY, figure, limits, lines, or_nothing


def boards() -> list[Board]:
    """The one there is."""
    return [
        Board(
            uid="nightowl-itself",
            title="NightOwl: itself",
            says="Whether NightOwl keeps up, what it loses, and what it costs.",
            source="prometheus",
            variables=(),
            rows=(
                Row("Now", _now()),
                Row("Rounds", _rounds()),
                Row("Rules and notices", _rules()),
                Row("Watched clusters", _events()),
                Row("Sinks and hooks", _outgoing()),
                Row("Processes", _processes()),
            ),
        )
    ]


def _now() -> tuple[Panel, ...]:
    late = 'max(nightowl_lateness_seconds{quantile="0.99"})'
    return (
        figure("Lateness now", "From due to first attempt, p99.", late, "s", steps=limits(0.5, 2)),
        figure(
            "Outbox",
            "Age of the oldest unsent notice.",
            "max(nightowl_outbox_oldest_seconds)",
            "s",
            steps=limits(30, 300),
        ),
        figure("Rounds missed", "In the time that is shown.", _counted("nightowl_rounds_missed_total"), steps=ANY),
        figure("Events lost", "In the time that is shown.", _counted("nightowl_events_lost_total"), steps=ANY),
        figure("Gaps", "In the time that is shown.", _counted("nightowl_event_gaps_total"), steps=limits(1, 10)),
        figure("Roles with a fault", "Roles that cannot reach what they need.", _faulty(), steps=((1, RED),)),
    )


def _rounds() -> tuple[Panel, ...]:
    return (
        _rates("Rounds", "Rounds closed a second, by verdict.", "nightowl_rounds_total", "verdict"),
        _levels("Lateness", "From a round's due moment to the first attempt.", "nightowl_lateness_seconds", "quantile"),
        _levels(
            "Spread", "From the first location's start to the last's.", "nightowl_round_spread_seconds", "quantile"
        ),
        _rates("Outcomes refused", "Outcomes not taken in, by reason.", "nightowl_results_refused_total", "reason"),
        lines(
            "Late and sent again",
            "Outcomes after their round was closed; checks given to another actor.",
            {
                "late": f"max({_rate('nightowl_outcomes_late_total')})",
                "sent again": f"max({_rate('nightowl_jobs_resent_total')})",
                "missed": f"max({_rate('nightowl_rounds_missed_total')})",
            },
            "ops",
        ),
        _levels("Queues", "Messages that wait in NightOwl's own queues.", "nightowl_queue_length", "queue", "short"),
        _levels("Actors' jobs", "Checks under way, by process.", "nightowl_actor_jobs", "instance", "short"),
        _rates("Actors' garbage", "Messages that actors refused.", "nightowl_actor_garbage_total", "instance"),
        _levels("Actors' clocks", "Seconds by which each is fast.", "nightowl_actor_clock_skew_seconds", "actor"),
    )


def _rules() -> tuple[Panel, ...]:
    on_sources = {
        word: or_nothing(f"max({_rate(f'nightowl_evaluate_{word}_total')})")
        for word in ("portions", "missed", "late", "resent")
    }
    judged = {
        word: or_nothing(f"sum({_rate(f'nightowl_evaluator_{word}_total')})")
        for word in ("portions", "expired", "garbage")
    }
    seconds = {
        "all rules": "max(nightowl_evaluation_seconds)",
        "an instant of rules on sources": or_nothing("max(nightowl_evaluate_seconds)"),
    }
    return (
        lines("Evaluation", "Seconds that it takes.", seconds, "s"),
        lines("Rules on sources", "Sent to evaluators, and what became of them, a second.", on_sources, "ops"),
        lines("Evaluators", "Judged, come too late, refused, a second.", judged, "ops"),
    )


def _events() -> tuple[Panel, ...]:
    return (
        _rates("Events", "Task events taken in, by type.", "nightowl_task_events_total", "cluster, type"),
        _rates("Events lost a second", "Events known to be lost.", "nightowl_events_lost_total", "cluster", bad=True),
        _rates(
            "Gaps a second",
            "Times in which events may have been lost.",
            "nightowl_event_gaps_total",
            "cluster",
            bad=True,
        ),
        _rates(
            "Refused", "Messages that were no events.", "nightowl_events_refused_total", "cluster, reason", bad=True
        ),
        _rates("Overflow", "Counts booked under other.", "nightowl_labels_overflow_total", "cluster", bad=True),
        _levels("Open tasks", "Tasks that have not ended.", "nightowl_open_tasks", "cluster", "short"),
    )


def _outgoing() -> tuple[Panel, ...]:
    return (
        _rates("Sinks", "Samples sent, by sink.", "nightowl_sink_samples_total", "sink"),
        _rates("Sinks: dropped", "Samples given up.", "nightowl_sink_dropped_total", "sink, reason", bad=True),
        _levels("Sinks: lag", "Age of the newest snapshot that was taken.", "nightowl_sink_lag_seconds", "sink"),
        _levels("Sinks: queue", "Snapshots that wait to be sent.", "nightowl_sink_queue", "sink", "short"),
        _rates(
            "Hooks", "Events posted to hooks, by what came of it.", "nightowl_hook_deliveries_total", "hook, result"
        ),
        _rates(
            "Hooks: dropped", "Events that no hook was told.", "nightowl_hook_dropped_total", "hook, reason", bad=True
        ),
    )


def _processes() -> tuple[Panel, ...]:
    cpu = "sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]))"
    memory = "max by (job, instance) (process_max_resident_memory_bytes)"
    return (
        _levels("Roles", "1: it reaches all that it needs.", "nightowl_role_up", "role, instance", "short"),
        lines("CPU", "Cores, by process.", {"{{job}} {{instance}}": cpu}),
        lines("Memory", "The most that each process has taken.", {"{{job}} {{instance}}": memory}, "bytes"),
        _levels("Actors", "Processes of each actor.", "nightowl_actor_processes", "instance", "short"),
    )


def _rate(metric: str) -> str:
    return f"rate({metric}[$__rate_interval])"


def _counted(metric: str) -> str:
    return or_nothing(f"sum(max without (job, instance) (increase({metric}[$__range])))")


def _faulty() -> str:
    return or_nothing("count(nightowl_role_up == 0)")


def _rates(title: str, says: str, metric: str, by: str, *, bad: bool = False) -> Panel:
    steps = ((1e-9, ORANGE), (1, RED)) if bad else ()
    return lines(title, says, {_legend(by): or_nothing(f"max by ({by}) ({_rate(metric)})")}, "ops", steps=steps)


def _levels(title: str, says: str, metric: str, by: str, unit: str = "s") -> Panel:
    return lines(title, says, {_legend(by): or_nothing(f"max by ({by}) ({metric})")}, unit)


def _legend(by: str) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
