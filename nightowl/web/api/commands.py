"""``/api/v1/clusters/NAME``: what is done to a cluster. Whatever changes something is in the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from nightowl.core.cluster.answers import shown
from nightowl.core.cluster.command import Answer
from nightowl.web.api.asking import Commanding
from nightowl.web.api.command_models import (
    AnswerModel,
    CommandBody,
    ConfirmBody,
    DeletedModel,
    SendBody,
    SentModel,
)
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers

Name = Annotated[str, Path(max_length=200)]


def told(handlers: Handlers, cluster: str, answers: list[Answer]) -> list[AnswerModel]:
    """What workers answered, without what is redacted in this cluster."""
    return [AnswerModel.of(each) for each in shown(answers, handlers.clusters()[cluster])]


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints that act."""
    api = Endpoints("/clusters/{cluster}", "commands")

    @api.post("/commands", summary="Send a command to workers, and give their answers")
    def command(cluster: Name, asked: CommandBody, by: Commanding) -> list[AnswerModel]:
        answers = handlers.remote(cluster).command(
            by,
            asked.command,
            asked.arguments,
            asked.workers,
            confirmed=asked.confirmed,
            timeout=asked.timeout,
        )
        return told(handlers, cluster, answers)

    @api.post("/queues/{queue:path}/purge", summary="Delete what waits in a queue")
    def purge(cluster: Name, queue: str, by: Commanding, asked: ConfirmBody | None = None) -> DeletedModel:
        confirmed = bool(asked and asked.confirmed)
        return DeletedModel(deleted=handlers.remote(cluster).purge(by, queue, confirmed=confirmed))

    @api.post("/send", status_code=202, summary="Put a task into its queue")
    def send(cluster: Name, asked: SendBody, by: Commanding) -> SentModel:
        return SentModel(uuid=handlers.remote(cluster).send(by, asked.task, asked.args, asked.kwargs, asked.options))

    @api.post("/beat/{entry:path}/run", status_code=202, summary="Send the task of a beat entry now")
    def run(cluster: Name, entry: str, by: Commanding) -> SentModel:
        return SentModel(uuid=handlers.remote(cluster).run(by, entry))

    return api
