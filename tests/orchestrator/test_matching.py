"""A campaign that does not fit its laboratory is refused with every reason, before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import BadFile
from orchestrator.examples import FOLDER
from orchestrator.launch import Prepared, prepare
from tests.orchestrator import bakery

CAMPAIGN = (FOLDER / "tio2.toml").read_text()
LAB = (FOLDER / "tio2_lab.toml").read_text()


def attempt(folder: Path, *, campaign: str = CAMPAIGN, lab: str = LAB) -> Prepared:
    (folder / "tio2.toml").write_text(campaign)
    (folder / "tio2_lab.toml").write_text(lab)
    return prepare(folder / "tio2.toml")


def refused(folder: Path, **files: str) -> str:
    with pytest.raises(BadFile) as caught:
        attempt(folder, **files)
    assert all(f.line > 0 for f in caught.value.faults), caught.value
    return str(caught.value)


def test_the_example_fits(tmp_path: Path) -> None:
    prepared = attempt(tmp_path)
    assert prepared.match.synthesizer == "furnace"
    assert prepared.match.measurers == ("diffractometer",)
    assert prepared.laboratory.simulated


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "dwell"', 'name = "dwel"', "no setting 'dwel'"),
        ('unit = "degC"', 'unit = "K"', "temperature is in K here and in degC"),
        ("high = 750", "high = 980", "above the limit 950"),
        ('technique = "xrd"', 'technique = "saxs"', "for 'saxs'"),
        ('use = "xrd.quantify"', 'use = "xrd.quantfy"', "did you mean 'xrd.quantify'"),
        ('use = "bayesian"', 'use = "bayes"', "no planner called 'bayes'"),
        ("fraction.rutile", "fraction.cristobalite", "no agent of this campaign estimates"),
        ('unit = "Å"', 'unit = "nm"', "is in nm here"),
        ('dopant_element = "Fe"', 'dopant_element = "Xe"', "none of Fe, Al"),
        ('phases = ["anatase"', 'phases = ["anatas"', "anatas"),
        ('"tio2_lab.toml"', '"nowhere.toml"', "nowhere.toml does not exist"),
    ],
)
def test_each_misfit_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in CAMPAIGN
    assert words in refused(tmp_path, campaign=CAMPAIGN.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"simulated.furnace"', '"simulated.furnce"', "did you mean 'simulated.furnace'"),
        ("limits.temperature", "limits.pressure", "no setting 'pressure'"),
        ("seed = 7", "seed = -7", "greater than or equal to 0"),
    ],
)
def test_each_fault_of_the_laboratory_is_named(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert words in refused(tmp_path, lab=LAB.replace(old, new))


def test_a_laboratory_without_the_instrument_is_refused(tmp_path: Path) -> None:
    lab = LAB[: LAB.index("[instruments.diffractometer]")]
    assert "needs one instrument for 'xrd'" in refused(tmp_path, lab=lab)


def test_all_misfits_are_told_at_once(tmp_path: Path) -> None:
    text = CAMPAIGN.replace('name = "dwell"', 'name = "dwel"').replace("xrd.quantify", "xrd.no")
    said = refused(tmp_path, campaign=text)
    assert "'dwel'" in said
    assert "xrd.no" in said


def test_a_setting_of_the_driver_that_does_not_exist_is_told_with_its_line(tmp_path: Path) -> None:
    lab = LAB + "[instruments.diffractometer.settings]\nwavelenth = 1.5\n"
    said = refused(tmp_path, lab=lab)
    assert f"line {lab.count(chr(10))}" in said
    assert "wavelenth" in said


@pytest.mark.parametrize(
    ("fallback", "words"),
    [
        ('fallback = ["xrd.quantfy"]', "did you mean 'xrd.quantify'"),
        ('fallback = [{ use = "readings", settings = { sizes = 1 } }]', "sizes"),
        (
            'fallback = [{ use = "readings", settings = { quantities = { "toughness" = "J" } } }]',
            "estimates nothing wanted",
        ),
        (
            'fallback = [{ use = "readings", settings = { quantities = '
            '{ "xrd.crystallite_size.anatase" = "nm" } } }]',
            "in nm, xrd.quantify in Å",
        ),
    ],
)
def test_a_stand_in_is_checked_like_the_agent_itself(
    tmp_path: Path, fallback: str, words: str
) -> None:
    text = CAMPAIGN.replace('use = "xrd.quantify"', f'use = "xrd.quantify"\n{fallback}')
    assert words in refused(tmp_path, campaign=text)


def test_no_agent_stands_in_for_itself() -> None:
    agents = [{"use": "taster", "fallback": ["taster"]}]
    with pytest.raises(ValueError, match="listed twice"):
        bakery.campaign(agents=agents)


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        ('parameter = "temprature"\nabove = 700', "nothing searched is called 'temprature'"),
        (
            'parameter = "temperature"\nabove = 900',
            "goes from 550 to 750 degC, so it is never above",
        ),
        ('parameter = "temperature"\nbelow = 550', "so it is never below 550"),
        ('parameter = "temperature"\nis = 20', "this is never proposed"),
    ],
)
def test_rule_that_can_never_apply_is_a_fault(tmp_path: Path, gates: str, words: str) -> None:
    text = CAMPAIGN + f'\n[approval]\nask = "risky"\n[[approval.risky]]\n{gates}\n'
    assert words in refused(tmp_path, campaign=text)


def test_prompt_for_an_instrument_that_never_does_that_step_is_a_fault(tmp_path: Path) -> None:
    prompt = '\n[[prompts]]\nbefore = "measure"\ninstrument = "furnace"\ntext = "load"\n'
    assert "'furnace' never carries out `measure` here" in refused(
        tmp_path, campaign=CAMPAIGN + prompt
    )
    assert "diffractometer may" in refused(tmp_path, lab=LAB + prompt)


def test_placeholder_that_is_not_known_is_a_fault(tmp_path: Path) -> None:
    prompt = '\n[[prompts]]\nbefore = "measure"\ntext = "load {tray}"\n'
    assert "{tray} is not known here" in refused(tmp_path, campaign=CAMPAIGN + prompt)
