"""A diffraction pattern, written as each of the formats write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from instruments.measurement import FloatArray

FORMATS = (".xy", ".xye", ".xrdml", ".chi", ".dat", ".csv", ".fxye")

_XRDML = """<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/2.3" status="Completed">
  <xrdMeasurement measurementType="Scan" status="Completed">
    <usedWavelength intended="K-Alpha 1">
      <kAlpha1 unit="Angstrom">1.5405980</kAlpha1>
      <kAlpha2 unit="Angstrom">1.5444260</kAlpha2>
      <ratioKAlpha2KAlpha1>0.5000</ratioKAlpha2KAlpha1>
    </usedWavelength>
    <incidentBeamPath><xRayTube><anodeMaterial>Cu</anodeMaterial></xRayTube></incidentBeamPath>
    <scan status="Completed" scanAxis="Gonio">
      <header>
        <startTimeStamp>2024-01-01T00:00:00</startTimeStamp>
        <endTimeStamp>2024-01-01T00:02:05+00:00</endTimeStamp>
      </header>
      <dataPoints>
        <positions axis="2Theta" unit="deg">
          <startPosition>{first}</startPosition><endPosition>{last}</endPosition>
        </positions>
        <commonCountingTime unit="seconds">10.965</commonCountingTime>
        <counts unit="counts">{counts}</counts>
      </dataPoints>
    </scan>
  </xrdMeasurement>
</xrdMeasurements>
"""


def pattern() -> tuple[FloatArray, FloatArray]:
    """Return 2θ [deg] and counts of one peak on a background, (91,) each."""
    two_theta = np.round(np.arange(91) * 0.02 + 10.0, 2)
    expected = 200.0 + 900.0 * np.exp(-0.5 * ((two_theta - 10.9) / 0.08) ** 2)
    return two_theta, np.random.default_rng(0).poisson(expected).astype(float)


def write(path: Path, x: FloatArray, y: FloatArray, sigma: FloatArray | None = None) -> Path:
    """Write a pattern in the format of the extension and return the path."""
    path.write_text(as_text(path.suffix, x, y, sigma))
    return path


def as_text(extension: str, x: FloatArray, y: FloatArray, sigma: FloatArray | None = None) -> str:
    """Return the content of a pattern's file."""
    sigma = np.sqrt(np.maximum(y, 1.0)) if sigma is None else sigma
    rows = list(zip(x.tolist(), y.tolist(), sigma.tolist(), strict=True))
    if extension == ".xy":
        return "# 2theta counts\n" + "".join(f"{a!r} {b!r}\n" for a, b, _ in rows)
    if extension == ".xye":
        return "".join(f"{a!r} {b!r} {c!r}\n" for a, b, c in rows)
    if extension == ".chi":
        head = f"tio2.tif\n2-Theta Angle (Degrees)\nIntensity\n       {len(rows)}\n"
        return head + "".join(f"  {a:.7E}  {b:.7E}\n" for a, b, _ in rows)
    if extension == ".dat":
        head = "Sample: anatase\nMeasured by night\n2theta counts sigma\n"
        return head + "".join(f"{a!r}\t{b!r}\t{c!r}\n" for a, b, c in rows)
    if extension == ".csv":
        head = "two_theta (deg),counts,sigma\n"
        return head + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows)
    if extension == ".fxye":
        head = f"title\nBANK 1 {len(rows)} {len(rows)} CONS 1000.0 2.0 0 0 FXYE\n"
        return head + "".join(f" {100 * a:.6f} {b:.6f} {c:.6f}\n" for a, b, c in rows)
    counts = " ".join(f"{b:.0f}" for b in y)
    return _XRDML.format(first=x[0], last=x[-1], counts=counts)
