"""Did you mean: the known name nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, if any is.

    >>> nearest("dyk", ["dyck", "shuffle_dyck"])
    'dyck'
    """
    close = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def hint(name: str, known: Iterable[str]) -> str:
    """A help text: the nearest name, or else the few that there are.

    >>> hint("xyz", ["train", "test"])
    'there are test and train'
    """
    known = sorted(known)
    if close := nearest(name, known):
        return f'did you mean "{close}"?'
    if not known:
        return "there are none"
    few = known if len(known) <= 8 else [*known[:7], f"{len(known) - 7} more"]
    return f"there is {few[0]}" if len(few) == 1 else f"there are {', '.join(few[:-1])} and {few[-1]}"
