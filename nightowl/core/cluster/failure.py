"""What a failure was and where it happened, from the texts that events carry.

An event has the exception's ``repr`` and the traceback's text. Most reprs name the class before a parenthesis. Some do
not: a lost pool process or a hard time limit says ``ExceptionWithTraceback()``, ``Reject`` says ``reject
requeue=False: why``, and classes with a repr of their own say anything. There the traceback's last line tells.
"""

from __future__ import annotations

import re

UNKNOWN = "UnknownException"
"""What celery-exporter calls a class that the event does not tell."""

REJECT = "Reject"
REJECTS = frozenset({REJECT, f"celery.exceptions.{REJECT}"})
"""What Celery's own exception is called; a class of the same name from elsewhere is another."""

HARD_LIMIT = "TimeLimitExceeded"

_LONGEST = 200
_CALL = re.compile(r"<?([A-Za-z_][\w.]*)\(")
_OBJECT = re.compile(r"<?([A-Za-z_][\w.]*)(?:$|>|: | object at )")
_LAST_LINE = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")
_FRAME = re.compile(r'  File "([^"\n]+)", line (\d+), in (.+)')
_FILE = '  File "'
_FOREIGN = re.compile(r"[/\\](?:site-packages|dist-packages)[/\\]|[/\\]celery[/\\]|[/\\]billiard[/\\]|[/\\]kombu[/\\]")
_CELERYS = re.compile(
    r"[/\\](?:site|dist)-packages[/\\](?:celery|billiard|kombu)[/\\]"
    r"|[/\\]celery[/\\](?:app|worker)[/\\]\w+\.py$|[/\\]billiard[/\\]\w+\.py$"
)
"""Celery's own files, also where it is not installed as a package. A project may have a folder of this name, too."""
_NOT_REGISTERED = re.compile(r"""NotRegistered\((['"])(.+)\1\)$""")
_HEAD = "Traceback (most recent call last):"
_WRAPPERS = frozenset({"ExceptionWithTraceback", "ExceptionInfo"})


def exception_class(said: str | None, traceback: str | None) -> str:
    """Name the class as the code does, dotted where that is known (``requests.exceptions.Timeout``).

    The class is the word before the parenthesis of the repr; the traceback's last line gives the module to it, as reprs
    seldom have one, and classes with a repr of their own may have another. Where the repr names none, that line does.
    ``UnknownException`` where neither does.
    """
    said = said or ""
    if said.startswith("reject requeue="):
        return REJECT
    call = _CALL.match(said)
    named = call[1] if call and call[1] not in _WRAPPERS else ""
    raised = _raised(traceback) if traceback else ""
    if named:
        return (raised if bare(raised) == bare(named) else named)[-_LONGEST:]
    if raised:
        return raised[-_LONGEST:]
    other = _OBJECT.match(said)
    return other[1][-_LONGEST:] if other and other[1] not in _WRAPPERS else UNKNOWN


def told(said: str | None, traceback: str | None) -> str | None:
    """Return the text of an exception: its repr, or what the traceback's last line says where that is a wrapper's."""
    call = _CALL.match(said or "")
    line = _last_line(traceback) if traceback and call and call[1] in _WRAPPERS else ""
    return line.partition(": ")[2] or line or said


def bare(exception: str) -> str:
    """Return a class without its module, which is what dashboards made for celery-exporter group by.

    The same class comes with its module in one repr and without in the next; the bare word puts both in one series.
    """
    return exception.rpartition(".")[2] or exception


def place(traceback: str | None) -> str:
    """Return where it was raised, as ``shop/tasks.py:31 in charge``; empty where the text has only frames of Celery.

    That is the last frame of the traceback's own code, which is none of an installed package or of Celery; where there
    is none the last frame of a package, as tasks may be installed, too. Celery itself calls tasks with wrong arguments
    and tells of processes that were lost: its files are no place where anybody would look for a mistake. Of the file,
    the last two parts stand.
    """
    text = traceback or ""
    end, first, last = len(text), max(0, text.rfind(_HEAD)), ""
    while (begin := text.rfind(_FILE, first, end)) >= 0:
        end = begin
        frame = _FRAME.match(text, begin)
        if frame and not _FOREIGN.search(frame[1]):
            return _short(frame)
        if frame and not last and not _CELERYS.search(frame[1]):
            last = _short(frame)
    return last


def _short(frame: re.Match[str]) -> str:
    file, line, function = frame.groups()
    parts = file.replace("\\", "/").split("/")
    return f"{'/'.join(parts[-2:])}:{line} in {function}"[:_LONGEST]


def unregistered(said: str | None) -> str:
    """Return the name of the task that a worker did not know; empty where that was not the failure."""
    found = _NOT_REGISTERED.match(said or "")
    return found[2] if found else ""


def _raised(traceback: str) -> str:
    """Return the class that the last line names."""
    found = _LAST_LINE.match(_last_line(traceback))
    return found[1] if found else ""


def _last_line(traceback: str) -> str:
    """Return the first line that is not indented, behind the last frame of the text."""
    lines = traceback[max(0, traceback.rfind(_HEAD), traceback.rfind(_FILE)) :].splitlines()
    return next((line for line in lines if line and not line[0].isspace() and line != _HEAD), "")
