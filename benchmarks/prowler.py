"""Prowler beside orgscan: the same facts of one account in four regions, against the same served AWS.

    python -m benchmarks prowler [--rounds N] [--latency MS ...]

Prowler is installed into an environment of its own in `build/bench/`, once (1.4 GB), and told its checks that
ask what `PAIRS` has of orgscan's. What it asks is recorded through the embedded AWS, once, like what a scan
asks. But for the function that is warm, all start from nothing: figures are those of whole processes.
"""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from benchmarks.recorder import UNANSWERED, load, of_one_account
from benchmarks.recording import FOLDER, REGIONS, ROOT, Recording, fingerprint
from benchmarks.scanning import Target, chosen
from benchmarks.workshop import SHOWN, Bench, middle, save, show
from local.iam import admin_key

VERSION = "5.46.0"
PAIRS = MappingProxyType(
    {
        "cloudtrail-multi-region-trail-missing": "cloudtrail_multi_region_enabled",
        "config-recorder-off": "config_recorder_all_regions_enabled",
        "ebs-default-encryption-disabled": "ec2_ebs_default_encryption",
        "ebs-snapshot-public": "ec2_ebs_public_snapshot",
        "ebs-volume-unencrypted": "ec2_ebs_volume_encryption",
        "ec2-ami-public": "ec2_ami_public",
        "ec2-instance-imdsv1-allowed": "ec2_instance_imdsv2_enabled",
        "ec2-network-acl-open-admin-ports": "ec2_networkacl_allow_ingress_tcp_port_22",
        "ec2-security-group-default-allows-traffic": "ec2_securitygroup_default_restrict_traffic",
        "ec2-security-group-open-all-ports": "ec2_securitygroup_allow_ingress_from_internet_to_all_ports",
        "ec2-security-group-open-rdp": "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389",
        "ec2-security-group-open-ssh": "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
        "efs-file-system-unencrypted": "efs_encryption_at_rest_enabled",
        "guardduty-disabled": "guardduty_is_enabled",
        "iam-inline-policy-full-admin": "iam_inline_policy_no_administrative_privileges",
        "iam-password-policy-min-length-short": "iam_password_policy_minimum_length_14",
        "iam-policy-full-admin-customer-managed": "iam_customer_attached_policy_no_administrative_privileges",
        "iam-root-access-key-present": "iam_no_root_access_key",
        "iam-root-mfa-disabled": "iam_root_mfa_enabled",
        "iam-root-used-recently": "iam_avoid_root_usage",
        "iam-user-access-key-not-rotated": "iam_rotate_access_key_90_days",
        "iam-user-access-key-unused": "iam_user_accesskey_unused",
        "iam-user-console-access-unused": "iam_user_console_access_unused",
        "iam-user-console-mfa-missing": "iam_user_mfa_enabled_console_access",
        "kms-key-policy-public": "kms_key_not_publicly_accessible",
        "kms-key-rotation-off": "kms_cmk_rotation_enabled",
        "lambda-function-policy-public": "awslambda_function_not_publicly_accessible",
        "lambda-function-runtime-deprecated": "awslambda_function_using_supported_runtimes",
        "rds-cluster-unencrypted": "rds_cluster_storage_encrypted",
        "rds-instance-public": "rds_instance_no_public_access",
        "rds-instance-unencrypted": "rds_instance_storage_encrypted",
        "rds-snapshot-public": "rds_snapshots_public_access",
        "s3-account-public-access-block-off": "s3_account_level_public_access_blocks",
        "s3-bucket-insecure-transport-allowed": "s3_bucket_secure_transport_policy",
        "s3-bucket-policy-public": "s3_bucket_public_access",
        "s3-bucket-public-access-block-off": "s3_bucket_level_public_access_block",
        "secretsmanager-rotation-off": "secretsmanager_automatic_rotation_enabled",
        "sns-topic-policy-public": "sns_topics_not_publicly_accessible",
        "sqs-queue-policy-public": "sqs_queues_not_publicly_accessible",
        "vpc-flow-logs-disabled": "vpc_flow_logs_enabled",
    }
)
"""Of orgscan's checks that of Prowler which asks the same of the same resources."""
PEER = f"Prowler {VERSION}, {len(PAIRS)} checks"
COLUMNS = (
    "",
    "latency ms",
    "wall s",
    "CPU s",
    "peak MiB",
    "member calls",
    "refused",
    "connections",
    "wall of Prowler",
    "CPU of Prowler",
)
Took = Mapping[str, Any]


def run(*, rounds: int, latencies: Sequence[float], tls: bool) -> None:
    recording = load(say=SHOWN.print)
    *_, (name, targets) = chosen("one", recording)
    python = installed()
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        path = Path(folder)
        peer = _peer(recording, path, python, targets[0]["account"], tls=tls)
        measured: dict[tuple[float, str], list[Took]] = {}
        for _ in range(rounds):
            for latency in latencies:
                for way, measure in _ways(recording, path, targets, tls=tls).items():
                    measured.setdefault((latency, way), []).append(measure(latency))
                measured.setdefault((latency, PEER), []).append(_prowler(peer, python, latency))
    rows = [_middle(measured, latency, way) for latency, way in measured]
    show(f"{name}; medians of {rounds}", COLUMNS, ([row[each] for each in COLUMNS] for row in rows))
    said = [each for (_, way), took in measured.items() if way == PEER for each in took[0]["said"]]
    save("prowler", {"rounds": rounds, "tls": tls, "pairs": dict(PAIRS), "rows": rows, "prowler_says": said})


def installed() -> Path:
    """Prowler's Python."""
    place = FOLDER / f"prowler-{VERSION}"
    python = place / "bin" / "python"
    if not (place / "bin" / "prowler").exists():
        SHOWN.print(f"installing Prowler {VERSION}, once; this takes some minutes")
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--seed", str(place)], check=True)  # noqa: S603
        wanted = ["--python", str(python), "--compile-bytecode", f"prowler=={VERSION}"]
        subprocess.run([*uv, "pip", "install", "--quiet", *wanted], check=True)  # noqa: S603
    return python


def _ways(
    recording: Recording, folder: Path, targets: Sequence[Target], *, tls: bool
) -> Mapping[str, Callable[[float], Took]]:
    """The account's targets, for the same checks and for all of the plan."""
    plan = json.loads(recording.plan)
    same = replace(recording, plan=json.dumps({**plan, "checks": sorted(PAIRS)}).encode())
    few, every = _bench(same, folder / "few", tls=tls), _bench(recording, folder / "every", tls=tls)
    account = targets[0]["account"]
    before = [each for each in recording.targets if each["account"] != account][: len(targets)]
    these, those = f"orgscan, the same {len(PAIRS)}", f"orgscan, all {len(plan['checks'])}"
    alone = [[each] for each in targets]
    return {
        f"{these}: one function": partial(_scanned, few, [targets], []),
        f"{these}: one that is warm": partial(_scanned, few, [targets], before),
        f"{these}: a function for each target": partial(_scanned, few, alone, []),
        f"{those}: one function": partial(_scanned, every, [targets], []),
        f"{those}: one that is warm": partial(_scanned, every, [targets], before),
        f"{those}: a function for each target": partial(_scanned, every, alone, []),
    }


def _bench(recording: Recording, folder: Path, *, tls: bool) -> Bench:
    folder.mkdir(exist_ok=True)
    path = folder / "recording.pickle"
    path.write_bytes(pickle.dumps(recording))
    return Bench(recording, folder, tls, path)


def _scanned(
    bench: Bench, shares: Sequence[Sequence[Target]], before: Sequence[Target], latency_ms: float
) -> Took:
    """By a new function for each share, each when the machine is free, as Lambda has a CPU for each.

    With targets `before`, what is counted begins when they are done: the function is warm.
    """
    code = bench.deploy("shipped")
    took = [bench.worker(code, [*before, *share], latency_ms=latency_ms) for share in shares]
    account = shares[0][0]["account"]

    def spent(what: str) -> list[float]:
        counted = [sum(target[what] for target in each["targets"][len(before) :]) for each in took]
        return counted if before else [each["init"][what] + each[what] for each in took]

    return {
        "seconds": max(spent("seconds")),
        "cpu": sum(spent("cpu")),
        "peak_mib": max(each["peak_mib"] for each in took),
        "calls": sum(sum(each["asked"]["by_account"][account].values()) for each in took),
        "refused": 0,  # or there were no figures
        "connections": sum(each["asked"]["connections"] for each in took),
    }


def _peer(recording: Recording, folder: Path, python: Path, account: str, *, tls: bool) -> Bench:
    """What answers Prowler in this account."""
    path = FOLDER / f"prowler-{VERSION}-{fingerprint()}.pickle"
    if not path.exists():
        SHOWN.print("recording what Prowler asks, once; this takes some minutes")
        answers = of_one_account(account, lambda port: _asked(python, account, folder, port))
        path.write_bytes(pickle.dumps(replace(recording, answers=answers)))
    return _bench(pickle.loads(path.read_bytes()), folder / "peer", tls=tls)  # noqa: S301 (our own)


def _prowler(bench: Bench, python: Path, latency_ms: float) -> Took:
    """Refused is what the embedded AWS does not know, and what it was asked in another region when recorded.

    For Prowler asks about a trail in whichever region it comes upon it first.
    """
    account = next(iter(bench.recording.answers))[0]
    with bench.serving(latency_ms=latency_ms, quiet=True) as aws:
        took = _asked(python, account, bench.folder, aws.port, aws.certificate)
        asked = aws.told()
    refused = asked["unknown"] + asked["by_operation"].get(UNANSWERED.call, 0)
    calls = asked["member_calls"] + asked["unknown"]
    return {**took, "calls": calls, "refused": refused, "connections": asked["connections"]}


def _asked(python: Path, account: str, folder: Path, port: int, certificate: str = "") -> Took:
    """Prowler in a process of its own: what it took, and what it says."""
    with TemporaryDirectory(dir=folder) as home:
        told, result, config = (Path(home) / name for name in ("told.json", "result.json", "config"))
        config.write_text("[default]\ns3 =\n  addressing_style = path\n")
        told.write_text(
            json.dumps(
                {
                    "port": port,
                    "certificate": certificate,
                    "checks": sorted(PAIRS.values()),
                    "regions": REGIONS,
                    "folder": f"{home}/report",
                    "result": str(result),
                }
            )
        )
        with (FOLDER / "prowler.log").open("wb") as log:
            done = subprocess.run(  # noqa: S603 (the environment that was made for it)
                [python, "-P", ROOT / "benchmarks" / "prowler_script.py", told],
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "PYTHONPATH": str(ROOT),
                    "PYTHONHASHSEED": "0",  # it asks any of its regions who it is, and that one was recorded
                    "HOME": home,
                    "AWS_CONFIG_FILE": str(config),  # the embedded AWS reads buckets from paths
                    "AWS_DEFAULT_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": admin_key(account),
                    "AWS_SECRET_ACCESS_KEY": "secret",
                    "AWS_SESSION_TOKEN": "t" * 600,
                    "AWS_EC2_METADATA_DISABLED": "true",
                },
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            text = (FOLDER / "prowler.log").read_text()[-3000:]
            raise RuntimeError(f"Prowler ended with {done.returncode}:\n{text}")
        took: Took = json.loads(result.read_text())
        return took


def _middle(
    measured: Mapping[tuple[float, str], Sequence[Took]], latency: float, way: str
) -> Mapping[str, object]:
    names = ("seconds", "cpu", "peak_mib", "calls", "refused", "connections")
    row, peer = (middle(measured[latency, each], *names) for each in (way, PEER))
    counts = (int(row[each]) for each in names[3:])
    ratios = (peer["seconds"] / row["seconds"], peer["cpu"] / row["cpu"])
    return dict(
        zip(
            COLUMNS,
            (way, int(latency), row["seconds"], row["cpu"], row["peak_mib"], *counts, *ratios),
            strict=True,
        )
    )
