"""Identities that may stand in a file name or on a wire."""

from __future__ import annotations

import re

MOST_CHARACTERS = 200
_ALLOWED = re.compile(r"[\w.+:#=, -]+(/[\w.+:#=, -]+)*", re.ASCII)


def identity_fault(identity: str) -> str | None:
    """Say why an identity is refused, or None if it is accepted.

    Identities of samples, measurements and commands travel into file names and device dialects,
    where a newline, ``;`` or ``@`` starts a second command and ``..`` climbs out of a folder.
    Letters, digits, blanks and ``_ . + : # = , -`` are allowed, in parts separated by ``/``.
    """
    if len(identity) > MOST_CHARACTERS:
        return f"has {len(identity)} characters; at most {MOST_CHARACTERS} are accepted"
    if not _ALLOWED.fullmatch(identity):
        return (
            f"{identity!r} holds characters that are not accepted; use letters, digits, blanks and "
            "_ . + : # = , - in parts separated by /"
        )
    if any(set(part) <= {"."} or part != part.strip() for part in identity.split("/")):
        return f"{identity!r} has a part that is a relative path or begins or ends with a blank"
    return None
