"""Recording the invented organization, once, through the embedded AWS; kept in `build/bench/`.

The whole rehearsal is played (stack, roles, a scan by the real functions); every request that a function
makes with a member account's keys is kept as it was on the wire, with its answer.
"""

import io
import pickle
import re
import zipfile
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from moto.awslambda.models import lambda_backends

from benchmarks.recording import ACCOUNTS, FOLDER, REGIONS, Answer, Recording, path_of, read
from benchmarks.request import Key, key
from benchmarks.served_aws import REFUSAL, UNRECORDED
from local import calls, emulator, iam
from local.iam import admin_key
from local.organization import Organization
from local.rehearsal import Rehearsal, Scan

CONFIGURATION = "configuration.json"
HOP = ("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding")
"""Headers that are of one connection."""
SIGNED = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
UNANSWERED = Answer("unknown", UNRECORDED, (), REFUSAL)
"""To what only others than the scan ask."""


def load(*, again: bool = False, say: Callable[[str], None] = print) -> Recording:
    """The recording that is of this code; some minutes the first time, or `again`."""
    path = path_of()
    if again or not path.exists():
        say("recording the invented organization, once; this takes some minutes")
        FOLDER.mkdir(parents=True, exist_ok=True)
        made = record(say)
        path.write_bytes(pickle.dumps(made))
    return read(path)


def record(say: Callable[[str], None]) -> Recording:
    organization = Organization(accounts=ACCOUNTS, regions=REGIONS)
    heard: dict[tuple[str, Key], Answer] = {}
    with (
        TemporaryDirectory(prefix="orgscan-bench-") as folder,
        _listening(heard),
        Rehearsal(Path(folder), organization) as run,
    ):
        run.prepare(say=say)
        scan = run.scan()
        if scan.status != "SUCCEEDED":
            raise RuntimeError(f"the scan ended {scan.status}: {scan.error}: {scan.cause}")
        return _made(run, scan, heard, [each.id for each in organization.members])


def of_one_account(account: str, ask: Callable[[int], object]) -> Mapping[Key, Answer]:
    """What `ask` asks with the key of an account's administrator; it is told the port of the embedded AWS."""
    organization = Organization(accounts=ACCOUNTS, regions=REGIONS)
    heard: dict[tuple[str, Key], Answer] = {}
    hands: set[str] = set()
    with (
        TemporaryDirectory(prefix="orgscan-bench-") as folder,
        _listening(heard, hands),
        emulator.Emulator(
            Path(folder),
            hub=organization.hub,
            opt_in_regions=organization.opt_in_regions,
            beyond=organization.beyond,
        ) as aws,
    ):
        organization.found(aws.client)
        organization.plant(aws.client)
        hands.add(account)
        ask(int(aws.endpoint.rpartition(":")[2]))
    return {asked: answer for (_, asked), answer in heard.items()}


def _made(
    run: Rehearsal, scan: Scan, heard: Mapping[tuple[str, Key], Answer], members: Container[str]
) -> Recording:
    lambda_ = run.aws.client("lambda")
    pages = lambda_.get_paginator("list_functions").paginate()
    functions = [each for page in pages for each in page["Functions"]]
    (function,) = [each for each in functions if each["Handler"] == "scan.handler"]
    role = function["Environment"]["Variables"]["MEMBER_ROLE"]
    return Recording(
        scan=scan.id,
        plan=dict(run.files(scan))["plan.json"],
        targets=tuple(each for each in run.targets(scan.id) if each["account"] in members),
        environment=function["Environment"]["Variables"],
        memory_mib=function["MemorySize"],
        configuration=_configuration(run, function["FunctionName"]),
        answers={asked: answer for (arn, asked), answer in heard.items() if arn.endswith(f"/{role}")},
    )


def _configuration(run: Rehearsal, function: str) -> str:
    backend = lambda_backends[run.organization.hub][run.aws.client("lambda").meta.region_name]
    code = io.BytesIO(backend.get_function(function).code_bytes)
    return zipfile.ZipFile(code).read(CONFIGURATION).decode()


@contextmanager
def _listening(heard: dict[tuple[str, Key], Answer], hands: Collection[str] = ()) -> Iterator[None]:
    """Emulators that are made within this block put down here what roles ask, and what they are told.

    Also what the emulator's own hand asks in the accounts `hands`, under their numbers.
    """

    class Listening(iam.Gate):
        def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            signed = SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
            who = self._who(signed[1]) if signed else None
            if signed is None or who is None or environ["REQUEST_METHOD"] == "PUT":
                return super().__call__(environ, start_response)
            name, account = who
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            asked = _key(environ, account, signed[2], signed[3], body)
            call = calls.read(environ).name
            environ["wsgi.input"] = io.BytesIO(body)
            if name in hands:  # the embedded AWS knows what a scan asks, and may know nothing of this
                heard[name, asked] = UNANSWERED
            begun: list[Any] = []
            answer = super().__call__(environ, lambda *told: begun.append(told))
            content = b"".join(answer)
            status, headers = begun[0][:2]
            kept = tuple(each for each in headers if each[0].lower() not in HOP)
            heard[name, asked] = Answer(call, int(status[:3]), kept, content)
            start_response(status, headers)
            return [content]

        def _who(self, access_key: str) -> tuple[str, str] | None:
            """The name that its requests are kept under, and the account; None keeps nothing."""
            caller = self._callers.get(access_key)
            if caller is not None:
                return caller.role_arn, caller.account
            return next(((each, each) for each in hands if access_key == admin_key(each)), None)

    original = vars(emulator)["Gate"]
    setattr(emulator, "Gate", Listening)  # noqa: B010 (mypy does not want a class to change)
    try:
        yield
    finally:
        setattr(emulator, "Gate", original)  # noqa: B010


def _key(environ: Mapping[str, Any], account: str, region: str, service: str, body: bytes) -> Key:
    return key(
        account=account,
        region=region,
        service=service,
        method=environ["REQUEST_METHOD"],
        host=environ.get("HTTP_HOST", ""),
        target=environ["REQUEST_URI"],
        operation=environ.get("HTTP_X_AMZ_TARGET", ""),
        body=body,
    )
