"""Categories described by numbers: what a model sees of them, and that none is lost."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planners import CategoricalParameter, Objective, Observation, SearchSpace
from planners.bayesian import make
from planners.descriptors import BadDescriptors, from_smiles, joined, read_table
from planners.encoding import Encoding
from planners.objective import Target

SOLVENTS = {
    "water": (80.1, 100.0, 1.0),
    "ethanol": (24.6, 78.2, 1.0),
    "methanol": (32.7, 64.7, 1.0),
    "toluene": (2.4, 110.6, 1.0),
    "hexane": (1.9, 68.7, 1.0),
}
SOLVENT = CategoricalParameter(
    name="solvent",
    categories=tuple(SOLVENTS),
    descriptors=SOLVENTS,
    descriptor_names=("permittivity", "boiling_point", "phase"),
)


def test_encoding_has_one_scaled_column_for_each_descriptor_that_informs():
    encoding = Encoding(SearchSpace(parameters=(SOLVENT,)))
    # `phase` is the same for all and left out
    assert encoding.group_names == ("solvent.permittivity", "solvent.boiling_point")
    assert encoding.groups.tolist() == [0, 1]
    rows = encoding.encode([{"solvent": "water"}, {"solvent": "hexane"}])
    low, high = 64.7, 110.6
    expected = [[1.0, (100 - low) / (high - low)], [0.0, (68.7 - low) / (high - low)]]
    assert rows == pytest.approx(np.array(expected))


def test_descriptor_in_another_unit_is_no_second_descriptor():
    kelvin = {c: (*row, row[1] + 273.15, -row[0]) for c, row in SOLVENTS.items()}
    twice = CategoricalParameter(name="solvent", categories=SOLVENT.categories, descriptors=kelvin)
    assert twice.described.names == ("descriptor_1", "descriptor_2")


@settings(deadline=None)
@given(st.integers(0, 2**16), st.integers(2, 9), st.integers(1, 5))
def test_every_category_is_recovered_from_its_descriptors(seed, n, width):
    table = np.random.default_rng(seed).normal(size=(n, width))
    labels = tuple(f"c{i}" for i in range(n))
    parameter = CategoricalParameter(
        name="c", categories=labels, descriptors=dict(zip(labels, table.tolist(), strict=True))
    )
    space = SearchSpace.model_validate_json(SearchSpace(parameters=(parameter,)).model_dump_json())
    encoding = Encoding(space)
    points = [{"c": label} for label in labels]
    rows = encoding.encode(points)
    assert rows.min() >= 0
    assert rows.max() <= 1
    assert encoding.decode(rows) == points


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"descriptors": {"water": (1.0,)}}, "no descriptors for ethanol"),
        ({"descriptors": {**SOLVENTS, "brine": (1.0, 1.0, 1.0)}}, "descriptors for brine"),
        ({"descriptors": {**SOLVENTS, "water": (1.0,)}}, "one number for each descriptor"),
        ({"descriptors": {**SOLVENTS, "water": SOLVENTS["hexane"]}}, "have the same descriptors"),
        ({"descriptors": {}}, "descriptor_names but no descriptors"),
    ],
)
def test_descriptors_that_do_not_fit_are_refused_with_a_sentence(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        CategoricalParameter(**{**SOLVENT.model_dump(), **changes})


def test_thousands_of_categories_need_descriptors():
    labels = tuple(f"c{i}" for i in range(1500))
    with pytest.raises(ValidationError, match="1500 categories and no descriptors"):
        CategoricalParameter(name="c", categories=labels)
    numbers = {c: (float(i),) for i, c in enumerate(labels)}
    CategoricalParameter(name="c", categories=labels, descriptors=numbers)


def test_model_tells_an_untried_solvent_from_its_likeness_to_those_tried():
    labels = tuple(f"s{i:02d}" for i in range(24))
    polarity = {c: (i / 23, (7 * i % 24) / 23) for i, c in enumerate(labels)}

    def found(described: bool) -> int:
        parameter = CategoricalParameter(
            name="solvent", categories=labels, descriptors=polarity if described else {}
        )
        space = SearchSpace(parameters=(parameter,))
        objective = Objective(targets=(Target(quantity="yield", goal="maximize"),))
        observations = []
        for c in labels[::3]:  # the best, s17, is not among them
            outcome = -((polarity[c][0] - 17 / 23) ** 2)
            observations.append(Observation(values={"solvent": c}, outcomes={"yield": outcome}))
        for turn in range(16):
            point = (
                make({})
                .propose(
                    space, objective, observations=observations, rng=np.random.default_rng(turn)
                )[0]
                .values
            )
            if point["solvent"] == "s17":
                return turn + 1
            outcome = -((polarity[point["solvent"]][0] - 17 / 23) ** 2)
            observations.append(Observation(values=point, outcomes={"yield": outcome}))
        return 99

    assert found(described=True) <= 2
    # equally different solvents leave nothing but going through them
    assert found(described=False) > found(described=True)


TABLE = """\
solvent, permittivity, boiling point, structure
water, 80.1, 100, O
ethanol, 24.6, 78.2, CCO
dmf, 36.7, 153, CN(C)C=O
toluene, 2.4, 110.6, Cc1ccccc1
"""


def test_table_gives_categories_and_numbers(tmp_path):
    path = tmp_path / "solvents.csv"
    rows = [line.rpartition(",")[0] for line in TABLE.splitlines()]
    path.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")  # as spreadsheets save it
    table = read_table(path)
    assert table.names == ("permittivity", "boiling point")
    parameter = table.parameter("solvent", categories=("dmf", "water"))
    assert parameter.categories == ("dmf", "water")
    assert parameter.descriptors["water"] == (80.1, 100.0)
    with pytest.raises(BadDescriptors, match="not brine"):
        table.parameter("solvent", categories=("brine",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "no descriptors"),
        ("a,b\nx,1\nx,2\n", "describes 'x' twice"),
        ("a,b\nx,warm\n", "'warm', which is no finite number"),
        ("a,b\nx,1,2\n", "row 2 of .* has 3 cells for 2"),
    ],
)
def test_table_that_cannot_be_used_is_refused_with_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(BadDescriptors, match=sentence):
        read_table(path)
    with pytest.raises(BadDescriptors, match="cannot be read"):
        read_table(tmp_path / "none.csv")


def test_structures_put_like_molecules_near_each_other(tmp_path):
    pytest.importorskip("rdkit")
    alcohols = {"methanol": "CO", "ethanol": "CCO", "propanol": "CCCO"}
    arenes = {"toluene": "Cc1ccccc1", "xylene": "Cc1ccccc1C", "benzene": "c1ccccc1"}
    table = from_smiles(alcohols | arenes)
    parameter = table.parameter("solvent")
    rows = Encoding(SearchSpace(parameters=(parameter,))).encode(
        [{"solvent": c} for c in parameter.categories]
    )
    apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert all((apart[i].argmin() < 3) == (i < 3) for i in range(6))
    assert table == from_smiles(alcohols | arenes)
    columns = np.corrcoef(np.array(list(table.rows.values())).T)
    assert np.abs(columns - np.eye(len(columns))).max() < 0.9


def test_table_with_structures_keeps_its_numbers_first(tmp_path):
    pytest.importorskip("rdkit")
    path = tmp_path / "solvents.csv"
    path.write_text(TABLE)
    table = read_table(path, smiles="structure")
    assert table.names[:3] == ("permittivity", "boiling point", "mass")
    assert table.rows["ethanol"][:2] == (24.6, 78.2)
    assert table.rows["ethanol"][2] == pytest.approx(46.0419, abs=1e-3)  # C2H6O
    with pytest.raises(BadDescriptors, match="has no column 'smiles'"):
        read_table(path, smiles="smiles")
    with pytest.raises(BadDescriptors, match="'C1C' is no SMILES"):
        from_smiles({"broken": "C1C"})
    with pytest.raises(BadDescriptors, match="not water"):
        joined(table, from_smiles({"ethanol": "CCO", "dmf": "CN(C)C=O"}))


def test_without_rdkit_the_error_names_the_command_that_installs_it():
    script = (
        "import sys; sys.modules['rdkit'] = None\n"
        "from planners.descriptors import from_smiles\n"
        "from planners.molecules import MissingChemistry\n"
        "try:\n    from_smiles({'water': 'O'})\n"
        "except MissingChemistry as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'sdlab[chem]'" in done.stdout
