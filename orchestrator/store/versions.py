"""Versions of the software that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("sdlab", "numpy", "scipy", "torch", "gpytorch", "botorch", "prefect", "gemmi")
"""Distributions whose version can change a result or its record."""


def software_versions() -> dict[str, str]:
    """Return software → version without importing any of it; absent packages are left out."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
