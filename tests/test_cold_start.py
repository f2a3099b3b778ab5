"""What the scan worker imports is what every invocation's cold start pays for."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_HERE = {"pydantic", "yaml", "jinja2", "aws_cdk", "rich", "typer", "moto", "constructs"}
SHOW = "import json, sys, scan; print(json.dumps(sorted(sys.modules)))"


def test_the_scan_worker_imports_only_what_scanning_needs() -> None:
    shown = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", SHOW],
        env={
            "PYTHONPATH": f"{ROOT / 'layers/orgscan/python'}:{ROOT / 'functions'}",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "POWERTOOLS_TRACE_DISABLED": "1",
        },
        capture_output=True,
        check=True,
        text=True,
    )
    modules = set(json.loads(shown.stdout))
    assert "orgscan.engine" in modules
    assert {each for each in NOT_HERE if each in modules} == set()
    assert "orgscan.present.mail" not in modules
