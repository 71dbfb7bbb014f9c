"""Where heavy analysis is computed, as a laboratory file says it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from instruments.hosting.security import Address
from orchestrator.errors import Fault
from orchestrator.toml_source import TomlSource


class SpreadEntry(BaseModel):
    """A Dask cluster whose processes do the agents' work.

    Attributes
    ----------
    workers : processes of a cluster on this machine; none leaves the work to the campaign.
    address : scheduler of a cluster that runs already, such as ``tcp://node-1:8786``; its
        computer must be in ``[network] allow``.
    longest : seconds that an answer may take before the campaign's own process does the work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    workers: int = Field(default=0, ge=0)
    address: str = Field(default="", pattern=r"^$|^(tcp|tls)://[^/:]+:\d+$")
    longest: float = Field(default=1800.0, gt=0)

    @property
    def is_wanted(self) -> bool:
        """Whether analysis leaves the campaign's process at all."""
        return bool(self.workers or self.address)


def spread_faults(entry: SpreadEntry, allow: Collection[str], source: TomlSource) -> list[Fault]:
    """Return what is wrong with where the cluster stands."""
    if not entry.address:
        return []
    address = Address.parse(urlsplit(entry.address).netloc)
    if address.is_loopback or address.host in allow:
        return []
    why = f"{address.host} is another computer; add it to `[network] allow`"
    return [source.fault(("spread", "address"), why)]
