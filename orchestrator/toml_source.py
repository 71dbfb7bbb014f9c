"""A TOML file with the line of every key, so that each fault can name its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_toml
from pydantic import ValidationError
from tree_sitter import Language, Node, Parser

from orchestrator.errors import BadFile, Fault

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class TomlSource:
    """A parsed file.

    Attributes
    ----------
    path : where it was read from; relative paths in it start at its folder.
    data : the contents.
    lines : key path → line, counted from 1; array items are addressed by index.
    """

    path: Path
    text: str
    data: dict[str, object]
    lines: dict[KeyPath, int]

    def line(self, where: Sequence[str | int]) -> int:
        """Return the line of the deepest key on the way to `where`; 0 if there is none."""
        known = self._known(where)
        return self.lines.get(known, 0)

    def fault(self, where: Sequence[str | int], message: str) -> Fault:
        """Return a fault at a key path; path elements the file does not have are ignored."""
        known = self._known(where)
        return Fault(self.line(where), ".".join(map(str, known)), message)

    def faults(self, error: ValidationError, under: KeyPath = ()) -> list[Fault]:
        """Return a pydantic error as faults with their lines."""
        errors = error.errors()
        deeper = {e["loc"][:-1] for e in errors}
        return [
            self.fault((*under, *e["loc"]), _sentence(e))
            for e in errors
            if not (e["type"] == "too_short" and e["loc"] in deeper)
        ]

    def _known(self, where: Sequence[str | int]) -> KeyPath:
        """Drop what the file does not have, such as the tag of a union in a pydantic path."""
        known: KeyPath = ()
        for part in where:
            if (*known, part) in self.lines:
                known = (*known, part)
        return known


def read_toml(path: Path) -> TomlSource:
    """Return the file's contents with the line of every key.

    Raises
    ------
    BadFile
        The file is missing, cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = "the file does not exist; check the path, or see `sdlab examples`"
        raise BadFile(path, [Fault(0, "", message)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path, [Fault(0, "", f"the file cannot be read: {error}")]) from error
    return parse_toml(text, path)


def parse_toml(text: str, path: Path) -> TomlSource:
    """Return parsed text as if it stood at `path`. Raises BadFile if it is no TOML."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(path, [_syntax_fault(error)]) from error
    return TomlSource(path=path, text=text, data=data, lines=key_lines(text))


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line of every key and array item in valid TOML, as key path → line."""
    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    for node in tree.root_node.named_children:
        if node.type == "pair":
            _walk_pair(node, (), lines)
        elif node.type in ("table", "table_array_element"):
            header, *pairs = [n for n in node.named_children if n.type != "comment"]
            where = _resolve(_key(header), counts)
            if node.type == "table_array_element":
                index = counts.get(where, 0)
                counts[where] = index + 1
                lines.setdefault(where, header.start_point.row + 1)
                where = (*where, index)
            _note(where, header, lines)
            for pair in pairs:
                _walk_pair(pair, where, lines)
    return lines


def _resolve(key: tuple[str, ...], counts: dict[KeyPath, int]) -> KeyPath:
    """Insert the index of the present item where a key leads through an array of tables."""
    where: KeyPath = ()
    for i, part in enumerate(key):
        where = (*where, part)
        if where in counts and i < len(key) - 1:
            where = (*where, counts[where] - 1)
    return where


def _walk_pair(pair: Node, under: KeyPath, lines: dict[KeyPath, int]) -> None:
    key, value = [n for n in pair.named_children if n.type != "comment"]
    where = (*under, *_key(key))
    _note(where, key, lines)
    _walk_value(value, where, lines)


def _walk_value(value: Node, where: KeyPath, lines: dict[KeyPath, int]) -> None:
    children = [n for n in value.named_children if n.type != "comment"]
    if value.type == "inline_table":
        for pair in children:
            _walk_pair(pair, where, lines)
    elif value.type == "array":
        for i, item in enumerate(children):
            _note((*where, i), item, lines)
            _walk_value(item, (*where, i), lines)


def _note(where: KeyPath, node: Node, lines: dict[KeyPath, int]) -> None:
    for depth in range(1, len(where) + 1):
        lines.setdefault(where[:depth], node.start_point.row + 1)


def _key(node: Node) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key(child))
    text = (node.text or b"").decode()
    if node.type == "quoted_key":
        return (str(next(iter(tomllib.loads(f"{text} = 1")))),)
    return (text,)


def _syntax_fault(error: tomllib.TOMLDecodeError) -> Fault:
    text = str(error)
    _, _, tail = text.partition("(at line ")
    digits = tail.split(",")[0]
    line = int(digits) if digits.isdigit() else 0
    return Fault(line, "", f"this is no TOML: {text}")


def _sentence(error: object) -> str:
    """Return pydantic's words as a sentence for a chemist."""
    assert isinstance(error, dict)
    kind, message = error["type"], str(error["msg"])
    if kind == "missing":
        return f"the key {str(error['loc'][-1])!r} is missing"
    if kind == "extra_forbidden":
        return "is no key that is known here; look for a misspelling"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    found = error.get("input")
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool) else ""
    return message[:1].lower() + message[1:] + shown


def all_faults(groups: Iterable[Iterable[Fault]]) -> list[Fault]:
    """Return the faults of several checks as one list without repeats, by line."""
    return sorted({fault for group in groups for fault in group})
