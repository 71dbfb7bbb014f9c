"""Arithmetic written by a person, such as ``temperature * log(time)``, computed without `eval`.

Only numbers, names of the space, ``+ - * / **``, brackets and the functions of `FUNCTIONS` exist
here; nothing else of Python can be said, so a file that holds an expression can do no harm.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FUNCTIONS: Mapping[str, tuple[Callable[..., Array], int]] = {
    "min": (np.minimum, 2),
    "max": (np.maximum, 2),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "sqrt": (np.sqrt, 1),
    "abs": (np.abs, 1),
}
"""Name → function and number of arguments; `min` and `max` take two or more."""

OPERATORS: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}

LONGEST = 500
"""Characters of an expression."""

DEEPEST = 40
"""Brackets and operations inside one another."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes
    ----------
    text : as it was written.
    names : names of the space that it uses, in order of appearance.
    tree : its parsed form, holding nothing but allowed nodes.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr

    def values(self, table: Mapping[str, Array]) -> Array:
        """Return its value for each row of name → numbers, shape (n_rows,).

        NaN or infinity where it has no value, such as the logarithm of a negative number.
        """
        rows = len(next(iter(table.values()))) if table else 1
        with np.errstate(all="ignore"):
            return np.broadcast_to(_compute(self.tree, table), (rows,))

    def value(self, point: Mapping[str, float | str]) -> float:
        """Return its value at one point; NaN or infinity where it has none."""
        table = {n: np.array([float(point[n])]) for n in self.names}
        return float(self.values(table)[0])


def parse(text: str) -> Expression:
    """Return a parsed expression.

    A name may contain dots; any other sign in a name of the space cannot be written here.

    Raises
    ------
    ValueError
        The text is no arithmetic, or says something that is not allowed.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"the expression has {len(text)} characters, more than {LONGEST}; split it into "
            "several constraints, or register a function"
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"the expression {text!r} is no arithmetic ({error}); write it like "
            "`temperature * log(time)`"
        ) from None
    names: dict[str, None] = {}
    _check(tree, text, names, depth=0)
    if not names:
        raise ValueError(f"the expression {text!r} uses no name of the space; it never changes")
    return Expression(text=text.strip(), names=tuple(names), tree=tree)


def _check(node: ast.expr, text: str, names: dict[str, None], *, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"the expression {text!r} is nested more than {DEEPEST} deep; simplify it")
    if isinstance(node, ast.Name | ast.Attribute):
        names[_dotted(node, text)] = None
        return
    for child in _operands(node, text):
        _check(child, text, names, depth=depth + 1)


def _operands(node: ast.expr, text: str) -> list[ast.expr]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return []
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return [node.operand]
    if isinstance(node, ast.Call):
        return _arguments(node, text)
    raise _refused(node, text)


def _arguments(node: ast.Call, text: str) -> list[ast.expr]:
    known = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if known is None or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        raise _refused(node, text)
    count = known[1]
    if len(node.args) < count or (count == 1 and len(node.args) > 1):
        wanted = "one argument" if count == 1 else "two arguments or more"
        raise ValueError(
            f"the expression {text!r} gives {ast.unparse(node)} {len(node.args)} arguments; "
            f"it takes {wanted}"
        )
    return list(node.args)


def _refused(node: ast.expr, text: str) -> ValueError:
    return ValueError(
        f"the expression {text!r} contains {ast.unparse(node)!r}, which is not allowed; use "
        f"numbers, names of the space, + - * / ** and {', '.join(FUNCTIONS)}"
    )


def _dotted(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, text)}.{node.attr}"
    raise _refused(node, text)


def _compute(node: ast.expr, table: Mapping[str, Array]) -> Array:
    if isinstance(node, ast.Constant):
        return np.float64(_number(node))  # type: ignore[return-value]
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_compute(node.left, table), _compute(node.right, table))
    if isinstance(node, ast.UnaryOp):
        inner = _compute(node.operand, table)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        function, count = FUNCTIONS[node.func.id]
        arguments = [_compute(a, table) for a in node.args]
        if count == 1:
            return function(arguments[0])
        found = arguments[0]
        for other in arguments[1:]:
            found = function(found, other)
        return found
    return table[_dotted(node, "")]


def _number(node: ast.Constant) -> float:
    assert isinstance(node.value, int | float)
    try:
        return float(node.value)
    except OverflowError:
        return float("inf")
