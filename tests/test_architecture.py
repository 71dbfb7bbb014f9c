"""The house keeps its shape: import contracts, sizes, façades, plug-ins by the front door."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("orchestrator", "instruments", "analysis", "planners")
SOURCES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_holds_one_idea(path: Path) -> None:
    lines = path.read_text().count("\n") + 1
    assert lines <= 500, f"{path} has {lines} lines; look for the second idea"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.name == "__init__.py"],
    ids=lambda p: str(p.parent.relative_to(ROOT)),
)
def test_facades_export_what_they_name(path: Path) -> None:
    names = {
        target.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if "__all__" not in names:
        return
    module = ".".join(path.parent.relative_to(ROOT).parts)
    code = f"import {module} as m; [getattr(m, n) for n in m.__all__]"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("orchestrator.cli", ("torch", "prefect", "sqlmodel", "scipy", "matplotlib", "plotly")),
        ("planners", ("torch",)),
        ("planners.baselines", ("torch",)),
        ("orchestrator.launch", ("torch", "prefect", "matplotlib", "plotly", "alembic")),
        ("orchestrator.cli.screen", ("torch", "prefect", "matplotlib", "plotly", "alembic")),
    ],
)
def test_starting_is_cheap(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("group", ["instruments", "agents", "planners"])
def test_builtins_use_the_front_door(group: str) -> None:
    found = list(entry_points(group=f"sdlab.{group}"))
    assert found
    for entry in found:
        assert callable(entry.load()), entry


def test_the_readme_names_only_commands_that_exist() -> None:
    from orchestrator.cli.app import app

    known = {c.name for c in (*app.registered_commands, *app.registered_groups)}
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"(?:^|`)sdlab ([a-z]+)\b", text, re.MULTILINE))
    assert named
    assert named <= known
