"""What the invented organization answered when it was recorded (benchmarks/recorder.py), as it is kept."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.request import Key

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
ACCOUNTS = 14
"""Of which one is suspended and one has no role: twelve are looked at."""
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "eu-north-1")
"""All of them on, none denied: nothing is blind."""
SOURCES = ("local/**/*.py", "layers/orgscan/**/collect*.py", "layers/orgscan/**/collect/*.py")
FORMAT = 1
"""Of what is kept; another one makes what was recorded before unreadable."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`call` is 'ec2:DescribeVolumes'."""

    call: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """`plan` is the scan's plan.json, `targets` what it planned of the accounts that can be entered."""

    scan: str
    plan: bytes
    targets: tuple[Mapping[str, Any], ...]
    environment: Mapping[str, str]
    memory_mib: int
    configuration: str
    answers: Mapping[Key, Answer]


def path_of() -> Path:
    """Where the recording lies that `load` answers with."""
    return FOLDER / f"recording-{fingerprint()}.pickle"


def read(path: Path) -> Recording:
    told: Recording = pickle.loads(path.read_bytes())  # noqa: S301 (our own)
    return told


def fingerprint() -> str:
    """Of what decides about calls and answers. What a scan makes of them does not count."""
    digest = sha256(f"{FORMAT} {ACCOUNTS} {REGIONS} {version('moto')} {version('botocore')}".encode())
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)}):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
