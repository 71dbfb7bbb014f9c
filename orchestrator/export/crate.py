"""RO-Crate: a description of the exported files that people and archives can read.

RO-Crate 1.1 as in Soiland-Reyes et al., Data Science 5 (2022) 97, doi:10.3233/DS-210053. The
campaign is a CreateAction: its instruments are the software, its objects the two files that
defined it, its results everything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator.store.records import CampaignRecord

FORMATS = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".xye": "text/plain",
    ".toml": "application/toml",
}

_ACTION_STATUS = {
    "created": "PotentialActionStatus",
    "running": "ActiveActionStatus",
    "paused": "ActiveActionStatus",
    "waiting": "ActiveActionStatus",
    "interrupted": "ActiveActionStatus",
    "finished": "CompletedActionStatus",
    "stopped": "ActiveActionStatus",
    "cancelled": "FailedActionStatus",
    "failed": "FailedActionStatus",
}

NO_LICENCE = "The owner of these data has not stated a licence; ask before using them."


@dataclass(frozen=True, slots=True)
class CrateFile:
    """A file of the crate.

    Attributes
    ----------
    path : relative to the crate's folder.
    defines : the file defined the campaign; the others resulted from it.
    """

    path: Path
    title: str
    defines: bool = False


def write_crate(
    record: CampaignRecord,
    folder: Path,
    files: list[CrateFile],
    *,
    outcomes: Mapping[str, str],
    archive: Path | None = None,
) -> Path:
    """Describe the files of a folder in its ``ro-crate-metadata.json``; return that file.

    Parameters
    ----------
    outcomes : quantity the campaign optimised or constrained → unit.
    archive : pack everything as this zip file as well, and return it instead.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name = f"Campaign {record.name} ({record.id})"
    crate.description = record.config.get("description") or (
        f"Self-driving laboratory campaign {record.name}, "
        f"{'on a simulated laboratory' if record.dry_run else 'on the laboratory'}"
    )
    crate.datePublished = record.updated
    crate.license = NO_LICENCE
    crate.keywords = "self-driving laboratory, materials chemistry"
    crate.root_dataset["variableMeasured"] = [
        _value(crate, f"#outcome-{quote(name)}", name, None, unit)
        for name, unit in outcomes.items()
    ]
    added = {file: _file(crate, folder, file) for file in files}
    _action(crate, record, added)
    if archive is not None:
        crate.write_zip(archive)
        return archive
    crate.metadata.write(folder)
    return folder / "ro-crate-metadata.json"


def _file(crate: Any, folder: Path, file: CrateFile) -> Any:
    source = folder / file.path
    properties = {
        "name": file.title,
        "encodingFormat": FORMATS[file.path.suffix],
        "contentSize": str(source.stat().st_size),
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    return crate.add_file(source, dest_path=file.path, properties=properties)


def _action(crate: Any, record: CampaignRecord, files: Mapping[CrateFile, Any]) -> None:
    properties: dict[str, Any] = {
        "name": f"Campaign {record.name}",
        "description": record.message,
        "startTime": record.created.isoformat(),
        "actionStatus": f"http://schema.org/{_ACTION_STATUS[record.status]}",
    }
    if record.status in ("finished", "stopped", "failed"):
        properties["endTime"] = record.updated.isoformat()
    action = crate.add_action(
        _software(crate, record.versions),
        identifier=f"#campaign-{record.id}",
        object=[entity for file, entity in files.items() if file.defines],
        result=[entity for file, entity in files.items() if not file.defines],
        properties=properties,
    )
    action["additionalProperty"] = [
        _value(crate, "#seed", "seed of everything random", record.seed, ""),
        _value(crate, "#simulated", "simulated laboratory", record.dry_run, ""),
        _value(crate, "#status", "status of the campaign", record.status, ""),
        _value(crate, "#platform", "operating system", record.versions.get("platform"), ""),
    ]
    crate.root_dataset["mentions"] = [action]


def _software(crate: Any, versions: Mapping[str, str]) -> list[Any]:
    from rocrate.model.contextentity import ContextEntity

    return [
        crate.add(
            ContextEntity(
                crate,
                f"#software-{name}",
                properties={
                    "@type": "SoftwareApplication",
                    "name": name,
                    "softwareVersion": version,
                },
            )
        )
        for name, version in versions.items()
        if name != "platform"
    ]


def _value(crate: Any, identifier: str, name: str, value: Any, unit: str) -> Any:
    from rocrate.model.contextentity import ContextEntity

    properties = {"@type": "PropertyValue", "name": name}
    properties |= {} if value is None else {"value": value}
    properties |= {"unitText": unit} if unit else {}
    return crate.add(ContextEntity(crate, identifier, properties=properties))
