"""The routes of a host: what may be asked of its instruments over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from instruments.clock import Clock, FasterClock
from instruments.commands import Measure, Synthesize
from instruments.errors import CommandRefused, InstrumentError
from instruments.hosting.errors import error_to_json
from instruments.hosting.guard import Guard
from instruments.hosting.security import Access
from instruments.hosting.station import Station
from instruments.hosting.wire import Json, answer_to_json

LONGEST_WAIT = 30.0
"""Most real seconds that one request waits for a command to end."""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Order(_Request):
    """A command to check, or to carry out under an id."""

    command: Synthesize | Measure = Field(discriminator="kind")


class Submission(Order):
    """A command to carry out under an id, by the holder of a token."""

    command_id: str
    token: int | None = None
    identity: str = Field(description="of the log that the client believes to speak with")


class Inquiry(_Request):
    """A question about a command, answered after at most `seconds`."""

    command_id: str
    token: int | None = None
    seconds: float = Field(default=0.0, ge=0, le=LONGEST_WAIT)


class Takeover(_Request):
    """From now on commands under `scope` come from the holder of `token`."""

    scope: str
    token: int = Field(ge=0)


class StopOrder(_Request):
    """How to stop."""

    emergency: bool = False


class UnknownInstrument(InstrumentError):
    """The host has no instrument of that name."""


class ForeignMemory(CommandRefused):
    """A command for a host that had another command log."""

    def __init__(self, instrument: str) -> None:
        why = "the host has begun another command log since this client connected"
        super().__init__(instrument, [f"{why}; connect again"])


@dataclass(frozen=True, slots=True)
class Stations:
    """The instruments of a host by name."""

    by_name: Mapping[str, Station]
    clock: Clock

    def named(self, name: str) -> Station:
        """Return one of them. Raises UnknownInstrument."""
        if name not in self.by_name:
            has = ", ".join(self.by_name)
            raise UnknownInstrument(f"this host has no instrument called {name!r}; it has {has}")
        return self.by_name[name]

    def described(self, name: str) -> Json:
        """Return what a client must know of an instrument, and of whose memory stands behind it."""
        station = self.named(name)
        return {
            "name": station.instrument.name,
            "identity": station.log.identity,
            "capabilities": station.instrument.describe().model_dump(mode="json"),
            "clock": _pace(self.clock),
        }


def _pace(clock: Clock) -> Json | None:
    """Return what a client needs to keep the same time; None is the wall clock."""
    if not isinstance(clock, FasterClock):
        return None
    return {"anchor": clock.anchor.isoformat(), "speed": clock.speed}


def application(stations: Stations, access: Access) -> Guard:
    """Return the host's application, which answers nobody without the token."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(InstrumentError, _instrument_error)
    app.add_exception_handler(RequestValidationError, _wrong_form)
    _add_describing(app, stations)
    _add_commanding(app, stations)
    _add_stopping(app, stations)
    return Guard(app, access)


def _add_describing(app: FastAPI, stations: Stations) -> None:
    @app.get("/health")
    async def health() -> Response:
        return _json({"instruments": list(stations.by_name)})

    @app.get("/instruments/{name}")
    async def describe(name: str) -> Response:
        return _json(stations.described(name))

    @app.post("/instruments/{name}/connect")
    async def connect(name: str) -> Response:
        await stations.named(name).instrument.connect()
        return _json(stations.described(name))

    @app.get("/instruments/{name}/status")
    async def status(name: str) -> Response:
        return _json(asdict(await stations.named(name).instrument.status()))

    @app.get("/instruments/{name}/read")
    async def read(name: str) -> Response:
        readings = await stations.named(name).instrument.read()
        return _json({key: [r.value, r.std, r.unit] for key, r in readings.items()})


def _add_commanding(app: FastAPI, stations: Stations) -> None:
    @app.post("/instruments/{name}/check")
    async def check(name: str, order: Order) -> Response:
        return _json(asdict(stations.named(name).instrument.check(order.command)))

    @app.post("/instruments/{name}/submit")
    async def submit(name: str, order: Submission) -> Response:
        station = stations.named(name)
        if order.identity != station.log.identity:
            raise ForeignMemory(station.instrument.name)
        begun = await station.submit(order.command_id, order.command, order.token)
        return _json({"begun": begun})

    @app.post("/instruments/{name}/wait")
    async def wait(name: str, inquiry: Inquiry) -> Response:
        station = stations.named(name)
        answer = await station.wait(inquiry.command_id, inquiry.seconds, inquiry.token)
        return _json({"answer": answer_to_json(answer), "instrument": stations.described(name)})

    @app.post("/instruments/{name}/query")
    async def query(name: str, inquiry: Inquiry) -> Response:
        answer = await stations.named(name).query(inquiry.command_id, inquiry.token)
        return _json({"answer": answer_to_json(answer), "instrument": stations.described(name)})

    @app.post("/instruments/{name}/fence")
    async def fence(name: str, takeover: Takeover) -> Response:
        await stations.named(name).fence(takeover.scope, takeover.token)
        return _json({})


def _add_stopping(app: FastAPI, stations: Stations) -> None:
    @app.post("/instruments/{name}/stop")
    async def stop(name: str, order: StopOrder) -> Response:
        result = await stations.named(name).instrument.stop(emergency=order.emergency)
        return _json({"result": result})

    @app.post("/instruments/{name}/reset")
    async def reset(name: str) -> Response:
        await stations.named(name).instrument.reset()
        return _json({})


def _json(contents: Json, status: int = 200) -> Response:
    text = json.dumps(contents, allow_nan=False)
    return Response(text, status_code=status, media_type="application/json")


async def _instrument_error(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, InstrumentError)
    status = 404 if isinstance(error, UnknownInstrument) else 409
    return _json({"error": error_to_json(error)}, status)


async def _wrong_form(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()]
    told = {"kind": "CommandRefused", "message": "; ".join(faults), "faults": faults}
    return _json({"error": told}, 422)
