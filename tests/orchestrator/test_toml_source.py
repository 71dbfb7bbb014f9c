"""Every fault of a file is told with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign import load_campaign, parse_campaign
from orchestrator.errors import BadFile
from orchestrator.examples import FOLDER
from orchestrator.toml_source import key_lines, parse_toml, read_toml

HERE = Path("campaign.toml")

WRONG = """\
name = "x"
[[space.parameters]]
type = "continuous"
name = "T"
low = 3
high = 2
[[space.parameters]]
type = "mixture"
name = "c"
components = [
  "a",
  "b",
]
low = { d = 1 }
[objective]
targets = [ {quantity = "q", goal = "match"} ]
[budget]
experiments = 0
[[measurements]]
technique = "xrd"
[[agents]]
[foo]
x = 1
"""


def faults(text: str) -> dict[int, str]:
    with pytest.raises(BadFile) as caught:
        parse_campaign(parse_toml(text, HERE))
    return {f.line: f"{f.where}: {f.message}" for f in caught.value.faults}


def test_all_faults_are_listed_with_their_lines() -> None:
    found = faults(WRONG)
    assert set(found) == {2, 7, 16, 18, 21, 22}
    assert "low = 3" in found[2]
    assert "'d'" in found[7]
    assert "match" in found[16]
    assert "greater than or equal to 1" in found[18]
    assert "'use' is missing" in found[21]
    assert "misspelling" in found[22]


def test_a_space_without_a_point_is_refused() -> None:
    text = (FOLDER / "tio2.toml").read_text()
    lines = text.count("\n") + 1
    text += "\n[[space.constraints]]\ncoefficients = {temperature = 1}\nlower = 2000\n"
    found = faults(text)
    assert "no feasible point" in next(iter(found.values()))
    assert next(iter(found)) <= lines + 3


def test_broken_syntax_names_its_line() -> None:
    found = faults('name = "x"\nseed = = 1\n')
    assert list(found) == [2]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="does not exist"):
        read_toml(tmp_path / "no.toml")


def test_a_binary_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadFile, match="cannot be read"):
        read_toml(path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_every_key_of_the_examples_has_a_line(path: Path) -> None:
    text = path.read_text()
    lines = key_lines(text)
    rows = text.splitlines()

    def walk(value: object, where: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                assert key in rows[lines[(*where, key)] - 1]
                walk(item, (*where, key))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                assert lines[(*where, i)] >= 1
                walk(item, (*where, i))

    walk(tomllib.loads(text), ())


keys = st.text("abcxyz_-", min_size=1, max_size=6)
values = st.recursive(
    st.integers() | st.booleans() | st.text("ab c", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, min_size=1, max_size=5))
def test_no_key_is_lost(data: dict[str, object]) -> None:
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in data.items())
    lines = key_lines(text)
    for i, key in enumerate(data, start=1):
        assert lines[(key,)] == i


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_titania_example_is_read() -> None:
    campaign, source = load_campaign(FOLDER / "tio2.toml")
    assert campaign.space.names == ("temperature", "dwell", "ramp", "dopant")
    assert source.line(("budget", "experiments")) > 0
