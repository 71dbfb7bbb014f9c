"""Weights appear whole or not at all, and say how good they are."""

from __future__ import annotations

import pytest

from analysis import weights
from analysis.errors import WeightsNotTrained
from analysis.weights import Card


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))


CARD = Card("xrd.phases", "tiny", 0, "ab12", figures={"exact": 0.5}, sentences=("seen: nothing",))


def build(text: str = "weights") -> None:
    with weights.building("xrd.phases", "ab12") as folder:
        (folder / "data").write_text(text)
        weights.write_card(folder, CARD)


def test_missing_weights_name_the_command():
    with pytest.raises(WeightsNotTrained, match=r"sdlab train xrd\.phases"):
        weights.find("xrd.phases", "ab12", command="sdlab train xrd.phases --recipe tiny")


def test_built_weights_are_found_with_their_card():
    build()
    folder = weights.find("xrd.phases", "ab12", command="-")
    assert (folder / "data").read_text() == "weights"
    card = weights.read_card(folder)
    assert card.figures == {"exact": 0.5}
    assert "numpy" in card.versions
    assert weights.cards() == [card]


def test_a_stopped_training_leaves_nothing():
    def stopped() -> None:
        with weights.building("xrd.phases", "ab12") as folder:
            (folder / "data").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert weights.cards() == []
    assert not any(weights.folder_of("xrd.phases", "ab12").parent.iterdir())


def test_training_again_replaces():
    build("old")
    build("new")
    assert (weights.folder_of("xrd.phases", "ab12") / "data").read_text() == "new"
    assert len(list(weights.folder_of("xrd.phases", "ab12").parent.iterdir())) == 1


def test_the_digest_depends_on_content_not_on_order():
    assert weights.digest_of({"a": 1, "b": [2]}) == weights.digest_of({"b": [2], "a": 1})
    assert weights.digest_of({"a": 1}) != weights.digest_of({"a": 2})
