"""Outcomes, answers and commands ⇄ JSON; every number keeps its value to the last bit."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from instruments.commands import Command, Outcome
from instruments.measurement import Measurement, Reading
from instruments.protocols import Answer
from instruments.sample import Sample

Json = dict[str, Any]
Keep = Callable[[NDArray[Any]], str]
"""Puts an array somewhere and returns the text that finds it again."""
Find = Callable[[str], NDArray[Any]]

COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


def digest(command: Command) -> str:
    """Return what two commands share exactly if their contents are equal."""
    text = json.dumps(command.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def in_text(array: NDArray[Any]) -> str:
    """Return an array as text that can travel in JSON."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return base64.b64encode(buffer.getbuffer()).decode()


def out_of_text(text: str) -> NDArray[Any]:
    """Return the array that `in_text` was given. Raises ValueError if it is none."""
    try:
        packed = base64.b64decode(text, validate=True)
        array: NDArray[Any] = np.load(io.BytesIO(packed), allow_pickle=False)
    except (binascii.Error, EOFError, ValueError) as error:
        raise ValueError(f"this is no array: {error}") from error
    return array


def outcome_to_json(outcome: Outcome, keep: Keep = in_text) -> Json:
    """Return an outcome as JSON values; its arrays go where `keep` puts them."""
    return {
        "command_id": outcome.command_id,
        "settled": outcome.settled,
        "value": _value_to_json(outcome.value, keep),
        "started": outcome.started.isoformat(),
        "finished": outcome.finished.isoformat(),
        "simulated": outcome.simulated,
        "error": outcome.error,
        "fault": outcome.fault,
        "replayed": outcome.replayed,
        "readback": _numbers(outcome.readback),
        "consumed": _numbers(outcome.consumed),
    }


def outcome_from_json(contents: Json, find: Find = out_of_text) -> Outcome:
    """Return the outcome that `outcome_to_json` was given.

    Raises
    ------
    ValueError, KeyError, TypeError
        These are not the contents of an outcome.
    """
    return Outcome(
        command_id=contents["command_id"],
        settled=contents["settled"],
        value=_value_from_json(contents["value"], find),
        started=datetime.fromisoformat(contents["started"]),
        finished=datetime.fromisoformat(contents["finished"]),
        simulated=contents["simulated"],
        error=contents["error"],
        fault=contents["fault"],
        replayed=contents["replayed"],
        readback=_restored(contents["readback"]),
        consumed=_restored(contents["consumed"]),
    )


def answer_to_json(answer: Answer) -> Json:
    """Return an answer as JSON values."""
    outcome = None if answer.outcome is None else outcome_to_json(answer.outcome)
    return {"fate": answer.fate, "outcome": outcome, "message": answer.message}


def answer_from_json(contents: Json) -> Answer:
    """Return the answer that `answer_to_json` was given."""
    packed = contents["outcome"]
    outcome = None if packed is None else outcome_from_json(packed)
    return Answer(contents["fate"], outcome, contents["message"])


def _value_to_json(value: Sample | Measurement | None, keep: Keep) -> Json | None:
    if value is None:
        return None
    if isinstance(value, Sample):
        return {"sample": value.model_dump(mode="json")}
    sigma = None if value.sigma is None else keep(value.sigma)
    plain = ("id", "sample_id", "technique", "x_name", "x_unit", "y_name", "y_unit", "instrument")
    return {
        "measurement": {
            **{name: getattr(value, name) for name in plain},
            "x": keep(value.x),
            "y": keep(value.y),
            "sigma": sigma,
            "simulated": value.simulated,
            "started": value.started.isoformat(),
            "finished": value.finished.isoformat(),
            "settings": _numbers(value.settings),
            "readings": {n: [r.value, r.std, r.unit] for n, r in value.readings.items()},
            "flags": list(value.flags),
            "source": dict(value.source),
        }
    }


def _value_from_json(contents: Json | None, find: Find) -> Sample | Measurement | None:
    if contents is None:
        return None
    if "sample" in contents:
        return Sample.model_validate(contents["sample"])
    packed = contents["measurement"]
    return Measurement(
        **{
            **packed,
            "x": find(packed["x"]),
            "y": find(packed["y"]),
            "sigma": None if packed["sigma"] is None else find(packed["sigma"]),
            "started": datetime.fromisoformat(packed["started"]),
            "finished": datetime.fromisoformat(packed["finished"]),
            "settings": _restored(packed["settings"]),
            "readings": {name: Reading(*triple) for name, triple in packed["readings"].items()},
            "flags": tuple(packed["flags"]),
        }
    )


def _numbers(values: Mapping[str, Any]) -> Json:
    """Return numbers and text for JSON, which knows neither NaN nor infinity."""
    return {
        name: {"float": repr(float(value))}
        if isinstance(value, float) and not math.isfinite(value)
        else value.item()
        if isinstance(value, np.generic)
        else value
        for name, value in values.items()
    }


def _restored(values: Json) -> Json:
    return {n: float(v["float"]) if isinstance(v, dict) else v for n, v in values.items()}
