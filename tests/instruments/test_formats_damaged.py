"""Damaged files: an error, or every point; never a quietly shortened pattern."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from tests.instruments.pattern_files import FORMATS, as_text, pattern

TWO_THETA, COUNTS = pattern()
N_POINTS = COUNTS.size
STATES_ITS_LENGTH = (".chi", ".fxye", ".xrdml")
MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def content(extension: str) -> bytes:
    return as_text(extension, TWO_THETA, COUNTS).encode()


def points_in(path: Path, *, points: int | None = None) -> int | None:
    """Return how many points were read, None if the file was refused."""
    try:
        measurement = read_measurement(path, points=points)
    except UnreadableFile as error:
        return _named(error, path)
    assert np.all(np.isfinite(measurement.y))
    return measurement.n_points


def _named(error: UnreadableFile, path: Path) -> None:
    assert path.name in str(error)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"cut{extension}"
    whole = content(extension)

    @MANY
    @given(st.integers(0, len(whole) - 1))
    def holds(length: int) -> None:
        path.write_bytes(whole[:length])
        assert points_in(path, points=N_POINTS) in (None, N_POINTS)
        if extension in STATES_ITS_LENGTH:
            assert points_in(path) in (None, N_POINTS)

    holds()


@pytest.mark.parametrize("extension", FORMATS)
def test_foreign_bytes_are_refused_or_harmless(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"garbled{extension}"
    whole = content(extension)

    @MANY
    @given(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=6))
    def holds(position: int, foreign: bytes) -> None:
        path.write_bytes(whole[:position] + foreign + whole[position + len(foreign) :])
        found = points_in(path, points=N_POINTS)
        assert found in (None, N_POINTS)

    holds()


@pytest.mark.parametrize("extension", FORMATS)
def test_a_letter_in_the_numbers_never_drops_a_point(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"letter{extension}"
    whole = content(extension)

    @MANY
    @given(st.integers(0, len(whole) - 1), st.sampled_from(b"xOlZ?~$&<\x00\x80\xff"))
    def holds(position: int, letter: int) -> None:
        path.write_bytes(whole[:position] + bytes([letter]) + whole[position + 1 :])
        found = points_in(path)
        assert found is None or found >= N_POINTS

    holds()


@pytest.mark.parametrize("extension", FORMATS)
def test_a_missing_piece_in_the_middle_is_refused_or_flagged(
    tmp_path: Path, extension: str
) -> None:
    path = tmp_path / f"hole{extension}"
    whole = content(extension)

    @MANY
    @given(st.integers(0, len(whole) - 2), st.integers(1, 300))
    def holds(start: int, length: int) -> None:
        path.write_bytes(whole[:start] + whole[start + length :])
        assert points_in(path, points=N_POINTS) in (None, N_POINTS)

    holds()


@pytest.mark.parametrize("extension", FORMATS)
def test_any_bytes_at_all_raise_only_unreadable_file(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"noise{extension}"

    @MANY
    @given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
    def holds(noise: bytes) -> None:
        path.write_bytes(noise)
        assert points_in(path) is None

    holds()
