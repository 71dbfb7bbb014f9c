"""What `sdlab analyze` writes: JSON, CSV and figures, file by file as insights come."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from analysis.errors import AnalysisError
from orchestrator.report.fits import fits

if TYPE_CHECKING:
    from analysis.insight import Insight


class Output:
    """Files that grow with every insight; whenever it ends, they are whole.

    Parameters
    ----------
    json_file : all insights as a JSON list; None for none.
    csv_file : a row a measurement; None for none.
    figures : folder for a picture of each fit, of where networks looked and of what an answer
        rests on, made if it is missing; None for none.
    quantities : quantity → unit, the columns of the table.

    Raises
    ------
    AnalysisError
        A folder is missing or something cannot be written.
    """

    def __init__(
        self,
        *,
        json_file: Path | None,
        csv_file: Path | None,
        figures: Path | None,
        quantities: Sequence[str],
    ) -> None:
        self._stack = ExitStack()
        self._json = self._open(json_file)
        self._csv = self._open(csv_file)
        self._figures = figures
        self._quantities = tuple(quantities)
        self._written = 0
        if figures is not None:
            figures.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Output:
        if self._json is not None:
            self._json.write("[")
        if self._csv is not None:
            csv.writer(self._csv).writerow(self._headings())
        return self

    def __exit__(self, *_: object) -> None:
        if self._json is not None:
            self._json.write("\n]\n")
        self._stack.close()

    def add(self, file: Path, insight: Insight) -> None:
        """Write one insight everywhere."""
        if self._json is not None:
            comma = "," if self._written else ""
            data = {"file": str(file), **as_data(insight)}
            self._json.write(f"{comma}\n{json.dumps(data, ensure_ascii=False)}")
            self._json.flush()
        if self._csv is not None:
            csv.writer(self._csv).writerow(self._row(file, insight))
            self._csv.flush()
        if self._figures is not None and fits(insight.evidence):
            # The id tells files of one name in different folders apart.
            technique = insight.agent.split(".")[0]
            sample = insight.measurement_ids[0].split(f"/{technique}/")[0]
            name = sample.strip("/").replace("/", "_")
            write_figures(insight, self._figures / f"{name}.png")
            if "activation" in insight.evidence:
                write_activation(insight, self._figures / f"{name}_activation.png")
            if "attribution" in insight.evidence:
                write_attribution(insight, self._figures / f"{name}_attribution.png")
        self._written += 1

    def _open(self, path: Path | None) -> TextIO | None:
        if path is None:
            return None
        check_folder(path)
        try:
            return self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        except OSError as error:
            raise AnalysisError(f"{path} cannot be written ({error.strerror})") from error

    def _headings(self) -> list[str]:
        numbers = [name for q in self._quantities for name in (q, f"{q}.std")]
        return ["file", "abstained", "p_wrong", "novelty", *numbers, "answers", "remarks"]

    def _row(self, file: Path, insight: Insight) -> list[object]:
        numbers: list[object] = []
        for quantity in self._quantities:
            found = insight.estimates.get(quantity)
            numbers += ["", ""] if found is None else [found.value, found.std]
        answers = "; ".join(
            f"{question}={max(told, key=lambda answer: told[answer])}"
            for question, told in insight.class_probabilities.items()
        )
        told = [str(file), insight.abstained, insight.p_wrong, insight.novelty]
        return [*told, *numbers, answers, " | ".join(insight.remarks)]


def as_data(insight: Insight) -> dict[str, object]:
    """Return an insight as JSON-like data, without its curves."""
    covariance = None if insight.covariance is None else insight.covariance.tolist()
    return {
        "agent": insight.agent,
        "abstained": insight.abstained,
        "estimates": {
            key: {"value": e.value, "std": e.std, "unit": e.unit}
            for key, e in insight.estimates.items()
        },
        "covariance": {"keys": list(insight.covariance_keys), "matrix": covariance},
        "class_probabilities": {k: dict(v) for k, v in insight.class_probabilities.items()},
        "p_wrong": insight.p_wrong,
        "novelty": insight.novelty,
        "quality": dict(insight.quality),
        "remarks": list(insight.remarks),
    }


def check_folder(path: Path) -> None:
    """Raise AnalysisError if the folder of a file to be written is missing."""
    if not path.parent.is_dir():
        raise AnalysisError(f"there is no folder {path.parent} for {path.name}; make it first")


def write_figures(insight: Insight, path: Path) -> None:
    """Write every fit with its difference and the reflections of its phases, .png or .svg.

    Where an agent shows several curves, the name of each goes before the ending.

    Raises
    ------
    AnalysisError
        The insight holds no fit, or a picture cannot be written.
    """
    from orchestrator.report.figures import pattern_figure

    found = fits(insight.evidence)
    if not found:
        raise AnalysisError("the agent gave no fit to draw: " + "; ".join(insight.remarks))
    ticks = {
        name.removeprefix("reflections."): curve.x
        for name, curve in insight.evidence.items()
        if name.startswith("reflections.")
    }
    for name, curve in found.items():
        own = path if len(found) == 1 else path.with_name(f"{path.stem}_{name}{path.suffix}")
        _write(own, pattern_figure(curve, format=path.suffix[1:], ticks=ticks))


def write_map(
    insights: Sequence[Insight],
    path: Path,
    *,
    quantities: Sequence[str],
    places: Sequence[int],
    columns: int | None,
) -> None:
    """Write every quantity over the files, as rows of `columns` patterns or in order.

    Raises
    ------
    AnalysisError
        Nothing was told of any file, or the picture cannot be written.
    """
    from orchestrator.report.figures import quantity_map_figure

    try:
        picture = quantity_map_figure(
            insights, quantities, places=places, columns=columns, format=path.suffix[1:]
        )
    except ValueError as error:
        raise AnalysisError(f"{path.name} was not drawn: {error}") from error
    _write(path, picture)


def write_activation(insight: Insight, path: Path) -> None:
    """Write where the networks looked for each phase that was named, .png or .svg; if any was.

    Raises
    ------
    AnalysisError
        The picture cannot be written.
    """
    from orchestrator.report.figures import activation_figure

    curve = insight.evidence["activation"]
    if len(curve.columns) > 1:
        title = ", ".join(insight.measurement_ids)
        _write(path, activation_figure(curve, format=path.suffix[1:], title=title))


def write_attribution(insight: Insight, path: Path) -> None:
    """Write what each part of what was read adds to the two most probable answers.

    The axis of the curve names the question; .png or .svg.

    Raises
    ------
    AnalysisError
        The picture cannot be written.
    """
    from orchestrator.report.figures import attribution_figure

    curve = insight.evidence["attribution"]
    technique = insight.agent.split(".")[0]
    answers = insight.class_probabilities[f"{technique}.{curve.x_name}"]
    title = ", ".join(insight.measurement_ids)
    _write(path, attribution_figure(curve, answers, format=path.suffix[1:], title=title))


def _write(path: Path, picture: bytes) -> None:
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise AnalysisError(f"{path} cannot be written ({error.strerror})") from error
