"""Names of a cluster's parts in addresses: anybody with the broker makes them up, and not each can stand in a path."""

from __future__ import annotations

from unicodedata import category


def has_controls(text: str) -> bool:
    """Whether a text holds a character that ends a line (so that routes overlook it) or is not to be seen."""
    return any(category(each) == "Cc" for each in text)


def is_addressable(name: str) -> bool:
    """Whether a path with this name as its last part leads to the page of what is called so.

    Browsers take dots for a way up, and what ends with ``.json`` is where the data of a page is.
    """
    dots = any(part in (".", "..") for part in name.split("/"))
    return bool(name) and not (dots or has_controls(name) or name.endswith(".json"))


def visible(name: str) -> str:
    """Return a name with what is not to be seen in it written out: a backslash, ``x`` and the character's number."""
    return "".join(f"\\x{ord(each):02x}" if category(each) == "Cc" else each for each in name)
