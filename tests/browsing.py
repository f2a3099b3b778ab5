"""A real browser for what people open in one: the system's Chromium, or the one that tests/browser brings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from subprocess import run
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

INSTALLED = Path(__file__).parent / "browser/node_modules"
UNPACKED = INSTALLED / ".browser"
SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{own}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
  <alias binding="strong"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
"""
"""A machine without any fonts would end the browser; with these, pictures look alike everywhere."""


@contextmanager
def browser() -> Iterator[Browser]:
    """One that has just been started, with a profile of its own."""
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        found = next(filter(None, map(which, SYSTEM)), None) or str(UNPACKED / "chromium")
        started = driver.chromium.launch(
            executable_path=found, args=FLAGS, env={**os.environ, **_surroundings(found, Path(folder))}
        )
        try:
            yield started
        finally:
            started.close()


def _surroundings(executable: str, folder: Path) -> dict[str, str]:
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS.format(own=UNPACKED / "fonts", cache=folder / "fonts"))
    libraries = os.environ.get("LD_LIBRARY_PATH", "")
    needed = run(["/usr/bin/env", "ldd", executable], capture_output=True, check=False)  # noqa: S603
    if b"not found" in needed.stdout:
        libraries = f"{UNPACKED / 'al2023/lib'}:{libraries}".removesuffix(":")
    return {"FONTCONFIG_FILE": str(fonts), **({"LD_LIBRARY_PATH": libraries} if libraries else {})}


def accessibility() -> str:
    """The script of axe-core."""
    return (INSTALLED / "axe-core/axe.min.js").read_text(encoding="utf-8")
