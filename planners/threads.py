"""One thread for small matrices: more of them only wait for one another and keep a lab PC busy."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Return surroundings in which NumPy's and SciPy's linear algebra uses one thread.

    With matrices of some hundred rows several threads cost up to twenty times the CPU of one and
    save no time; and sums in another order would change the last bits of a proposal.
    """
    surroundings: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return surroundings


@cache
def _controller() -> Any:
    # Here, since looking for the libraries takes milliseconds and only a model needs it.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
