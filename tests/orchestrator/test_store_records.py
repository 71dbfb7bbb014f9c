"""What is written to the history comes back to the last bit."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.insight import Insight
from instruments.measurement import Measurement
from orchestrator.store import CampaignRecord, Store, software_versions
from orchestrator.store.codec import plain, restored
from planners.proposal import Observation, Proposal, Reason
from tests.orchestrator import histories

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = histories.open_store(tmp_path_factory.mktemp("history"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def fresh_campaign(store: Store):
    """Return ids of campaigns nobody has used, so that hypothesis may write again and again."""

    def make() -> str:
        name = f"c{len(store.campaigns())}"
        store.create_campaign(histories.campaign(name, dry_run=True))
        return name

    return make


def alike(one: object, other: object) -> bool:
    """Return whether two records with arrays, or NaN in them, are the same."""
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and np.array_equal(one, other, equal_nan=True)
        )
    if hasattr(one, "__slots__") and type(one) is type(other):
        return all(alike(getattr(one, name), getattr(other, name)) for name in one.__slots__)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def test_a_campaign_comes_back_with_its_files_seed_and_configuration(store: Store) -> None:
    record = histories.campaign("whole")
    store.create_campaign(record)
    assert store.campaign("whole") == record


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"campaign_id": "a/b"}, "cannot be called"),
        ({"campaign_id": ""}, "cannot be called"),
        ({"status": "asleep"}, "cannot be 'asleep'"),
        ({"seed": 2**63}, "seed"),
        ({"seed": -1}, "seed"),
        ({"created": datetime(2026, 1, 1)}, "time zone"),
    ],
)
def test_an_impossible_campaign_is_refused_with_a_sentence(changes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        histories.campaign(**changes)


def test_a_whole_experiment_comes_back(store: Store) -> None:
    store.create_campaign(histories.campaign("one"))
    histories.record_experiment(store, "one", 3)
    found = store.experiment("one", 3)
    assert found.proposal == histories.proposal(3)
    assert found.seed == (7, 3, 0)
    assert found.sample == histories.sample("one", 3)
    assert found.observation == histories.observation(3)
    assert found.started <= found.finished
    measured, read = histories.measurement("one", 3), histories.insight("one", 3)
    assert alike(store.measurement(measured.id), measured)
    assert alike(store.insight(read.id), read)
    (summary,) = found.measurements
    assert (summary.id, summary.n_points, summary.settings) == (measured.id, 200, measured.settings)
    (said,) = found.insights
    assert said.estimates == read.estimates
    assert said.evidence == ("fit",)
    assert said.next_measurement == read.next_measurement
    assert said.measurement_ids == (measured.id,)
    assert (said.infeasible, said.asks_person) == (read.infeasible, read.asks_person)


@given(
    values=st.dictionaries(NAMES, NUMBERS | NAMES, max_size=4),
    outcomes=st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4),
    seed=st.lists(st.integers(0, 2**128), min_size=1, max_size=4),
    text=NAMES,
)
def test_any_proposal_and_observation_come_back(
    store: Store, fresh_campaign, values, outcomes, seed, text
) -> None:
    name = fresh_campaign()
    proposal = Proposal(values=values, reason=Reason(planner="p", text=text))
    observation = Observation(values=values, outcomes=outcomes)
    store.record_proposal(name, 0, proposal, seed=seed)
    store.record_observation(name, 0, observation)
    found = store.experiment(name, 0)
    assert (found.proposal, found.seed, found.observation) == (proposal, tuple(seed), observation)
    assert store.observations(name) == [(0, observation)]


@given(
    curve=arrays(np.float64, st.integers(0, 30), elements=NUMBERS),
    with_sigma=st.booleans(),
    settings=st.dictionaries(NAMES, st.floats() | NAMES, max_size=3),
    flags=st.lists(NAMES, max_size=3),
    offset=st.integers(-12, 12),
)
def test_any_measurement_comes_back(
    store: Store, fresh_campaign, curve, with_sigma, settings, flags, offset
) -> None:
    name = fresh_campaign()
    zone = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1)).astimezone()
    template = histories.measurement(name, 0)
    measured = Measurement(
        **{
            **{key: getattr(template, key) for key in Measurement.__slots__},
            "x": np.arange(curve.size) * 0.1,
            "y": curve,
            "sigma": np.abs(curve) if with_sigma else None,
            "settings": settings,
            "flags": tuple(flags),
            "started": zone + timedelta(hours=offset, microseconds=1),
        }
    )
    store.record_proposal(name, 0, histories.proposal(0), seed=[0])
    store.record_sample(name, 0, histories.sample(name, 0))
    store.record_measurement(name, 0, measured)
    assert alike(store.measurement(measured.id), measured)


def test_an_insight_that_abstains_comes_back(store: Store) -> None:
    store.create_campaign(histories.campaign("silent"))
    store.record_proposal("silent", 0, histories.proposal(0), seed=[0])
    declined = Insight(
        id="silent/0/nothing", agent="a.b", measurement_ids=(), abstained=True, remarks=("noise",)
    )
    store.record_insight("silent", 0, declined)
    assert alike(store.insight(declined.id), declined)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=12,
    )
)
def test_any_configuration_survives_strict_json(value: object) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert repr(restored(json.loads(text))) == repr(value)


def test_what_is_no_json_value_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="datetime"):
        plain({"when": datetime(2026, 1, 1, tzinfo=UTC)})


def test_numpy_numbers_are_kept_as_numbers() -> None:
    assert plain({"a": np.float32(0.5), "b": (np.int64(3), np.bool_(True))}) == {
        "a": 0.5,
        "b": [3, True],
    }


def test_versions_name_what_a_result_depends_on() -> None:
    versions = software_versions()
    expected = {"python", "platform", "sdlab", "numpy", "torch", "botorch", "prefect", "gemmi"}
    assert expected <= set(versions)
    assert versions["numpy"] == np.__version__


def test_an_empty_history_lists_nothing(tmp_path: Path) -> None:
    with histories.open_store(tmp_path) as store:
        assert store.campaigns() == []
        assert store.progress() == {}


def test_campaign_records_compare_by_value() -> None:
    assert histories.campaign() == histories.campaign()
    assert isinstance(histories.campaign(), CampaignRecord)
