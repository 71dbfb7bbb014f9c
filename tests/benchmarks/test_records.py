"""Records of benchmarks survive a run that was killed in the middle of a line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from planning.paired import add_record, read_records


@pytest.mark.parametrize("torn", ['{"seed":1,"found":{"a":2}', '{"seed":1', "{"])
def test_a_torn_line_costs_its_own_record_and_no_other(
    tmp_path: Path, torn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "records.jsonl"
    add_record(path, {"seed": 0})
    with path.open("a") as file:
        file.write(torn)
    add_record(path, {"seed": 2})
    assert read_records(path) == [{"seed": 0}, {"seed": 2}]
    assert "line 2" in capsys.readouterr().err


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert read_records(None) == []
    assert read_records(tmp_path / "none.jsonl") == []
    add_record(None, {"seed": 0})
