"""``/api/v1/clusters/NAME/tasks``: what is done to tasks, one or many. Whatever is done is in the audit."""

from __future__ import annotations

from nightowl.core.cluster.person import Many
from nightowl.web.api.asking import Commanding
from nightowl.web.api.command_models import (
    AbortedModel,
    AnswerModel,
    ManyModel,
    RetryManyBody,
    RevokeBody,
    RevokeManyBody,
    SentModel,
)
from nightowl.web.api.commands import Name, told
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints that act on tasks; many first, as ``revoke`` and ``retry`` are no ids."""
    api = Endpoints("/clusters/{cluster}", "commands")

    @api.post("/tasks/revoke", summary="Revoke all tasks of a filter that have not ended")
    def revoke_many(cluster: Name, asked: RevokeManyBody, by: Commanding) -> ManyModel:
        done = handlers.remote(cluster).revoke_many(
            by,
            asked.filter.wanted(),
            confirmed=asked.confirmed,
            terminate=asked.terminate,
            signal=asked.signal,
        )
        return _many(done)

    @api.post("/tasks/retry", summary="Send all tasks of a filter again that have failed")
    def retry_many(cluster: Name, asked: RetryManyBody, by: Commanding) -> ManyModel:
        return _many(handlers.remote(cluster).retry_many(by, asked.filter.wanted(), confirmed=asked.confirmed))

    @api.post("/tasks/{uuid:path}/revoke", summary="Revoke a task, or end it while it runs")
    def revoke(cluster: Name, uuid: str, by: Commanding, asked: RevokeBody | None = None) -> list[AnswerModel]:
        wanted = asked or RevokeBody()
        ending = {"terminate": True, "signal": wanted.signal} if wanted.terminate else {}
        answers = handlers.remote(cluster).command(
            by,
            "revoke",
            {"ids": [uuid], **ending},
            confirmed=wanted.confirmed,
            timeout=wanted.timeout,
        )
        return told(handlers, cluster, answers)

    @api.post("/tasks/{uuid:path}/retry", status_code=202, summary="Send a task again with its arguments")
    def retry(cluster: Name, uuid: str, by: Commanding) -> SentModel:
        return SentModel(uuid=handlers.remote(cluster).retry(by, uuid))

    @api.post("/tasks/{uuid:path}/abort", status_code=202, summary="Ask an abortable task to end by itself")
    def abort(cluster: Name, uuid: str, by: Commanding) -> AbortedModel:
        handlers.remote(cluster).abort(by, uuid)
        return AbortedModel(uuid=uuid)

    return api


def _many(done: Many) -> ManyModel:
    return ManyModel(done=done.done, refused=done.refused)
