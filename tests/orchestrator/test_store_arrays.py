"""Arrays are files that cannot change unnoticed."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from orchestrator.errors import StoreCorrupt, StoreError, StoreFull
from orchestrator.store.arrays import ArrayFiles, content_hash
from tests.orchestrator import histories


@pytest.fixture
def files(tmp_path: Path) -> ArrayFiles:
    return ArrayFiles(tmp_path)


@given(
    st.sampled_from(["<f8", "<f4", ">f8", "<i8", "|u1", "<c16"]).flatmap(
        lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    st.booleans(),
)
def test_any_array_comes_back(tmp_path_factory, array: np.ndarray, durable: bool) -> None:
    files = ArrayFiles(tmp_path_factory.getbasetemp() / "any")
    found = files.read(files.write(array, durable=durable))
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


def test_the_name_depends_on_type_shape_and_values_alone() -> None:
    array = np.arange(6.0)
    assert content_hash(array) == content_hash(array.copy())
    assert content_hash(np.arange(12.0)[::2]) == content_hash(np.arange(12.0)[::2].copy())
    others = [array.astype(int), array.reshape(2, 3), array + 1e-12, array.astype("f4")]
    assert len({content_hash(each) for each in [array, *others]}) == 5


def test_the_known_hash_of_a_known_array_stays() -> None:
    """A history written today must be readable for ever."""
    assert content_hash(np.array([1.0, 2.0], "<f8")) == (
        "78706631777ba60bfcccef2bc588d8948743cb25f0b222772c1e4029396e425e"
    )


def test_the_same_array_is_one_file(files: ArrayFiles) -> None:
    names = {files.write(np.arange(9.0), durable=False) for _ in range(3)}
    (file,) = [path for path in files.folder.rglob("*") if path.is_file()]
    assert names == {file.stem}
    assert file == files.folder / file.stem[:2] / f"{file.stem}.npy"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x01"),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no array"),
        lambda path: path.unlink(),
        lambda path: np.save(path, np.arange(8.0)),
    ],
    ids=["one bit", "truncated", "empty", "text", "missing", "another array"],
)
def test_a_damaged_array_is_named(files: ArrayFiles, damage) -> None:
    name = files.write(np.arange(9.0), durable=True)
    damage(files.path(name))
    with pytest.raises(StoreCorrupt, match=name):
        files.read(name)


def test_a_file_emptied_by_a_power_cut_is_written_again(files: ArrayFiles) -> None:
    name = files.write(np.arange(9.0), durable=False)
    files.path(name).write_bytes(b"")
    files.write(np.arange(9.0), durable=True)
    assert files.read(name).tolist() == list(range(9))


def test_a_damaged_array_leaves_the_rest_of_the_history_readable(tmp_path: Path) -> None:
    with histories.open_store(tmp_path) as store:
        store.create_campaign(histories.campaign("c"))
        for number in (0, 1):
            histories.record_experiment(store, "c", number)
        counts = histories.measurement("c", 0).y
        file = ArrayFiles(tmp_path / "arrays").path(content_hash(counts))
        file.write_bytes(file.read_bytes()[:-8] + bytes(8))
        with pytest.raises(StoreCorrupt, match=str(file)):
            store.measurement("c/0/xrd/0")
        assert store.measurement("c/1/xrd/0").n_points == 200
        assert len(store.experiments("c")) == 2


@contextmanager
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 10 kB, as the system would refuse on a full disk.

    The limit holds for the whole process, so only the write under test may stand inside: a test
    runner whose output goes to a longer file would be hit as well.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_array_without_room_leaves_nothing_behind(files: ArrayFiles) -> None:
    files.write(np.arange(9.0), durable=True)
    with small_disk(), pytest.raises(StoreFull, match="make room"):
        files.write(np.arange(9_000.0), durable=True)
    assert len([path for path in files.folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_while_syncing_is_a_full_store(
    files: ArrayFiles, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match=os.strerror(code)):
        files.write(np.arange(9.0), durable=True)
    assert [path for path in files.folder.rglob("*") if path.is_file()] == []


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "arrays").write_text("")
    with pytest.raises(StoreError, match="check the folder"):
        ArrayFiles(tmp_path / "arrays").write(np.arange(3.0), durable=False)


def test_python_objects_are_no_array(files: ArrayFiles) -> None:
    with pytest.raises(StoreError, match="Python objects"):
        files.write(np.array([object()]), durable=False)
