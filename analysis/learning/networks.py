"""Networks over curves. Importing this file imports torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from analysis.learning.devices import device_of

KERNELS = (15, 9, 7, 5)
"""Points that each convolution looks at; every one halves the length."""


class CurveNet(nn.Module):
    """A convolutional network from one curve to several numbers.

    Four strided convolutions, one hidden layer, dropout before and after it. Channels lie next to
    each other in memory, which halves the time of training on a processor.

    Parameters
    ----------
    n_points : of a curve.
    n_outputs : numbers that come out, without a final nonlinearity.
    width : channels of the first layer; deeper ones have up to three times as many.
    dropout : share of units dropped, in training and for Monte-Carlo draws.
    """

    def __init__(self, n_points: int, n_outputs: int, *, width: int = 32, dropout: float = 0.3):
        super().__init__()
        self.width = width
        self.stride = 2 ** len(KERNELS)
        channels = (1, width, 2 * width, 3 * width, 3 * width)
        layers: list[nn.Module] = []
        for before, after, kernel in zip(channels, channels[1:], KERNELS, strict=False):
            layers += [
                nn.Conv2d(before, after, (1, kernel), stride=(1, 2), padding=(0, kernel // 2)),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(*layers)
        self.features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        length = n_points
        for kernel in KERNELS:
            length = (length + 2 * (kernel // 2) - kernel) // 2 + 1
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(length * channels[-1], 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, n_outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (n, n_outputs), of curves, (n, n_points), where the curves are."""
        return torch.as_tensor(self.head(self.seen(x)).to(x.device))

    def seen(self, x: Tensor) -> Tensor:
        """Return the last convolution's channels along the curves, (n, n_channels, 1, length).

        They are on the network's own device, wherever the curves are.
        """
        rows = x.to(device_of(self))[:, None, None, :].contiguous(memory_format=torch.channels_last)
        return torch.as_tensor(self.features(rows))


def with_dropout(network: nn.Module) -> nn.Module:
    """Return the network ready to predict, its dropout left on (Gal & Ghahramani 2016).

    arXiv:1506.02142; batch normalisation uses what it learnt.
    """
    network.eval()
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.train()
    return network
