"""The instruments' own process: a host for one maker and one meter, until it is killed.

    python benchmarks/survival/oracle.py --folder DIR --port 0

Writes ``DIR/deeds.jsonl`` (what was physically done) and, once it listens, ``DIR/address``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from survival.devices import Logbook, maker, meter

from instruments.hosting.security import Address
from instruments.hosting.server import serve


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.02, help="an action takes so long")
    parser.add_argument("--fails", type=float, default=0.0, help="share of actions that fail")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    logbook = Logbook(folder / "deeds.jsonl")

    def ready(address: Address) -> None:
        partial = folder / "address.partial"
        partial.write_text(str(address))
        partial.rename(folder / "address")

    how = {"seconds": arguments.seconds, "fails": arguments.fails}
    asyncio.run(
        serve(
            [maker("maker", logbook, **how), meter("meter", logbook, **how)],
            address=f"127.0.0.1:{arguments.port}",
            log_folder=folder / "host",
            ready=ready,
        )
    )


if __name__ == "__main__":
    main()
