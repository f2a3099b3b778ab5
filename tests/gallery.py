"""docs/gallery.md and its pictures, made anew from the two scans that `make scan` leaves.

make scan && .venv/bin/python -m tests.gallery results
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, expect

from cli.export import checks
from cli.results.source import Scan, open_scan
from orgscan.line import Line
from orgscan.remedy import commands
from orgscan.results import REPORT
from tests.browsing import browser
from tests.commands import Run, runner

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = "gallery"
WIDTH = 80
FOOTER = "\n\n--\n"
"""Of SNS, below what it mails."""
LAPTOP, PHONE = (1280, 860), (390, 844)
HEAD = """\
# What people see

Two scans of the organization that `make scan` invents, with a working day between them: what comes of them,
as it is opened, mailed, posted and printed. `.venv/bin/python -m tests.gallery results` makes this page anew.

## The report

`report.html` is one file that asks nobody for anything: it opens from a mail, a disk or a bucket.
"""


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    about: str
    address: str = ""
    size: tuple[int, int] = LAPTOP
    theme: str = "light"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="the folder in which `make scan` left its results")
    results = parser.parse_args().results.resolve()
    with TemporaryDirectory() as elsewhere, chdir(elsewhere), pytest.MonkeyPatch.context() as patch:
        Path("results").symlink_to(results)
        patch.setenv("NO_COLOR", "1")
        newest = open_scan()
        one = _telling(newest)
        pictures = [*_pictures(one)]
        page = "\n".join(_page(runner(patch), newest, one, pictures))
        (DOCS / "gallery.md").write_text(page, encoding="utf-8")
        with browser() as chromium:
            for each in pictures:
                _take(chromium, Path("results", newest.id, REPORT).absolute(), each)


def _telling(scan: Scan) -> Line:
    """The worst finding of which there is most to tell."""
    known = checks()
    return next(
        line
        for line in scan.findings()
        if line.tags and line.owner.name and commands(known[line.check], line)
    )


def _pictures(one: Line) -> Iterator[Picture]:
    yield Picture("overview", "The report: verdict, numbers, what was not seen, and what to mend first")
    yield Picture(
        "findings", "Its findings, filtered and in the dark", "#status=open&severity=high%2B", theme="dark"
    )
    yield Picture(
        "finding", "One of them: evidence, why, and the commands that mend it", f"#finding={one.id}"
    )
    yield Picture("phone", "The same on a phone", size=PHONE)


def _take(chromium: Browser, report: Path, picture: Picture) -> None:
    width, height = picture.size
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.theme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate(f"location.hash = '{picture.address}'")
    expect(page.get_by_role("dialog")).to_be_visible(visible="#finding=" in picture.address)
    page.screenshot(path=DOCS / PICTURES / f"{picture.name}.png")
    context.close()


def _page(run: Run, newest: Scan, one: Line, pictures: Sequence[Picture]) -> Iterator[str]:
    yield HEAD
    for each in pictures:
        yield f"![{each.about}]({PICTURES}/{each.name}.png)\n\n*{each.about}.*\n"
    yield "## The mail\n\nOnly when something changed, and at most 60 lines:\n"
    yield _block(newest.text("mail.txt").decode().partition(FOOTER)[0])
    yield "## The chat channel\n\nWhat Amazon Q Developer posts to Slack or Microsoft Teams:\n"
    yield _block("\n".join(_chat(newest)))
    yield "## The command line\n"
    for about, arguments in _commands(one):
        done = run(*arguments, columns=WIDTH, fails=1 if arguments[0] == "status" else 0)
        yield f"{about}:\n"
        yield _block(f"$ orgscan {' '.join(arguments)}\n{done.stdout}")


def _commands(one: Line) -> Iterator[tuple[str, Sequence[str]]]:
    yield "How things stand", ("status",)
    worst = ("--severity", "critical", "--account", one.account_name)
    yield "What is worst in an account, cause by cause", ("findings", *worst, "--group", "check")
    yield "One finding", ("show", one.id[:12])
    yield "What changed since the scan before", ("diff", "--limit", "3")
    yield "How it went", ("history",)
    yield "And where", ("history", "--by", "account")


def _chat(scan: Scan) -> Iterator[str]:
    told = json.loads(scan.text("orgscan-chat-platform.json"))["content"]
    yield from (told["title"], "", told["description"], "", *(f"- {each}" for each in told["nextSteps"]))


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"


if __name__ == "__main__":
    main()
