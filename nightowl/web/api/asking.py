"""What endpoints learn from a request besides its parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from nightowl.core.cluster.person import Person
from nightowl.core.values import Author
from nightowl.web.visitor import Visitor


def _author(request: Request) -> Author:
    author: Author = request.state.author
    return author


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def _person(request: Request) -> Person:
    return Person(request.state.author, request.state.visitor.role)


Asking = Annotated[Author, Depends(_author)]
"""Who asks, as who makes a change."""

Asker = Annotated[Visitor, Depends(_visitor)]
"""Who asks, with their role."""

Commanding = Annotated[Person, Depends(_person)]
"""Who asks for something to be done to a cluster."""
