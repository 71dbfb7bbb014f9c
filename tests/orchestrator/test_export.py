"""What is exported can be read without sdlab, and says what it is."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rocrate.rocrate import ROCrate

from analysis.insight import Curve, Insight
from instruments.formats.reading import read_measurement
from orchestrator.errors import CampaignError, StoreCorrupt, UnknownCampaign
from orchestrator.export import export_campaign
from orchestrator.export.curves import file_stem
from orchestrator.store import Store
from planners.proposal import Observation, Proposal, Reason
from tests.orchestrator import histories

CAMPAIGN = "anatase-7"
CONFIG = {
    "description": "Anatase without rutile",
    "space": {"parameters": [{"name": "temperature", "unit": "degC"}, {"name": "dopant"}]},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a campaign of six experiments: four good, one failed, one under way."""
    with histories.open_store(tmp_path_factory.mktemp("history")) as store:
        versions = {"python": "3.11.2", "sdlab": "0.1.0", "platform": "Linux"}
        store.create_campaign(histories.campaign(CAMPAIGN, config=CONFIG, versions=versions))
        for number in range(5):
            histories.record_experiment(store, CAMPAIGN, number)
        store.record_proposal(CAMPAIGN, 5, histories.proposal(5), seed=[7, 5, 0])
        store.set_status(CAMPAIGN, "finished", "the budget is used up")
        store.create_campaign(histories.campaign("empty"))
        yield store


@pytest.fixture(scope="module")
def folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    written = export_campaign(store, CAMPAIGN, folder)
    assert sorted(written) == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


def test_every_experiment_is_a_row_with_all_its_digits(store: Store, folder: Path) -> None:
    table = pd.read_csv(folder / "experiments.csv")
    assert list(table["number"]) == [0, 1, 2, 3, 4, 5]
    for experiment, (_, row) in zip(store.experiments(CAMPAIGN), table.iterrows(), strict=True):
        assert row["setting.temperature"] == experiment.proposal.values["temperature"]
        assert row["acquisition_value"] == experiment.proposal.reason.acquisition_value
    key = "xrd.weight_fraction.anatase"
    assert list(table[f"outcome.{key}"].dropna()) == [0.72] * 4
    assert list(table[f"std.{key}"].dropna()) == [0.01] * 4
    assert list(table[f"predicted_mean.{key}"]) == [0.7] * 6
    assert list(table["made.temperature"].dropna()) == [501.5, 502.5, 503.5, 504.5]


def test_a_failed_experiment_is_not_one_under_way(folder: Path) -> None:
    table = pd.read_parquet(folder / "experiments.parquet").set_index("number")
    assert table.loc[4, "failed"]
    assert table.loc[4, "failure"] == "the arm jammed"
    assert table.loc[5, "failed"] is None
    assert pd.isna(table.loc[5, "completed"])
    assert pd.isna(table.loc[4, "p_wrong"])
    assert not table.loc[0, "failed"]


@pytest.mark.parametrize(
    "name", ["experiments", "estimates", "class_probabilities", "insights", "readings"]
)
def test_csv_and_parquet_hold_the_same(folder: Path, name: str) -> None:
    text, binary = pd.read_csv(folder / f"{name}.csv"), pd.read_parquet(folder / f"{name}.parquet")
    assert list(text) == list(binary)
    assert len(text) == len(binary) > 0
    for column in text.select_dtypes("number"):
        assert np.array_equal(text[column], binary[column].astype(float), equal_nan=True)


def test_unknown_uncertainty_stays_unknown(folder: Path) -> None:
    table = pd.read_csv(folder / "estimates.csv").set_index("quantity")
    assert table.loc["xrd.crystallite_size.anatase", "std"].isna().all()
    assert set(table.loc["xrd.crystallite_size.anatase", "unit"]) == {"Å"}
    assert set(table.loc["xrd.weight_fraction.anatase", "std"]) == {0.01}


def test_every_column_is_explained_with_its_unit(folder: Path) -> None:
    dictionary = pd.read_csv(folder / "columns.csv").set_index(["table", "column"])
    for file in folder.glob("*.parquet"):
        for column in pd.read_parquet(file):
            assert dictionary.loc[(file.stem, column), "description"]
    assert dictionary.loc[("experiments", "setting.temperature"), "unit"] == "degC"
    assert dictionary.loc[("experiments", "outcome.xrd.crystallite_size.anatase"), "unit"] == "Å"


def test_patterns_are_read_back_by_our_own_reader(folder: Path) -> None:
    files = sorted((folder / "measurements").iterdir())
    assert [file.name for file in files] == [f"{number:04d}_xrd_0.xye" for number in range(4)]
    for number, file in enumerate(files):
        found, measured = read_measurement(file), histories.measurement(CAMPAIGN, number)
        assert np.array_equal(found.x, measured.x)
        assert np.array_equal(found.y, measured.y)
        assert np.array_equal(found.sigma, measured.sigma)
        assert found.settings["wavelength"] == measured.settings["wavelength"]


def test_the_evidence_of_an_insight_is_exported(folder: Path) -> None:
    table = pd.read_csv(folder / "evidence" / "0002_xrd_0_xrd.quantify_fit.csv")
    assert list(table) == ["two_theta [deg]", "observed [counts]", "calculated [counts]"]
    assert np.array_equal(table["observed [counts]"], histories.measurement(CAMPAIGN, 2).y)


def test_the_files_that_defined_the_campaign_are_word_for_word(folder: Path) -> None:
    assert (folder / "campaign.toml").read_text() == histories.CAMPAIGN_TOML
    assert (folder / "laboratory.toml").read_text() == histories.LABORATORY_TOML


def test_the_crate_describes_every_file_and_no_other(folder: Path) -> None:
    crate = ROCrate(folder)
    described = {entity.id: entity for entity in crate.get_by_type("File")}
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "ro-crate-metadata.json"
    }
    assert set(described) == there
    for name, entity in described.items():
        contents = (folder / name).read_bytes()
        assert entity["sha256"] == hashlib.sha256(contents).hexdigest()
        assert entity["contentSize"] == str(len(contents))
        assert entity["encodingFormat"]
        assert entity["name"]


def test_the_crate_tells_the_campaign_as_an_action(folder: Path) -> None:
    crate = ROCrate(folder)
    (action,) = crate.get_by_type("CreateAction")
    assert action.id == f"#campaign-{CAMPAIGN}"
    assert action["actionStatus"].endswith("CompletedActionStatus")
    assert action["startTime"] == histories.START.isoformat()
    assert [entity.id for entity in action["object"]] == ["campaign.toml", "laboratory.toml"]
    software = {entity["name"]: entity["softwareVersion"] for entity in action["instrument"]}
    assert software == {"python": "3.11.2", "sdlab": "0.1.0"}
    told = {entity["name"]: entity.get("value") for entity in action["additionalProperty"]}
    assert told["seed of everything random"] == 7
    assert told["operating system"] == "Linux"
    assert crate.description == "Anatase without rutile"
    assert crate.root_dataset["license"]
    measured = {
        each["name"]: each.get("unitText") for each in crate.root_dataset["variableMeasured"]
    }
    assert measured["xrd.crystallite_size.anatase"] == "Å"


def test_every_reference_in_the_crate_leads_somewhere(folder: Path) -> None:
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    known = {entity["@id"] for entity in graph}
    outside = {"https://w3id.org/ro/crate/1.1"}

    def references(value: object):
        if isinstance(value, list):
            for item in value:
                yield from references(item)
        elif isinstance(value, dict):
            yield value["@id"]

    for entity in graph:
        for key, value in entity.items():
            if not key.startswith("@"):
                assert set(references(value)) <= known | outside


def test_a_zip_holds_the_same_files(store: Store, folder: Path, tmp_path: Path) -> None:
    written = export_campaign(store, CAMPAIGN, tmp_path / "out", zipped=True)
    assert written == [tmp_path / "out.zip"]
    assert list(tmp_path.iterdir()) == written
    with zipfile.ZipFile(written[0]) as archive:
        assert archive.testzip() is None
        expected = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        }
        assert {name for name in archive.namelist() if not name.endswith("/")} == expected
        assert archive.read("experiments.csv") == (folder / "experiments.csv").read_bytes()


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_there_is_not_overwritten_unasked(
    store: Store, tmp_path: Path, zipped: bool
) -> None:
    place = tmp_path / ("out.zip" if zipped else "out")
    export_campaign(store, "empty", place, zipped=zipped)
    with pytest.raises(CampaignError, match="exists already"):
        export_campaign(store, "empty", place, zipped=zipped)
    assert export_campaign(store, "empty", place, zipped=zipped, overwrite=True)


def test_an_empty_folder_may_be_used(store: Store, tmp_path: Path) -> None:
    assert export_campaign(store, "empty", tmp_path)


def test_a_place_that_cannot_be_written_is_explained(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CampaignError, match="cannot be exported"):
        export_campaign(store, "empty", tmp_path / "file" / "out")


def test_an_unknown_campaign_leaves_no_folder(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownCampaign):
        export_campaign(store, "nobody", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_campaign_without_experiments_has_empty_tables(store: Store, tmp_path: Path) -> None:
    export_campaign(store, "empty", tmp_path)
    assert pd.read_csv(tmp_path / "experiments.csv").empty
    assert pd.read_parquet(tmp_path / "estimates.parquet").empty
    assert ROCrate(tmp_path).get_by_type("CreateAction")


@pytest.fixture
def odd(tmp_path: Path) -> Store:
    """Return a campaign with what is unusual but allowed."""
    with histories.open_store(tmp_path) as store:
        store.create_campaign(histories.campaign("odd"))
        store.record_proposal("odd", 0, _proposal(5.0), seed=[0])
        store.record_proposal("odd", 1, _proposal("five, or so"), seed=[0])
        store.record_sample("odd", 0, histories.sample("odd", 0))
        for name in ("odd/0/a b", "odd/0/a/b"):
            bare = replace(histories.measurement("odd", 0), id=name, sigma=None)
            store.record_measurement("odd", 0, bare)
        curve = Curve(
            x=np.array([1.0, 2.0]), x_name="q", x_unit="1/Å", columns={"a,b": np.array([np.nan, 1])}
        )
        store.record_insight(
            "odd",
            0,
            Insight(id="odd/0/../x", agent="x.y", measurement_ids=(), evidence={"../../up": curve}),
        )
        store.record_observation("odd", 0, Observation(values={}, outcomes={"k": 1.0}))
        yield store


def _proposal(amount: float | str) -> Proposal:
    return Proposal(values={"amount": amount}, reason=Reason(planner="p", text='why, "so"\n'))


def test_unusual_names_and_values_stay_inside_and_readable(odd: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export_campaign(odd, "odd", folder)
    table = pd.read_parquet(folder / "experiments.parquet")
    assert list(table["setting.amount"]) == ["5.0", "five, or so"]
    assert list(pd.read_csv(folder / "experiments.csv")["reason"]) == ['why, "so"\n'] * 2
    names = sorted(path.name for path in (folder / "measurements").iterdir())
    assert names == ["0000_a_b-2.csv", "0000_a_b.csv"]
    (evidence,) = (folder / "evidence").iterdir()
    assert list(pd.read_csv(evidence)) == ["q [1/Å]", "a b"]


def test_damaged_arrays_are_named_and_all_the_rest_is_exported(odd: Store, tmp_path: Path) -> None:
    for file in (tmp_path / "arrays").rglob("*.npy"):
        file.write_bytes(b"")
    with pytest.raises(StoreCorrupt, match=r"3 curves are damaged.*\.npy"):
        export_campaign(odd, "odd", tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "experiments.csv")) == 2
    assert ROCrate(tmp_path / "out").get_by_type("CreateAction")


@pytest.mark.parametrize("name", ["../../etc", "a/b", "ü*?", ".hidden", "x" * 400])
def test_a_file_name_holds_nothing_that_leads_elsewhere(name: str) -> None:
    stem = file_stem(7, name)
    assert stem.startswith("0007_")
    assert Path(stem).name == stem
    assert stem.isascii()
    assert len(stem) < 200
