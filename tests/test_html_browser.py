"""The report as people use it: in a real browser, with a keyboard, on a phone, without a network.

`ORGSCAN_SHOTS=<folder>` keeps pictures of it.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from orgscan.line import Line
from orgscan.model import Severity
from orgscan.reconcile import Status
from tests.browsing import accessibility, browser
from tests.reports import HOSTILE, hostile, of, scene
from tests.test_html import made

LAPTOP, PHONE = (1280, 900), (390, 844)
SHOTS = os.environ.get("ORGSCAN_SHOTS")
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"
Open = Callable[..., Page]
PATIENCE = 60_000
"""Milliseconds after which something has failed, on a machine that has much else to do."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("reports")
    pages = {
        "usual": lambda: made(scene()),
        "small": lambda: made(of(scene().lines[::20], scene().resolved[:3])),
        "nothing": lambda: made(of([])),
        "large": lambda: made(scene(), lines=many()),
        "hostile": lambda: made(hostile(*HOSTILE)),
    }

    def written(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_bytes(pages[name]())
        return path

    return written


def many() -> Iterator[Line]:
    """Ten thousand."""
    for number in range(25):
        for line in scene().lines:
            yield replace(line, id=f"{number:02}{line.id[2:]}")


@pytest.fixture
def opened(chromium: Browser, files: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a report; at the end, nothing went wrong in it and nobody was asked for anything."""
    faults: list[str] = []
    asked: list[str] = []
    contexts = []

    def visit(name: str = "usual", address: str = "", size: tuple[int, int] = LAPTOP, **how: Any) -> Page:
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{files(name).as_uri()}{address}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []
    assert all(url.startswith("file://") and "reports" in url for url in asked)
    assert len(asked) >= len(contexts)


def count(page: Page) -> str:
    return page.locator("#count").inner_text()


def rows(page: Page) -> Any:
    return page.locator(".findings tbody tr:not(.group)")


def column(page: Page, name: str) -> list[str]:
    return page.locator(f".findings td.{name}").all_inner_texts()


def view(page: Page) -> str:
    return page.evaluate("location.hash")  # type: ignore[no-any-return]


def test_it_tells_all_there_is(opened: Open) -> None:
    page = opened()
    headings = page.locator("main h2").all_inner_texts()
    assert headings == [
        *("Numbers", "Not seen", "Top fixes", "Where", "Trend", "Savings", "Compliance", "Findings"),
        *("Resolved by this scan", "Suppressions that end", "Accounts", "Tags", "What the scan cost"),
    ]
    assert count(page).startswith("400 findings, ")
    assert rows(page).count() == 100
    assert page.get_by_role("heading", level=1).inner_text().startswith("INCOMPLETE 99.7% of 4,092 checks")
    assert re.search(r"Closing these 5 causes removes \d+% of critical", page.locator(".lead").inner_text())
    page.get_by_text("kms:ListKeys").click()
    expect(page.get_by_text("Exempt the role in the policy")).to_be_visible()


def test_a_chart_shows_the_numbers_of_the_findings(opened: Open) -> None:
    table = opened().get_by_role("table", name="Open findings by category and severity")
    told = {
        row.get_by_role("rowheader").inner_text(): (
            row.get_by_role("img").get_attribute("aria-label"),
            row.get_by_role("cell").last.inner_text(),
        )
        for row in table.get_by_role("row").all()[1:]
    }
    lines = [line for line in scene().lines if line.status is Status.OPEN]
    for family, (label, total) in told.items():
        own = [line.severity for line in lines if line.category == family]
        parts = [f"{own.count(each)} {each}" for each in reversed(Severity) if own.count(each)]
        assert label == ", ".join(parts)
        assert total == str(len(own))
    assert len(told) == len({line.category for line in lines})


def test_searching_takes_all_words_from_everywhere(opened: Open) -> None:
    page = opened()
    page.get_by_role("searchbox").fill("payments-prod  STAGE=prod ")
    expect(page.locator("#count")).to_contain_text(" of 400 findings")
    wanted = [
        line
        for line in scene().lines
        if line.account_name == "payments-prod" and (line.tags or {}).get("stage") == "prod"
    ]
    assert count(page).startswith(f"{len(wanted)} of 400 findings")
    assert rows(page).count() == len(wanted)
    assert {*column(page, "account")} == {"payments-prod"}
    page.get_by_role("searchbox").fill("nothing is called so")
    expect(page.get_by_text("No finding is like that.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_contain_text("400 findings, ")
    assert view(page) == ""


def test_a_view_is_an_address(opened: Open) -> None:
    page = opened()
    page.locator("select[name=severity]").select_option("high or worse")
    page.locator("select[name=status]").select_option("open")
    page.locator("select[name=owner]").select_option("nobody")
    page.get_by_role("button", name="Days").click()
    wanted = [
        line
        for line in scene().lines
        if line.severity.rank >= 3 and line.status is Status.OPEN and not line.owner.name
    ]
    told, address = count(page), view(page)
    assert told.startswith(f"{len(wanted)} of 400 findings")
    days = [int(each) for each in column(page, "age")]
    assert days == sorted(days, reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Days")
    assert page.evaluate("document.activeElement.dataset.sort") == "age"
    again = opened("usual", address)
    assert count(again) == told
    assert column(again, "resource") == column(page, "resource")
    assert again.locator("select[name=owner]").input_value() == " "
    page.get_by_role("button", name="Days").click()
    assert [int(each) for each in column(page, "age")] == sorted(days)


def test_every_column_sorts(opened: Open) -> None:
    page = opened("small")

    def sorted_by(order: str, name: str) -> list[str]:
        page.evaluate(f"location.hash = '#sort={order}{name}'")
        sign = "descending" if order else "ascending"
        expect(page.locator(f"th[aria-sort={sign}] [data-sort={name}]")).to_be_visible()
        return [each.partition("\n")[0] for each in column(page, name)]

    for name in ("severity", "check", "resource", "account", "region", "owner", "age", "usd", "status"):
        told = sorted_by("", name)
        assert told == sorted_by("-", name)[::-1]
        assert len({*told}) > 1


def test_a_number_leads_to_its_findings(opened: Open) -> None:
    page = opened()
    critical = page.locator(".numbers .critical a")
    critical.click()
    expect(page.locator("#count")).to_contain_text(f"{critical.inner_text().split()[0]} of 400 findings")
    assert {*column(page, "severity")} == {"critical"}
    expect(page.locator("#findings")).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#count")).to_contain_text("400 findings, ")


def test_groups_hold_every_finding(opened: Open) -> None:
    page = opened()
    for by in ("check", "account", "owner", "region"):
        page.locator("select[name=group]").select_option(by)
        told = page.locator(".group .told").all_inner_texts()
        assert sum(int(each) for text in told for each in re.findall(r"(\d+) [a-z]+(?=[,;]|$)", text)) == 400
        first = page.locator(".fold").first
        assert first.get_attribute("aria-expanded") == "false"
        first.focus()
        page.keyboard.press("Enter")
        assert first.get_attribute("aria-expanded") == "true"
        assert rows(page).count() > 0
        page.keyboard.press("Enter")
        assert rows(page).count() == 0


def test_pages_follow_each_other(opened: Open) -> None:
    page = opened()
    seen = column(page, "resource")
    for number in (2, 3, 4):
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text(f"Page {number} of 4")).to_be_visible()
        seen += column(page, "resource")
    assert len(seen) == 400
    assert page.get_by_role("button", name="Next").is_disabled()
    assert view(page) == "#page=4"


def test_a_link_opens_its_finding_and_escape_leads_back(opened: Open) -> None:
    page = opened()
    link = page.locator(".findings td a").nth(2)
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert re.fullmatch("#finding=[0-9a-f]{20}", view(page))
    assert dialog.get_by_role("heading", level=2).inner_text() == link.inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_function("location.hash === ''")  # a dialog is hidden first, and says so afterwards
    assert page.evaluate("document.activeElement.textContent") == link.inner_text()


def test_a_deep_link_shows_all_of_a_finding(opened: Open) -> None:
    line = next(line for line in scene().lines if line.saving and line.tags and len(line.history) > 2)
    page = opened("usual", f"#finding={line.id}")
    dialog = page.get_by_role("dialog")
    for part in ("Evidence", "Why it matters", "What to do", "About it", "Tags", "More"):
        expect(dialog.get_by_role("heading", name=part, exact=True)).to_be_visible()
    said = " ".join(dialog.inner_text().split())
    assert line.saving
    assert line.tags
    told = (line.resource, *line.problems, line.account_name, line.owner.name, line.id, *line.tags.values())
    assert all(each in said for each in told)
    assert f"{line.saving.monthly_usd:,.2f} USD a month, {line.saving.confidence} confidence" in said
    assert all(f"{event.when[:10]} {event.change}" in said for event in line.history)
    name = line.resource.replace(":", "/").rpartition("/")[2]
    assert f"aws ec2 modify-it --id {name} --region {line.region} aws tag-it --arn {line.resource}" in said
    assert "aws_ec2.CfnIt( self)" in said


def test_from_finding_to_finding(opened: Open) -> None:
    page = opened()
    page.locator(".findings td a").first.click()
    dialog = page.get_by_role("dialog")
    first = dialog.inner_text()
    dialog.get_by_role("link", name="Next").click()
    expect(dialog.get_by_text("2 of 400")).to_be_visible()
    dialog.get_by_role("link", name="Previous").click()
    expect(dialog.get_by_text("1 of 400")).to_be_visible()
    assert dialog.inner_text() == first
    page.go_back()
    expect(dialog.get_by_text("2 of 400")).to_be_visible()


def test_a_finding_that_is_not_here_is_said_so(opened: Open) -> None:
    page = opened("small", f"#finding={'f' * 20}")
    expect(page.get_by_role("dialog")).to_contain_text("neither open, suppressed nor resolved in this scan")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_resolved_findings_open_too(opened: Open) -> None:
    page = opened("small")
    page.locator("#after a[href*=finding]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Resolved, because")


def test_commands_are_copied(opened: Open) -> None:
    page = opened("small", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".findings td a").first.click()
    block = page.locator(".copied").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").inner_text()


def test_every_stop_of_the_keyboard_can_be_seen(opened: Open) -> None:
    page = opened("small")
    stops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                "(() => { const e = document.activeElement;"
                " return [e.textContent.trim().slice(0, 30), getComputedStyle(e).outlineStyle]; })()"
            )
        )
    assert stops[0][0] == "To the findings"
    assert {outline for _, outline in stops} == {"solid"}


def test_ten_thousand_rows_are_shown_a_hundred_at_a_time(opened: Open) -> None:
    page = opened("large")
    assert count(page).startswith("10,000 findings")
    assert rows(page).count() == 100
    page.get_by_role("searchbox").fill("security-team")
    page.locator("select[name=region]").select_option("eu-west-1")
    wanted = 25 * sum(
        line.region == "eu-west-1" and line.owner.name == "security-team" for line in scene().lines
    )
    expect(page.locator("#count")).to_contain_text(f"{wanted:,} of 10,000 findings")
    page.locator("select[name=group]").select_option("account")
    assert page.locator(".group").count() <= 12


def test_a_report_of_nothing(opened: Open) -> None:
    page = opened("nothing")
    assert count(page) == "0 findings."
    expect(page.get_by_text("No finding is like that.")).to_be_visible()


def test_without_scripts_it_says_what_the_scan_came_to(opened: Open) -> None:
    page = opened("usual", java_script_enabled=False)
    said = page.locator("main").inner_text()
    assert said.startswith("INCOMPLETE 99.7% of 4,092 checks evaluated")
    opened_ = [line.severity for line in scene().lines if line.status is Status.OPEN]
    assert f"{opened_.count(Severity.CRITICAL)}\ncritical" in re.sub(r"\s*\n\s*", "\n", said)
    assert "findings.jsonl.gz and summary.json" in said
    assert page.locator("#table").is_hidden()


def test_whatever_somebody_calls_a_thing_is_shown_and_nothing_else(opened: Open) -> None:
    page = opened("hostile", size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    everything = spaced(page.locator("main").text_content() or "")
    for line, text in zip(hostile(*HOSTILE).lines, HOSTILE, strict=True):
        assert everything.count(literally(text)) >= 15
        page.evaluate(f"location.hash = '#account={line.account}&group=owner&finding={line.id}'")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(line.id)
        assert spaced(dialog.text_content() or "").count(literally(text)) >= 8
        assert page.locator("#count").text_content() == "1 of 13 findings, 1 owner, 3.50 USD a month. "
    page.evaluate("location.hash = '#q=pwned'")
    expect(page.locator("#count")).to_contain_text("7 of 13 findings")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main script, main img, main iframe, main object, bdi > *").count() == 0


def spaced(text: str) -> str:
    return " ".join(text.split())


def literally(text: str) -> str:
    return spaced(re.sub("[\x00-\x08\x0b-\x1f\u2028-\u202e\ud800-\udfff]", "\ufffd", text))


def test_the_page_lets_nobody_in(opened: Open, chromium: Browser, files: Callable[[str], Path]) -> None:
    """Even a script that got in could neither make markup of text nor call anybody."""
    assert opened("nothing").evaluate("document.querySelectorAll('meta[http-equiv]').length") == 1
    page = chromium.new_page()
    page.goto(files("nothing").as_uri())
    markup = (
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'in'; } catch { return 'out'; } })()"
    )
    assert page.evaluate(markup) == "out"
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'in', () => 'out')") == "out"
    handler = "document.body.setAttribute('onclick', 'window.pwned = 1')"
    with pytest.raises(PlaywrightError, match="TrustedScript"):
        page.evaluate(handler)
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_everybody_can_use_it(opened: Open, size: tuple[int, int], theme: Any) -> None:
    page = opened("small", size=size, color_scheme=theme)
    page.evaluate(accessibility())
    page.evaluate(
        "for (const each of document.querySelectorAll('section details:nth-of-type(1)')) each.open = true"
    )
    page.locator("select[name=group]").select_option("check")
    page.locator(".fold").first.click()
    assert serious(page, "document") == []
    page.locator(".findings td a").first.click()
    assert serious(page, "'#detail'") == []


def serious(page: Page, part: str) -> list[str]:
    told = json.loads(
        page.evaluate(f"axe.run({part}, {RULES}).then((told) => JSON.stringify(told.violations))")
    )
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in told
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_the_theme_is_the_systems_until_somebody_says_otherwise(opened: Open) -> None:
    page = opened("small", color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(ground)
    assert light != dark
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(ground) == dark
    assert opened("small", color_scheme="light").evaluate(ground) == light


@pytest.mark.parametrize("size", [LAPTOP, PHONE, (320, 640)], ids=["laptop", "phone", "small-phone"])
def test_nothing_scrolls_sideways(opened: Open, size: tuple[int, int]) -> None:
    """And what it looks like, where pictures are wanted."""
    line = next(line for line in scene().lines if line.saving and line.tags and len(line.history) > 2)
    views = {
        "overview": "",
        "findings": "#status=open&severity=high%2B",
        "groups": "#group=check&status=open",
        "finding": f"#finding={line.id}",
    }
    for theme in ("light", "dark") if SHOTS else ("light",):
        page = opened("usual", size=size, color_scheme=theme)
        for name, address in views.items():
            page.evaluate(f"location.hash = '{address}'")
            expect(page.get_by_role("dialog")).to_be_visible(visible=name == "finding")
            assert page.evaluate("document.documentElement.scrollWidth") == size[0]
            assert page.evaluate("document.querySelector('dialog').scrollWidth") <= size[0]
            if SHOTS:
                height = 2600 if name == "overview" else size[1]
                page.set_viewport_size({"width": size[0], "height": height})
                page.screenshot(path=Path(SHOTS) / f"{name}-{size[0]}-{theme}.png")
