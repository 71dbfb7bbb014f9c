"""Measurement files for `sdlab analyze`: found, read, and checked to belong together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError, BadPattern
from instruments.errors import InstrumentError

if TYPE_CHECKING:
    from instruments.measurement import Measurement

_SAME_WAVELENGTH = 0.005
"""Relative difference up to which two wavelengths are one instrument's (Kα1, their mean)."""


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """What was read.

    Attributes
    ----------
    good : (file, its measurement), in order.
    bad : (file, why it could not be read), in order.
    """

    good: tuple[tuple[Path, Measurement], ...]
    bad: tuple[tuple[Path, str], ...]


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files, those of a folder in natural order: ``scan_9`` before ``scan_10``.

    Of a folder, files that no reader knows by their extension are left out.

    Raises
    ------
    AnalysisError
        A folder holds no file that can be read.
    """
    from instruments.formats import READERS

    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [p for p in path.iterdir() if p.is_file() and p.suffix.lower() in READERS]
        if not inside:
            raise AnalysisError(
                f"the folder {path} holds no file of {', '.join(READERS)}; name another"
            )
        found += sorted(inside, key=natural)
    return found


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key in which numbers within a name count by their value."""
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def read_files(
    files: Sequence[Path],
    *,
    technique: str,
    wavelength: float | None,
    told: Callable[[Path], None],
) -> ReadFiles:
    """Return the measurements in files; of several, bad ones are noted and skipped.

    Measurements are named after their files, with the folder where two files share a name.

    Parameters
    ----------
    wavelength : [Å], for files that do not state it.
    told : called with each file that has been read.

    Raises
    ------
    InstrumentError, AnalysisError
        The only file is bad.
    """
    stems = [file.stem for file in files]
    good: list[tuple[Path, Measurement]] = []
    bad: list[tuple[Path, str]] = []
    for file in files:
        sample = file.stem if stems.count(file.stem) == 1 else file.as_posix()
        try:
            good.append((file, _read(file, technique, sample, wavelength)))
        except (InstrumentError, AnalysisError) as error:
            if len(files) == 1:
                raise
            bad.append((file, str(error)))
        told(file)
    return ReadFiles(tuple(good), tuple(bad))


def check_alike(read: Sequence[tuple[Path, Measurement]]) -> None:
    """Raise AnalysisError, naming a file of each kind, if axes or wavelengths differ."""
    if not read:
        return
    (first, model), *others = read
    for file, m in others:
        if (m.x_name, m.x_unit) != (model.x_name, model.x_unit):
            raise _mixed(
                f"{first.name} has {model.x_name} in {model.x_unit}",
                f"{file.name} has {m.x_name} in {m.x_unit}",
            )
        one, other = model.settings.get("wavelength"), m.settings.get("wavelength")
        if _differ(one, other):
            raise _mixed(f"{first.name} was measured at {one} Å", f"{file.name} at {other} Å")


def _differ(one: float | str | None, other: float | str | None) -> bool:
    if not (isinstance(one, float | int) and isinstance(other, float | int)):
        return False
    return abs(one - other) > _SAME_WAVELENGTH * one


def _mixed(one: str, other: str) -> AnalysisError:
    return AnalysisError(
        f"the files come from different instruments: {one}, {other}; one analysis takes files of "
        "one instrument. Analyse them apart"
    )


def _read(file: Path, technique: str, sample: str, wavelength: float | None) -> Measurement:
    from instruments.formats import read_measurement

    found = read_measurement(file, technique=technique, sample_id=sample, wavelength=wavelength)
    if found.x_name == "two_theta" and "wavelength" not in found.settings:
        raise BadPattern(
            f"{file} states no wavelength; give it in Å with --wavelength, such as "
            "--wavelength 1.5406 for Cu Kα"
        )
    return found
