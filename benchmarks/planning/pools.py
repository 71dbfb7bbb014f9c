"""Recorded libraries as candidate pools: what can be chosen, and what the table answers.

Rows with equal settings are one candidate; its value is the mean over them, and the single values
stay as its replicates. No planner sees more of a pool than its columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

Goal = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Pool:
    """A finite pool of candidates with measured quantities.

    Attributes
    ----------
    table : settings, one row a candidate; numbers or text.
    values : quantity → mean value of each candidate.
    goals : quantity → direction.
    replicates : quantity → the single values of each candidate.
    """

    name: str
    table: pd.DataFrame
    values: dict[str, np.ndarray]
    goals: dict[str, Goal]
    replicates: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the settings."""
        return tuple(self.table.columns)

    def is_text(self, column: str) -> bool:
        """Return whether a column holds categories."""
        return not pd.api.types.is_numeric_dtype(self.table[column])

    @property
    def rows(self) -> list[tuple[float | str, ...]]:
        """One tuple a candidate, numbers as floats."""
        columns = [
            list(self.table[c]) if self.is_text(c) else [float(v) for v in self.table[c]]
            for c in self.columns
        ]
        return list(zip(*columns, strict=True))

    def higher_is_better(self, quantity: str) -> np.ndarray:
        """Return the values with their sign turned so that more is better."""
        sign = 1.0 if self.goals[quantity] == "maximize" else -1.0
        return sign * self.values[quantity]

    def top(self, quantity: str, share: float = 0.05) -> np.ndarray:
        """Return the rows of the best `share` of one quantity."""
        order = np.argsort(-self.higher_is_better(quantity), kind="stable")
        return order[: int(np.ceil(share * len(self)))]


def collect(name: str, raw: pd.DataFrame, goals: dict[str, Goal]) -> Pool:
    """Return the pool of a table whose columns are the settings and then the quantities."""
    settings = [c for c in raw.columns if c not in goals]
    groups = raw.groupby(settings, sort=False, dropna=False)
    table = groups.size().reset_index()[settings]
    values = {q: groups[q].mean().to_numpy(dtype=float) for q in goals}
    replicates = {q: [g.to_numpy(dtype=float) for _, g in groups[q]] for q in goals}
    return Pool(name, table, values, goals, replicates)


def load(name: str) -> Pool:
    """Return one of the pools in `POOLS`.

    Raises
    ------
    SystemExit
        There is no such pool, or its data are not here.
    """
    if name not in POOLS:
        raise SystemExit(f"no pool {name!r}; there are {', '.join(POOLS)}")
    return POOLS[name](data_directory(), name)


def data_directory() -> Path:
    """Return the folder of the data sets: `$SDLAB_DATA`, else `shared/data` beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    root = Path(os.environ.get("SDLAB_DATA", beside)) / "planner"
    if not root.is_dir():
        raise SystemExit(f"no pools in {root}; set SDLAB_DATA to the folder of the data sets")
    return root


def _pvlab(root: Path, name: str) -> Pool:
    """Published pool: the value of a candidate is the mean of its *distinct* values."""
    table = pd.read_csv(root / "pvlab" / "pools" / f"{name}.csv")
    raw = pd.read_csv(root / "pvlab" / "raw" / f"{name}.csv")
    settings = [c for c in table.columns if c not in ("y", "y_mean", "y_rep_std", "n_rep")]
    quantity = str(raw.columns[-1])
    pool = collect(name, raw.rename(columns={quantity: "y"}), {"y": "maximize"})
    found = {_key(r): v for r, v in zip(pool.rows, pool.replicates["y"], strict=True)}
    keys = [_key(r) for r in table[settings].itertuples(index=False)]
    return Pool(
        name,
        table[settings],
        {"y": table["y"].to_numpy(dtype=float)},
        {"y": "maximize"},
        {"y": [found.get(k, np.array([v])) for k, v in zip(keys, table["y"], strict=True)]},
    )


def _key(row: tuple[object, ...]) -> tuple[float, ...]:
    return tuple(round(float(str(v)), 6) for v in row)


def _olympus(goals: dict[str, Goal]) -> Callable[[Path, str], Pool]:
    def read(root: Path, name: str) -> Pool:
        folder = root / "olympus" / name.removesuffix("_front")
        config = json.loads((folder / "config.json").read_text())
        names = [p["name"] for p in config["parameters"] + config["measurements"]]
        raw = pd.read_csv(folder / "data.csv", header=None, names=names)
        unused = [m["name"] for m in config["measurements"] if m["name"] not in goals]
        return collect(name, raw.drop(columns=unused), goals)

    return read


def _arylation(goals: dict[str, Goal]) -> Callable[[Path, str], Pool]:
    def read(root: Path, name: str) -> Pool:
        raw = pd.read_csv(root / "edboplus" / "bms_yield_cost.csv")
        settings = ["base", "ligand", "solvent", "concentration", "temperature"]
        return collect(name, raw[settings + list(goals)], goals)

    return read


def _liquidus(root: Path, name: str) -> Pool:
    raw = pd.read_csv(root / "nimo" / "al-si-zn_352.csv")
    return collect(name, raw, {"Liquidus temperature": "maximize"})


def _magnets(root: Path, name: str) -> Pool:
    folder = root / "cameo_fegapd"
    raw = pd.read_csv(folder / "FeGaPd_CMP.txt", sep=r"\s+")
    raw["magnetisation"] = pd.read_csv(folder / "FeGaPd_Mag.txt", header=None)[1]
    return collect(name, raw, {"magnetisation": "maximize"})


POOLS: dict[str, Callable[[Path, str], Pool]] = {
    "Crossed_barrel": _pvlab,
    "AutoAM": _pvlab,
    "P3HT": _pvlab,
    "photo_pce10": _olympus({"degradation": "minimize"}),
    "colors_bob": _olympus({"difference_to_green": "minimize"}),
    "direct_arylation": _arylation({"yield": "maximize"}),
    "oer_plate_3496": _olympus({"overpotential": "minimize"}),
    "lnp3": _olympus({"drug_loading": "maximize"}),
    "al_si_zn": _liquidus,
    "fe_ga_pd": _magnets,
    "suzuki_i": _olympus({"yield": "maximize"}),
    "lnp3_front": _olympus(
        {
            "drug_loading": "maximize",
            "encap_efficiency": "maximize",
            "particle_diameter": "minimize",
        }
    ),
    "suzuki_i_front": _olympus({"yield": "maximize", "turnover": "maximize"}),
    "bms_yield_cost": _arylation({"yield": "maximize", "cost": "minimize"}),
}
"""Name → reader."""

JUDGED = (
    "Crossed_barrel",
    "AutoAM",
    "P3HT",
    "photo_pce10",
    "colors_bob",
    "direct_arylation",
    "oer_plate_3496",
    "lnp3",
)
"""The single-objective pools whose numbers are reported."""

CHOSEN_ON = ("AutoAM", "P3HT", "photo_pce10", "direct_arylation")
"""Reported pools that were in sight while settings were chosen; the others were held out."""

FRONTS = ("lnp3_front", "suzuki_i_front", "bms_yield_cost")
"""Pools of several objectives."""
