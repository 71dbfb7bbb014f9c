"""Signs of life of whoever holds or waits for instruments: given here, heard elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime

from orchestrator.errors import StoreError
from orchestrator.store.leases import Leases

logger = logging.getLogger(__name__)


class Heartbeat:
    """Beats for this process' leases in a thread, however busy its event loop is.

    Parameters
    ----------
    every : seconds between two beats.
    """

    def __init__(self, leases: Leases, every: float) -> None:
        self._leases = leases
        self._every = every
        self._rows: set[int] = set()
        self._lock = threading.Lock()
        self._beating = False

    def add(self, row: int) -> None:
        """Begin to beat for a lease."""
        with self._lock:
            self._rows.add(row)
            if not self._beating:
                self._beating = True
                threading.Thread(target=self._beat, name="leases", daemon=True).start()

    def remove(self, row: int) -> None:
        """Beat no longer for a lease; the thread ends with the last of them."""
        with self._lock:
            self._rows.discard(row)

    def _beat(self) -> None:
        while True:
            time.sleep(self._every)
            with self._lock:
                rows = list(self._rows)
                if not rows:
                    self._beating = False
                    return
            try:
                self._leases.beat(rows)
            except StoreError as error:
                logger.warning("heartbeat of %d leases missed: %s", len(rows), error)


class Hearing:
    """Tells who has fallen silent, by our own clock: those of two machines may differ.

    Parameters
    ----------
    expiry : seconds without a new heartbeat after which somebody counts as dead.
    """

    def __init__(self, expiry: float) -> None:
        self._expiry = expiry
        self._heard: dict[int, tuple[datetime, float]] = {}

    def is_silent(self, row: int, heartbeat: datetime) -> bool:
        """Return whether we have seen no new heartbeat for longer than the expiry."""
        known = self._heard.get(row)
        if known is None or known[0] != heartbeat:
            self._heard[row] = heartbeat, time.monotonic()
            return False
        return time.monotonic() - known[1] > self._expiry
