"""Prowler as its command runs it, with AWS's names dialled here. A script of Prowler's own environment.

    python -P prowler_script.py TOLD.json           # on PYTHONPATH: this folder's parent

TOLD: port, certificate, checks (Prowler's names), regions, folder (for its report), result. What it took is
written to `result`, with what it says of each resource.
"""

import csv
import json
import sys
import time
from pathlib import Path

from benchmarks.dial import redirect
from benchmarks.took import cpu_s, peak_mib

ARGUMENTS = (
    *("aws", "--no-banner", "--no-color", "--ignore-exit-code-3"),
    *("--scan-unused-services", "--output-formats", "csv"),
)
"""All that is there, as orgscan looks at it, and one report; 3 is how it ends when something failed."""


def main() -> None:
    began, told = time.monotonic(), json.loads(Path(sys.argv[1]).read_text())
    redirect(told["port"], told["certificate"])
    from prowler.__main__ import prowler  # noqa: PLC0415 (importing it is part of what it takes)

    sys.argv = ["prowler", *ARGUMENTS, "--output-directory", told["folder"]]
    sys.argv += ["--region", *told["regions"], "--checks", *told["checks"]]
    code: object = 0
    try:
        prowler()
    except SystemExit as ended:
        code = ended.code
    if code:
        raise RuntimeError(f"Prowler ended with {code}")
    took = {"seconds": time.monotonic() - began, "cpu": cpu_s(), "peak_mib": peak_mib()}
    (report,) = Path(told["folder"]).glob("*.csv")
    with report.open(newline="") as lines:
        rows = csv.DictReader(lines, delimiter=";")
        said = [[row["CHECK_ID"], row["STATUS"], row["RESOURCE_UID"]] for row in rows]
    Path(told["result"]).write_text(json.dumps({**took, "said": said}))


if __name__ == "__main__":
    main()
