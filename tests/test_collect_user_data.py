"""What looks secret in user data, however it is packed, and that nothing of it is kept."""

import gzip
import tracemalloc
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from orgscan.model import Blindness, Gap, Target
from orgscan.services.ec2 import collect
from orgscan.services.ec2.collect import user_data
from orgscan.session import Clients
from tests.answers import answer, refuse

PASSWORD = "hunter2!Zq8x"
SCRIPT = f"#!/bin/bash\nset -e\nexport DB_PASSWORD={PASSWORD}\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n"
SALT = "salt"


def found(packed: bytes) -> list[tuple[str, str]]:
    secrets = user_data.find(packed, SALT)
    assert not isinstance(secrets, Gap)
    assert PASSWORD not in str(secrets)
    return [(each.rule, each.location) for each in secrets]


def mime(*parts: str, **how: Any) -> bytes:
    message = EmailMessage()
    message.make_mixed()
    for part in parts:
        message.add_attachment(part, subtype="x-shellscript", **how)
    return bytes(message)


IN_LINE_3 = [("assignment", "user data, line 3")]


@pytest.mark.parametrize(
    ("packed", "secrets"),
    [
        (SCRIPT.encode(), IN_LINE_3),
        (gzip.compress(SCRIPT.encode(), mtime=0), IN_LINE_3),
        (
            gzip.compress(b"#\n", mtime=0) + gzip.compress(SCRIPT.encode(), mtime=0),
            [("assignment", "user data, line 4")],
        ),
        (f"password: {PASSWORD}".encode(), [("assignment", "user data")]),
        (f"Content-Type: text/plain\npassword: {PASSWORD}".encode(), [("assignment", "user data, line 2")]),
        (SCRIPT.replace("\n", "\r\n").encode(), IN_LINE_3),
        (b"\xff\xfe" + SCRIPT.encode(), IN_LINE_3),
        (b"", []),
        (b"#!/bin/bash\nexport DB_PASSWORD=${DB_PASSWORD}\n", []),
        (b"password: {{resolve:secretsmanager:db:SecretString:password}}", []),
        (mime("#!/bin/bash\necho hello\n", SCRIPT), [("assignment", "user data, part 2, line 3")]),
        (mime(SCRIPT, KEY, cte="base64"), [
            ("assignment", "user data, part 1, line 3"),
            ("private-key", "user data, part 2, line 1"),
        ]),
        (mime(SCRIPT, cte="quoted-printable"), [("assignment", "user data, part 1, line 3")]),
        (gzip.compress(mime(SCRIPT, cte="base64"), mtime=0), [("assignment", "user data, part 1, line 3")]),
        (
            b"Content-Transfer-Encoding: base64\n\n" + b64encode(SCRIPT.encode()),
            [("assignment", "user data, part 1, line 3")],
        ),
    ],
)  # fmt: skip
def test_secrets_are_found_in_every_packing(packed: bytes, secrets: list[tuple[str, str]]) -> None:
    assert found(packed) == secrets


def test_a_part_that_is_compressed_itself() -> None:
    message = EmailMessage()
    message.make_mixed()
    message.add_attachment(gzip.compress(SCRIPT.encode(), mtime=0), maintype="application", subtype="gzip")
    assert found(bytes(message)) == [("assignment", "user data, part 1, line 3")]


def test_nothing_is_unpacked_without_end() -> None:
    bomb = gzip.compress(bytes(50 * 2**20))
    tracemalloc.start()
    assert isinstance(user_data.find(bomb, SALT), Gap)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * 2**20
    assert isinstance(user_data.find(mime("x").replace(b"x\n", b"") + bytes(2**20), SALT), Gap)
    message = EmailMessage()
    message.make_mixed()
    message.add_attachment(bomb, maintype="application", subtype="gzip")
    gap = user_data.find(bytes(message), SALT)
    assert isinstance(gap, Gap)
    assert gap.reason is Blindness.NO_DATA


def test_the_same_secret_is_known_again_under_the_same_salt_only() -> None:
    digests = [
        each.digest
        for salt in ("a", "b")
        for text in (SCRIPT, f"\npassword={PASSWORD}")
        for each in user_data.find(text.encode(), salt)  # type: ignore[union-attr]
    ]
    assert digests[0] == digests[1] != digests[2] == digests[3]


@pytest.fixture
def ec2(aws: boto3.Session) -> Any:
    return aws.client("ec2")


def run(ec2: Any, text: str = "", tags: dict[str, str] | None = None) -> str:
    named = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    (made,) = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        **({"UserData": text} if text else {}),
        **({"TagSpecifications": [{"ResourceType": "instance", "Tags": named}]} if named else {}),
    )["Instances"]
    return str(made["InstanceId"])


def test_every_instance_is_asked(ec2: Any, clients: Clients, target: Target) -> None:
    secret, plain, none = run(ec2, SCRIPT), run(ec2, "#!/bin/bash\n"), run(ec2)
    gone = run(ec2, SCRIPT)
    ec2.terminate_instances(InstanceIds=[gone])
    seen = {each.id: each.user_data for each in collect.ec2_instances.read(clients, target, salt=SALT)}
    assert (seen[plain], seen[none]) == ((), None)
    assert seen[secret] == user_data.find(SCRIPT.encode(), SALT)
    assert gone not in seen


def test_instances_of_one_template_version_in_a_group_are_asked_once(
    ec2: Any, clients: Clients, target: Target
) -> None:
    asked: list[str] = []
    clients.get("ec2").meta.events.register(
        "before-parameter-build.ec2.DescribeInstanceAttribute",
        lambda params, **_: asked.append(params["InstanceId"]),
    )
    web = dict(zip(collect.instances.LAUNCHED_BY, ("web", "lt-1", "1"), strict=True))
    ids = [run(ec2, SCRIPT, web) for _ in range(3)]
    newer = run(ec2, "#!/bin/bash\n", {**web, "aws:ec2launchtemplate:version": "2"})
    api = run(ec2, "#!/bin/bash\n", {**web, "aws:autoscaling:groupName": "api"})
    alone = run(
        ec2, "#!/bin/bash\n", {"aws:ec2launchtemplate:id": "lt-1", "aws:ec2launchtemplate:version": "1"}
    )
    seen = {each.id: each.user_data for each in collect.ec2_instances.read(clients, target, salt=SALT)}
    assert [bool(seen[id_]) for id_ in (*ids, newer, api, alone)] == [True, True, True, False, False, False]
    assert len(asked) == 4
    assert set(asked) >= {newer, api, alone}


DESCRIBED: dict[str, Any] = {
    "InstanceId": "i-1",
    "ImageId": "ami-1",
    "InstanceType": "m5.large",
    "State": {"Name": "running"},
    "LaunchTime": datetime(2026, 1, 1, tzinfo=UTC),
}


def test_what_may_not_be_read_is_a_gap(clients: Clients, target: Target) -> None:
    odd = [{key: DESCRIBED[key] for key in DESCRIBED if key != out} for out in DESCRIBED]
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [*odd, DESCRIBED]}]})
    lost: list[Gap] = []
    refuse(clients, target, "ec2:DescribeInstanceAttribute", "UnauthorizedOperation")
    (instance,) = collect.ec2_instances.read(clients, target, spoil=lost.append)
    assert instance.user_data == Gap("user_data_of", Blindness.DENIED, "ec2:DescribeInstanceAttribute")
    assert len(lost) == len(odd)


def test_an_instance_that_is_terminated_meanwhile(clients: Clients, target: Target) -> None:
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [DESCRIBED]}]})
    refuse(clients, target, "ec2:DescribeInstanceAttribute", "InvalidInstanceID.NotFound")
    (instance,) = collect.ec2_instances.read(clients, target)
    assert instance.user_data is None


def test_what_cannot_be_unpacked_is_a_gap(clients: Clients, target: Target) -> None:
    damaged = ("A", b64encode(b"\x1f\x8b damaged"), b64encode(gzip.compress(b"x" * 99)[:20]))
    described = [{**DESCRIBED, "InstanceId": f"i-{number}"} for number in range(len(damaged))]
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": described}]})
    answers = [{"UserData": {"Value": value}} for value in damaged]
    answer(clients, target, "ec2:DescribeInstanceAttribute", *answers)
    for instance in collect.ec2_instances.read(clients, target):
        assert isinstance(instance.user_data, Gap)
        assert instance.user_data.reason is Blindness.FAULT
