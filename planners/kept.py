"""What is worked out from a space is kept as long as that space object lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from planners.space import SearchSpace

T = TypeVar("T")

_kept: dict[int, tuple[weakref.ref[Any], dict[str, object]]] = {}


def kept(space: SearchSpace, what: str, build: Callable[[SearchSpace], T]) -> T:
    """Return ``build(space)``, built once for each space object.

    The result must depend on the space alone. A space is told by its identity: comparing the
    contents of 20,000 candidates would cost as much as building from them.

    Parameters
    ----------
    what : name under which the result is kept; one name, one `build`.
    """
    key = id(space)
    found = _kept.get(key)
    if found is None or found[0]() is not space:
        found = (weakref.ref(space, lambda _: _kept.pop(key, None)), {})
        _kept[key] = found
    if what not in found[1]:
        found[1][what] = build(space)
    return found[1][what]  # type: ignore[return-value]
