"""Random streams that depend on what is simulated, not on when it is asked for."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *keys: str | int | float) -> np.random.Generator:
    """Return the generator that belongs to `seed` and `keys`, always the same for the same keys.

    A simulated laboratory that is killed and started again must repeat itself, so nothing random
    in it may depend on the order of calls. Numbers enter by their exact value.
    """
    text = "\x1f".join([str(seed), *(_exact(key) for key in keys)])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def command_key(command_id: str) -> str:
    """Return the part of a command id that is the same in every run of a campaign.

    Ids read ``<campaign>/<turn>/<step>/<attempt>``; the campaign's own id differs between two
    runs of the same file with the same seed, the rest does not.
    """
    _, found, rest = command_id.partition("/")
    return rest if found else command_id


def _exact(key: str | int | float) -> str:
    return float(key).hex() if isinstance(key, float) else str(key)
