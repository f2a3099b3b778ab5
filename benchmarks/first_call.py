"""What anybody pays for a first call: `import boto3`, a client of EC2, one call. A script; see cold.py."""

import json
import sys
from pathlib import Path

import boto3

from benchmarks.dial import CONNECTED, redirect
from benchmarks.took import peak_mib


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    redirect(told["port"], told["certificate"])
    boto3.client("ec2").describe_volumes(MaxResults=1000)  # as the recording has it
    Path(told["result"]).write_text(json.dumps({"connected": CONNECTED, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
