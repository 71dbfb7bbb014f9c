"""Reader of PANalytical ``.xrdml``, versions 1.x and 2.x, on the standard library's parser.

External entities are never resolved, and a file that declares any entity is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import numpy as np

from instruments.formats.columns import is_number
from instruments.formats.curve import Curve
from instruments.formats.headers import checked_wavelength
from instruments.formats.source import Source
from instruments.measurement import FloatArray

_WAVELENGTHS = {
    "kAlpha1": "wavelength",
    "kAlpha2": "wavelength_k_alpha2",
    "kBeta": "wavelength_k_beta",
}


def read_xrdml(source: Source) -> Curve:
    """Return the one scan of an ``.xrdml`` file.

    The axis is 2θ, from its ends and the number of counts, or as listed. Version 2 writes
    ``counts``, version 1 ``intensities``; intensities in counts per second stay so, with the
    standard deviation of the counts behind them.

    Raises
    ------
    UnreadableFile
        It is no complete XML, holds no scan or several, or a part of the scan is missing.

    Notes
    -----
    Not modelled: beam attenuation factors (their presence is flagged ``attenuated``), scans of
    other axes than 2θ, area and texture measurements.
    """
    root = _parsed(source)
    scans = [element for element in root.iter() if element.tag == "scan"]
    if len(scans) != 1:
        raise source.unreadable(
            f"holds {len(scans)} scans; exactly one was expected. Export them one by one"
        )
    scan = scans[0]
    points = _child(source, scan, "dataPoints")
    y, per_second = _signal(source, points)
    settings = _settings(source, root, scan, points)
    flags: tuple[str, ...] = (
        () if scan.get("status", "Completed") == "Completed" else ("scan_not_completed",)
    )
    if points.find("beamAttenuationFactors") is not None:
        flags += ("attenuated",)
    return Curve(
        x=_two_theta(source, points, y.size),
        y=y,
        x_name="two_theta",
        x_unit="deg",
        y_unit="counts/s" if per_second else "counts",
        counting=True,
        settings=settings,
        flags=flags,
        started=_time(source, scan, "startTimeStamp"),
        finished=_time(source, scan, "endTimeStamp"),
    )


def _parsed(source: Source) -> ET.Element:
    if b"<!ENTITY" in source.content or b"<!DOCTYPE" in source.content:
        raise source.unreadable("declares XML entities; a plain .xrdml file declares none")
    source.text()
    try:
        root = ET.fromstring(source.content)  # noqa: S314  entities were refused above
    except (ET.ParseError, LookupError, ValueError) as error:
        raise source.unreadable(f"is no complete XML: {error}; copy it again") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    if root.tag != "xrdMeasurements":
        raise source.unreadable(f"begins with <{root.tag}>; <xrdMeasurements> was expected")
    return root


def _child(source: Source, parent: ET.Element, name: str) -> ET.Element:
    child = parent.find(name)
    if child is None:
        raise source.unreadable(f"has no <{name}> in its <{parent.tag}>; it is incomplete")
    return child


def _numbers(source: Source, element: ET.Element) -> FloatArray:
    cells = (element.text or "").split()
    for position, cell in enumerate(cells):
        if not is_number(cell):
            raise source.unreadable(
                f"has {cell[:40]!a} as value {position + 1} of its <{element.tag}>; a finite "
                "number was expected"
            )
    return np.array(cells, dtype=np.float64)


def _signal(source: Source, points: ET.Element) -> tuple[FloatArray, bool]:
    for name in ("counts", "intensities"):
        element = points.find(name)
        if element is not None:
            unit = element.get("unit", "counts").lower()
            if unit not in ("counts", "cps"):
                raise source.unreadable(f"gives {name} in {unit!a}; counts or cps were expected")
            return _numbers(source, element), unit == "cps"
    raise source.unreadable("has neither <counts> nor <intensities>; it is incomplete")


def _two_theta(source: Source, points: ET.Element, n_points: int) -> FloatArray:
    for positions in points.findall("positions"):
        if positions.get("axis") != "2Theta":
            continue
        listed = positions.find("listPositions")
        if listed is not None:
            x = _numbers(source, listed)
            if x.size != n_points:
                raise source.unreadable(f"lists {x.size} positions for {n_points} counts")
            return x
        ends = [
            _one(source, _child(source, positions, f"{end}Position")) for end in ("start", "end")
        ]
        return np.linspace(ends[0], ends[1], n_points)
    raise source.unreadable('has no <positions axis="2Theta">; a scan of 2θ was expected')


def _one(source: Source, element: ET.Element) -> float:
    values = _numbers(source, element)
    if values.size != 1:
        raise source.unreadable(f"has {values.size} numbers in <{element.tag}>; one was expected")
    return float(values[0])


def _settings(
    source: Source, root: ET.Element, scan: ET.Element, points: ET.Element
) -> dict[str, float | str]:
    settings: dict[str, float | str] = {}
    used = root.find("xrdMeasurement/usedWavelength")
    for tag, name in _WAVELENGTHS.items() if used is not None else ():
        element = used.find(tag) if used is not None else None
        if element is not None and (element.text or "").strip():
            settings[name] = checked_wavelength(source, (element.text or "").strip())
    ratio = root.find("xrdMeasurement/usedWavelength/ratioKAlpha2KAlpha1")
    if ratio is not None:
        settings["k_alpha_ratio"] = _one(source, ratio)
    anode = root.find(".//anodeMaterial")
    if anode is not None and anode.text:
        settings["anode"] = anode.text.strip()
    if scan.get("scanAxis"):
        settings["scan_axis"] = str(scan.get("scanAxis"))
    common = points.find("commonCountingTime")
    if common is not None:
        settings["counting_time"] = _one(source, common)
    return settings


def _time(source: Source, scan: ET.Element, name: str) -> datetime | None:
    """Return a time stamp; without a time zone it is taken as UTC."""
    element = scan.find(f"header/{name}")
    if element is None or not element.text:
        return None
    try:
        time = datetime.fromisoformat(element.text.strip())
    except ValueError as error:
        raise source.unreadable(
            f"has {element.text[:40]!a} as <{name}>; a time was expected"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
