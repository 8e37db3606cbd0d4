"""``/api/v1/clusters``: watched clusters, their workers and queues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Path, Query
from msgspec import to_builtins

from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import NotFound
from nightowl.core.values import Incident
from nightowl.web.api.cluster_models import (
    ClusterModel,
    ClusterStateModel,
    GapModel,
    QueueModel,
    WorkerModel,
)
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import IncidentModel, Moment
from nightowl.web.cluster_head import all_heads, how_it_is, known
from nightowl.web.cluster_incidents import Tally, incidents_of, tallies
from nightowl.web.handlers import Handlers

DAY = 86400.0

Name = Annotated[str, Path(max_length=200)]


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints that read."""
    api = Endpoints("/clusters", "clusters")
    clock, tasks = handlers.clock, handlers.tasks

    def state_of(cluster: str) -> ClusterState:
        return tasks.state(known(handlers, cluster)) or ClusterState(name=cluster, at=0.0, since=0.0)

    def opened() -> list[Incident]:
        with handlers.store.read() as unit:
            return unit.incidents.open()

    @api.get("", summary="All watched clusters, by name")
    def list_clusters() -> list[ClusterModel]:
        heads = all_heads(handlers.clusters(), tasks.states(), opened(), clock.now())
        return [
            ClusterModel.model_validate({**to_builtins(each), "state": each.word, "open": _counts(each.incidents)})
            for each in heads
        ]

    @api.get("/{cluster}", summary="A cluster as its watcher sees it")
    def get_cluster(cluster: Name) -> ClusterStateModel:
        found = tasks.state(known(handlers, cluster))
        incidents = incidents_of(cluster, opened())
        counted = tallies(incidents)
        word, sentence = how_it_is(found, counted, clock.now())
        seen = _without_totals(found) if found else {"name": cluster}
        shown = {"incidents": [IncidentModel.of(each) for each in incidents], "open": _counts(counted)}
        return ClusterStateModel.model_validate({**seen, **shown, "state": word, "sentence": sentence})

    @api.get("/{cluster}/workers", summary="Its workers, by name")
    def list_workers(cluster: Name) -> list[WorkerModel]:
        return [_worker(each) for each in state_of(cluster).workers]

    @api.get("/{cluster}/workers/{worker:path}", summary="One worker")
    def get_worker(cluster: Name, worker: str) -> WorkerModel:
        found = next((each for each in state_of(cluster).workers if each.name == worker), None)
        if found is None:
            raise NotFound(f"no worker of {cluster} is called {worker}")
        return _worker(found)

    @api.get("/{cluster}/queues", summary="Its queues")
    def list_queues(cluster: Name) -> list[QueueModel]:
        return [QueueModel.of(each) for each in state_of(cluster).queues]

    @api.get("/{cluster}/gaps", summary="Times in which events may have been lost")
    def list_gaps(
        cluster: Name,
        start: Annotated[Moment | None, Query(alias="from", description="A day ago without it.")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="Now without it.")] = None,
    ) -> list[GapModel]:
        until = end.timestamp() if end else clock.now()
        since = start.timestamp() if start else until - DAY
        return [GapModel.of(each) for each in tasks.gaps(known(handlers, cluster), since, until)]

    return api


def _counts(found: Iterable[Tally]) -> dict[str, int]:
    return {each.severity.value: each.count for each in found}


def _worker(worker: object) -> WorkerModel:
    seen = to_builtins(worker)
    return WorkerModel.model_validate({**seen, "totals": dict(seen.get("totals", ()))})


def _without_totals(state: ClusterState) -> dict[str, object]:
    """A state as plain data; what each worker executed by name is told of one worker at a time."""
    seen: dict[str, object] = to_builtins(state)
    workers = [{**to_builtins(each), "totals": {}, "registered": []} for each in state.workers]
    return {**seen, "workers": workers}
