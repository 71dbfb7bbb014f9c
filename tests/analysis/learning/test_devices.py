"""Networks compute where they should, and on a processor exactly as ever."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.learning.devices import VARIABLE, best_device, device_of
from analysis.learning.embedding import embedding
from analysis.learning.fitting import Schedule, train
from analysis.learning.networks import CurveNet


def test_a_gpu_is_used_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert best_device().type == "cpu"


def test_a_device_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv(VARIABLE, "cpu")
    assert best_device().type == "cpu"


@pytest.mark.parametrize(("named", "sentence"), [("toaster", "no device"), ("cuda:1", "no GPU")])
def test_a_device_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, named: str, sentence: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(VARIABLE, named)
    with pytest.raises(ValueError, match=sentence):
        best_device()


def trained(device: torch.device | None) -> tuple[CurveNet, list[str]]:
    """Return a network after a few steps, and where its batches were seen."""
    seen: list[str] = []

    def loss(outputs: torch.Tensor, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        seen.append(batch[1].device.type)
        return ((outputs - batch[1]) ** 2).mean()

    def batches(step: int) -> tuple[torch.Tensor, ...]:
        rng = np.random.default_rng(step)
        x = torch.as_tensor(rng.normal(size=(8, 64)), dtype=torch.float32)
        return x, x[:, :2]

    torch.manual_seed(0)
    network = CurveNet(64, 2, width=4)
    train(network, batches, loss, Schedule(3, warm_up=1), device=device)
    return network, seen


def test_training_takes_the_chosen_device_and_returns_to_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.learning.fitting.best_device", lambda: torch.device("cpu"))
    network, seen = trained(None)
    assert seen == ["cpu"] * 3
    assert device_of(network).type == "cpu"
    assert not network.training


def test_weights_do_not_depend_on_how_the_processor_was_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "cpu")
    chosen, given = trained(None)[0], trained(torch.device("cpu"))[0]
    for one, other in zip(chosen.parameters(), given.parameters(), strict=True):
        assert torch.equal(one, other)


def test_outputs_come_back_to_where_the_curves_are() -> None:
    network = trained(torch.device("cpu"))[0]
    curves = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    assert network(torch.as_tensor(curves)).device.type == "cpu"
    assert embedding(network, curves).shape == (5, 256)
