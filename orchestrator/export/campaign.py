"""A whole campaign written to a folder."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import CampaignError, StoreCorrupt
from orchestrator.export.crate import CrateFile, write_crate
from orchestrator.export.curves import file_stem, write_evidence, write_measurement
from orchestrator.export.table import Exported
from orchestrator.export.tables import tables
from orchestrator.store.records import CampaignRecord, Experiment

if TYPE_CHECKING:
    from orchestrator.store import Store

logger = logging.getLogger(__name__)


def export_campaign(
    store: Store,
    campaign_id: str,
    folder: Path,
    *,
    zipped: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write a campaign as tables, patterns and an RO-Crate; return the files.

    The folder then holds ``experiments``, ``estimates``, ``class_probabilities``, ``insights``,
    ``readings`` and ``handovers`` as ``.csv`` and ``.parquet``, ``columns.csv`` with the meaning
    and unit of every column, ``measurements/`` and ``evidence/`` with the curves, ``campaign.toml``
    and ``laboratory.toml`` as they were used, and ``ro-crate-metadata.json``.

    Parameters
    ----------
    folder : made if need be.
    zipped : pack everything as one file beside the folder, ``<folder>.zip``, instead.
    overwrite : write although there is something; files of the same name are replaced.

    Raises
    ------
    CampaignError
        There is something already, or the place cannot be written.
    UnknownCampaign, StoreCorrupt
        There is no such campaign, or arrays of it are damaged; then all the rest is exported.
    """
    record = store.campaign(campaign_id)
    target = folder.with_name(folder.name.removesuffix(".zip") + ".zip") if zipped else folder
    _refuse_to_overwrite(target, overwrite=overwrite)
    try:
        if not zipped:
            return _write(store, record, folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            _write(store, record, Path(temporary), archive=target)
        return [target]
    except OSError as error:
        raise CampaignError(
            f"campaign {record.id} cannot be exported to {target}: {error.strerror or error}; "
            "check the folder and the room on the disk"
        ) from error


def _refuse_to_overwrite(target: Path, *, overwrite: bool) -> None:
    occupied = any(target.iterdir()) if target.is_dir() else target.exists()
    if occupied and not overwrite:
        raise CampaignError(
            f"{target} exists already and is not empty; name another place, or say that it may be "
            "overwritten"
        )


def _write(
    store: Store, record: CampaignRecord, folder: Path, *, archive: Path | None = None
) -> list[Path]:
    experiments = store.experiments(record.id)
    folder.mkdir(parents=True, exist_ok=True)
    exported = tables(record, experiments, store.custody.handovers(record.id))
    lost: list[str] = []
    files = [
        *_definitions(record, folder),
        *(file for table in exported for file in _table(table, folder)),
        *_curves(store, experiments, folder, lost),
    ]
    described = write_crate(record, folder, files, outcomes=_outcomes(exported), archive=archive)
    if lost:
        raise StoreCorrupt(
            f"{len(lost)} curves are damaged and were left out; everything else is in "
            f"{archive or folder}. " + "; ".join(lost)
        )
    logger.info("campaign exported campaign=%s files=%d", record.id, len(files))
    return [*(folder / file.path for file in files), described]


def _definitions(record: CampaignRecord, folder: Path) -> list[CrateFile]:
    texts = {"campaign.toml": record.campaign_toml, "laboratory.toml": record.laboratory_toml}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [
        CrateFile(Path("campaign.toml"), "What was sought, as it was used", defines=True),
        CrateFile(Path("laboratory.toml"), "With what it was sought, as it was used", defines=True),
    ]


def _table(table: Exported, folder: Path) -> list[CrateFile]:
    frame = table.frame()
    files = [CrateFile(Path(f"{table.name}.csv"), table.title)]
    frame.to_csv(folder / files[0].path, index=False, lineterminator="\n")
    if table.name != "columns":
        files.append(CrateFile(Path(f"{table.name}.parquet"), table.title))
        frame.to_parquet(folder / files[1].path, index=False)
    return files


def _curves(
    store: Store, experiments: list[Experiment], folder: Path, lost: list[str]
) -> list[CrateFile]:
    """Write every curve, one array at a time in memory; damaged ones are added to `lost`."""
    files = []
    stems: set[str] = set()
    for name in ("measurements", "evidence"):
        (folder / name).mkdir(exist_ok=True)
    for experiment in experiments:
        for summary in experiment.measurements:
            if summary.n_points:
                stem = _free(file_stem(experiment.number, _short(summary.id)), stems)
                try:
                    measurement = store.measurement(summary.id)
                except StoreCorrupt as error:
                    lost.append(str(error))
                    continue
                path = write_measurement(measurement, folder / "measurements" / stem)
                files.append(CrateFile(path.relative_to(folder), f"Measurement {summary.id}"))
        for said in experiment.insights:
            try:
                curves = store.insight(said.id).evidence if said.evidence else {}
            except StoreCorrupt as error:
                lost.append(str(error))
                continue
            for name, curve in curves.items():
                stem = _free(file_stem(experiment.number, f"{_short(said.id)}_{name}"), stems)
                path = write_evidence(curve, folder / "evidence" / stem)
                title = f"Evidence {name} of insight {said.id}"
                files.append(CrateFile(path.relative_to(folder), title))
    return files


def _short(name: str) -> str:
    """Return an id without the campaign and the number it begins with."""
    return name.split("/", 2)[-1]


def _free(stem: str, taken: set[str]) -> str:
    """Return the stem, numbered if it is taken, and take it."""
    count, free = 2, stem
    while free.casefold() in taken:
        free, count = f"{stem}-{count}", count + 1
    taken.add(free.casefold())
    return free


def _outcomes(exported: list[Exported]) -> dict[str, str]:
    columns = exported[0].columns
    return {
        column.name.removeprefix("outcome."): column.unit
        for column in columns
        if column.name.startswith("outcome.")
    }
