"""docs/cli.md: every command, with examples, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import typer

from cli.main import app
from cli.markdown import page, prose, table

WIDTH = 120
HEAD = """\
# The command line

`bin/orgscan` runs from anywhere; a link to it in a folder of your `PATH`, or `alias
orgscan=<here>/bin/orgscan`, makes it `orgscan`. `.venv/bin/python -m cli`, from here, is the same. `orgscan
--install-completion` completes commands, options, ids of checks and local scans in bash, zsh, fish and
PowerShell.

**Where results are.** Commands over results look at `--results FOLDER`: one scan's results, or a folder of
several. Without it they look into `./results` if a scan lies there, as `make scan` leaves it. Otherwise, or
with `--stack NAME`, they ask the deployed stack, with the credentials of your environment (`AWS_PROFILE`,
`AWS_DEFAULT_REGION`: the hub's account and region). That needs `cloudformation:DescribeStacks`,
`s3:ListBucket` and `s3:GetObject` on the hub's bucket, `kms:Decrypt` with its key, and for `status`
`states:ListExecutions`. `--scan` names a scan by its id, the beginning of it, `latest`, `latest~2` (two
before it) or `previous`.

**Terminals and pipes.** On a terminal output fits its width, from 40 to 120 columns; in a pipe each finding
is one line, without colour. `NO_COLOR` and `TERM=dumb` mean what they say. What accounts are called, and
their tags, is shown as printable ASCII: no name can move the cursor or begin a line. `--json` and `--format
json` have everything.

**Exit codes** stand with each command. Everywhere 2 means that an option, the configuration or the place is
wrong and nothing was done, 130 that you interrupted it, and 141 that whoever read its output went away.
"""
EXAMPLES: Mapping[str, Sequence[str]] = {
    "status": ("orgscan status", "orgscan status --stack OrgscanHub --json"),
    "findings": (
        "orgscan findings --min-severity high --new",
        "orgscan findings --group owner --limit 3",
        "orgscan findings --category cost --sort usd --limit 10",
        "orgscan findings --account acme-prod --region 'eu-*' --older-than 30d",
        "orgscan findings --tag stage=prod --unowned --format csv",
        "orgscan findings --status resolved --scan previous",
    ),
    "show": ("orgscan show 07fcd01cb9d4", "orgscan show ec2-instance-idle"),
    "diff": ("orgscan diff", "orgscan diff latest~7 latest --exit-code"),
    "history": ("orgscan history --last 30", "orgscan history --by account --schedule daily"),
    "suppress": (
        "orgscan suppress 07fcd01cb9d4 --reason 'Public on purpose.' --owner platform --expires 90d",
        "orgscan suppress --tag stage=dev --reason 'Emptied daily.' --owner platform --expires 30d --dry-run",
    ),
    "report": ("orgscan report --open", "orgscan report --scan previous --output report.html"),
    "checks list": ("orgscan checks list --service rds --severity critical --framework 'CIS AWS 5.0'",),
    "checks show": ("orgscan checks show ec2-instance-idle",),
    "policy": ("orgscan policy --config orgscan.yaml",),
    "lint": ("orgscan lint --findings findings.jsonl.gz",),
    "doctor": ("orgscan doctor --account 111122223333",),
    "start": ("orgscan start --account 111122223333 --region 'eu-*' --category security",),
    "scan": (
        "orgscan scan",
        "orgscan scan --organization --role auditor --category security",
        "orgscan scan --fail-on high --fail-on-gaps",
    ),
    "export": (
        "orgscan export csv --output findings.csv",
        "orgscan export asff --push --dry-run",
        "orgscan export junit --severity critical --severity high --output findings.xml",
    ),
    "estimate": ("orgscan estimate --accounts 100 --regions 17 --scans-per-month 30",),
}
"""Command -> as one may type it; the first ones are what it is for."""


def pages() -> dict[str, str]:
    """Path below docs/ -> content."""
    sections = (line for name, command in commands() for line in _section(name, command))
    return {"cli.md": page([HEAD, *sections]).rstrip("\n") + "\n"}


def commands() -> Iterator[tuple[str, Any]]:
    """'checks list' -> the command, in the order of `orgscan --help`."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined] # a group
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())
        else:
            yield name, command


def _section(name: str, command: Any) -> Iterator[str]:
    about, _, codes = " ".join(command.help.split()).partition("Exit code")
    yield from (f"## orgscan {name}", "", *_paragraph(about), "")
    if name in EXAMPLES:
        yield from ("```sh", *EXAMPLES[name], "```", "")
    context = command.make_context(name, [], resilient_parsing=True)
    records = (option.get_help_record(context) for option in command.params)
    yield from table(("", ""), ((f"`{names}`", prose(told)) for names, told in filter(None, records)))
    yield from ("", *_paragraph(f"Exit code{codes}"), "")


def _paragraph(text: str) -> Sequence[str]:
    return wrap(prose(text.strip()), WIDTH, break_on_hyphens=False, break_long_words=False)
