"""Strategies: ways to go on after a fast scan until the time is spent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adaptive.scanners import AERIS, Scanner, seconds
from analysis.xrd.adaptive.reading import Reading
from analysis.xrd.agents.adaptive import Adaptive
from analysis.xrd.splicing import splice
from instruments.measurement import Measurement

STRIP = 10.0
"""By how much a range is extended, and how wide random segments are [deg]."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was known after some scans.

    Attributes
    ----------
    seconds : machine time so far.
    named : indices of the phases of the likeliest set.
    sure : probability of that set.
    gain : expected information of the best further scan [nats], None if none was looked for.
    presence : index → probability of each proposed phase.
    asked : low and high angle [deg] of the scan that came next, empty if none.
    """

    seconds: float
    named: tuple[int, ...]
    sure: float
    gain: float | None
    presence: dict[int, float]
    asked: tuple[float, ...] = ()


def read(agent: Adaptive, scans: list[Measurement]) -> Reading | None:
    """Return what the agent reads from scans."""
    s = agent.settings
    spliced = splice(scans, radiation=s.radiation.radiation(), least_step=s.least_step)
    return agent.reader.read(spliced, reach=s.reach)


def told(
    scans: list[Measurement],
    reading: Reading | None,
    gain: float | None = None,
    asked: tuple[float, ...] = (),
) -> Step:
    """Return what a reading says, as a record."""
    if reading is None:
        return Step(seconds(scans), (), 0.0, gain, {}, asked)
    presence = {
        i: round(float(p), 4) for i, p in zip(reading.proposed, reading.sets.presence, strict=True)
    }
    return Step(
        seconds(scans), reading.named, float(reading.sets.weights[0]), gain, presence, asked
    )


def speed_of(scan: Measurement) -> float:
    """Return the counting time over angle of a scan [s/deg]."""
    return float(scan.settings["counting_time"]) / float(np.median(np.diff(scan.x)))


def adaptive(agent: Adaptive, scanner: Scanner, first: Measurement) -> list[Step]:
    """Return what was known after each scan that the agent asked for."""
    scans, steps = [first], []
    while True:
        reading = read(agent, scans)
        segment = None if reading is None else agent.next_segment(scans, reading)
        if segment is None:
            return [*steps, told(scans, reading)]
        step = segment.counting_time / agent_step(scans, agent)
        more = scanner.scan(low=segment.low, high=segment.high, speed=step)
        steps.append(told(scans, reading, segment.gain, (segment.low, segment.high)))
        if more is None:
            return steps
        scans.append(more)


def agent_step(scans: list[Measurement], agent: Adaptive) -> float:
    """Return the width of a cell of the spliced scans [deg]."""
    s = agent.settings
    return splice(scans, radiation=s.radiation.radiation(), least_step=s.least_step).step


def uniform(agent: Adaptive, scanner: Scanner, total: float) -> Step:
    """Return what one scan of everything tells in the time of all others together."""
    width = scanner.high - scanner.low
    speed = (total - AERIS.overhead) * AERIS.channels / width
    scan = scanner.scan(low=scanner.low, high=scanner.high, speed=speed)
    assert scan is not None
    return told([scan], read(agent, [scan]))


def rescanned(agent: Adaptive, scanner: Scanner, first: Measurement, total: float) -> Step:
    """Return what is known after everything was scanned again in the time that is left."""
    width = scanner.high - scanner.low
    left = total - seconds([first]) - AERIS.overhead
    if left <= 1.0:
        return told([first], read(agent, [first]))
    again = scanner.scan(low=scanner.low, high=scanner.high, speed=left * AERIS.channels / width)
    assert again is not None
    return told([first, again], read(agent, [first, again]))


def extended(agent: Adaptive, scanner: Scanner, first: Measurement, total: float) -> Step:
    """Return what is known after the range was extended strip by strip as fast as at first."""
    speed, high = speed_of(first), float(first.x[-1])
    cost = STRIP * speed / AERIS.channels
    n = int((total - seconds([first]) - AERIS.overhead) / cost)
    end = min(high + n * STRIP, scanner.high)
    scans = [first]
    if n > 0 and end - high > 1.0:
        # One drive over all strips, as one overhead: the cheapest way to extend.
        more = scanner.scan(low=high + 0.02, high=end, speed=speed)
        assert more is not None
        scans.append(more)
    return told(scans, read(agent, scans))


def at_random(
    agent: Adaptive,
    scanner: Scanner,
    first: Measurement,
    total: float,
    *,
    rng: np.random.Generator,
) -> Step:
    """Return what is known after random segments were counted, four times as long as at first."""
    scans, speed = [first], 4.0 * speed_of(first)
    cost = AERIS.overhead + STRIP * speed / AERIS.channels
    while seconds(scans) + cost <= total:
        low = float(rng.uniform(scanner.low, scanner.high - STRIP))
        more = scanner.scan(low=low, high=low + STRIP, speed=speed)
        if more is None:
            break
        scans.append(more)
    return told(scans, read(agent, scans))
