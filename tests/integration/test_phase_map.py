"""The examples that map phases run from their files to a page with the map."""

from __future__ import annotations

from pathlib import Path

import pytest

from instruments.recorded_data import data_folder
from tests.integration.conftest import Sdlab


def page_of(home: Path) -> str:
    (page,) = (home / "reports").glob("*.html")
    return page.read_text()


@pytest.mark.slow
@pytest.mark.skipif(
    not (data_folder() / "planner" / "cameo_fegapd").is_dir(),
    reason="planner/cameo_fegapd is not here; set SDLAB_DATA to the folder that holds it",
)
def test_recorded_films_are_mapped_by_their_fingerprints(sdlab: Sdlab, home: Path) -> None:
    said = sdlab("run", "fegapd_map", "--no-prefect", "-n", "14")
    assert said.code == 0, said.err
    page = page_of(home)
    assert "Map of phases" in page
    assert "region 2" in page
    assert "of the map&#39;s doubt" in page


@pytest.mark.slow
def test_titania_is_mapped_by_the_amounts_of_its_phases(sdlab: Sdlab, home: Path) -> None:
    said = sdlab("run", "tio2_map", "--no-prefect", "-n", "11")
    assert said.code == 0, said.err
    page = page_of(home)
    assert "Map of phases" in page
    assert "anatase + rutile" in page
