"""Layers with bytecode: whole, always the same bytes, and by nobody but Python of the functions' version."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from infra import ROOT, CannotSynthesize
from infra.bytecode import compiled, require

HERE = "{}.{}".format(*sys.version_info)
WORD = "WORDS = {'b', 'a', 'd', 'c'}\ndef known(word): return word in {'x', 'z', 'y'}\n"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    package = tmp_path / "layer" / "python" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "word.py").write_text(WORD)
    (package / "data.json").write_text("{}")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "old.cpython-39.pyc").write_bytes(b"?")
    return tmp_path / "layer"


def make(layer: Path, name: str) -> Path:
    into = layer.parent / name
    return compiled(layer, into, python=sys.executable, without=("__pycache__",))


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def test_every_module_has_its_bytecode_and_nothing_else_is_added(layer: Path) -> None:
    made = make(layer, "made")
    sources = {"python/package/__init__.py", "python/package/word.py"}
    there = {name for name, _ in contents(made)}
    assert there == {*sources, *map(cache_from_source, sources), "python/package/data.json"}


def test_the_same_sources_make_the_same_bytes_wherever_they_are(layer: Path) -> None:
    one, other = (dict(contents(make(layer, name))) for name in ("made", "made-elsewhere"))
    assert one == other


def test_python_takes_it_as_it_is(layer: Path) -> None:
    made = make(layer, "made")
    assert not any(str(layer.parent).encode() in body for _, body in contents(made))
    (made / "python" / "package" / "word.py").write_text("raise SystemExit('compiled again')")
    told = subprocess.run(
        [sys.executable, "-c", "from package.word import WORDS; print(sorted(WORDS))"],
        env={"PYTHONPATH": str(made / "python")},
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.strip() == "['a', 'b', 'c', 'd']"


def test_what_was_there_before_is_gone(layer: Path) -> None:
    made = make(layer, "made")
    (layer / "python" / "package" / "data.json").unlink()
    assert "python/package/data.json" in dict(contents(made))
    assert "python/package/data.json" not in dict(contents(make(layer, "made")))


def test_a_source_that_does_not_compile_stops_it(layer: Path) -> None:
    (layer / "python" / "package" / "word.py").write_text("def")
    with pytest.raises(CannotSynthesize, match="LAMBDA_PYTHON"):
        make(layer, "made")


def test_only_python_of_the_functions_version_is_taken(tmp_path: Path) -> None:
    require(sys.executable, HERE)
    with pytest.raises(CannotSynthesize, match=rf"is Python {HERE}, and functions run on 2\.7"):
        require(sys.executable, "2.7")
    with pytest.raises(CannotSynthesize, match="cannot be run: No such file"):
        require(str(tmp_path / "python"), HERE)


def test_synthesizing_says_which_python_it_was_told_to_take(tmp_path: Path) -> None:
    other = tmp_path / "python9"
    other.write_text("#!/bin/sh\necho 9.9\n")
    other.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "LAMBDA_PYTHON": str(other), "CDK_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        f"LAMBDA_PYTHON: {other} is Python 9.9, and functions run on"
    )
