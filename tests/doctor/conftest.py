"""Doctor, and whom it looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.main import app
from tests.doctor.acme import DECIDED, NAMES, OPERATOR, Doctor, locked, well
from tests.doctors import World


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*options: str, **decided: Any) -> Result:
        (tmp_path / "orgscan.yaml").write_text(yaml.safe_dump({**DECIDED, **decided}))
        return CliRunner().invoke(app, ["doctor", *options])

    return run


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """All is well, and the caller is one whom member roles trust."""
    return well(World(monkeypatch, OPERATOR))


@pytest.fixture
def outsider(monkeypatch: pytest.MonkeyPatch) -> World:
    """All is well, and the caller is nobody whom member roles trust."""
    world = well(World(monkeypatch))
    world.answer("sts:AssumeRole", locked(*NAMES))
    return world
