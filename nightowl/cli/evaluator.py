"""``nightowl evaluator``: the role that evaluates rules on sources."""

from __future__ import annotations

import click

from nightowl.cli.listen import listen_option, listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.cli.starting import COMMON, refuse_memory, tell_start
from nightowl.roles.evaluator import EvaluatorRole
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation


@click.command()
@config_option
@listen_option
@log_option
def evaluator(path: str, listen: str, style: str) -> None:
    """Evaluate rules on sources (Prometheus, Graphite, OpenTSDB, files) until stopped; any number may run.

    An evaluator needs the broker, the sources and [server] secret_key, by which its traffic with the director is
    sealed, and no database. It reads the rules and sources of its own configuration: give it the director's.
    """
    log_to_stderr(style)
    with errors_told():
        installation = Installation(path)
        refuse_memory(installation.current(), [COMMON])
        tell_start("evaluator", installation.current(), [COMMON], store=False)
        evaluating = EvaluatorRole(installation.current)
        roles: list[Role] = [FollowingRole(installation, defines=False), evaluating]
        roles += listeners(listen, evaluating, evaluating.figures)
    raise SystemExit(run(roles, reload=installation.reload))
