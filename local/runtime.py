"""Lambda for the embedded AWS: functions run in processes of their own, as on AWS but without a container.

An environment is one process that runs AWS's runtime interface client against a Runtime API served here. On
its path are the function's code, its layers and that client, and no package of this machine; in its variables
are its role's credentials and the embedded AWS's address. A handler cannot tell, so it needs no change.
"""

import hashlib
import importlib.util
import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.awslambda.utils import get_backend
from moto.logs.models import logs_backends

from local.iam import role_credentials
from local.patching import Patch

_INIT_SECONDS = 20.0  # AWS gives 10; a busy laptop gets more
_CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


@dataclass(frozen=True, slots=True)
class Function:
    """What one environment is made from; a function whose code or configuration changed gets new ones."""

    arn: str
    role: str
    handler: str
    runtime: str
    timeout: float
    memory: int
    log_group: str
    code: Path
    layers: tuple[Path, ...]
    variables: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return self.arn.split(":")[6]

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class Host:
    """What all environments share: the runtime interface client, a folder for output, the address of AWS."""

    client: Path
    output: Path
    endpoint: str


@dataclass(frozen=True, slots=True)
class Event:
    payload: bytes
    headers: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    body: bytes
    failed: bool


class RuntimeApi(HTTPServer):
    """The Runtime API of one environment, served by whoever invokes it, one request at a time.

    An idle environment waits for its next event in the listen queue, so no thread waits with it. When this
    process dies, however it dies, the socket closes and the environment ends.
    """

    timeout = 0.05  # seconds: how soon a process that died is noticed
    event: Event | None = None
    outcome: Outcome | None = None


class _RuntimeApiRequest(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """`/runtime/invocation/next`, asked only when there is an event."""
        event, self.server.event = self.server.event, None
        if event is not None:
            deadline = str(int((time.time() + event.seconds) * 1000))
            self._reply(
                HTTPStatus.OK, event.payload, {**event.headers, "Lambda-Runtime-Deadline-Ms": deadline}
            )

    def do_POST(self) -> None:
        """`/runtime/invocation/<id>/response`, `/runtime/invocation/<id>/error` or `/runtime/init/error`."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(HTTPStatus.ACCEPTED, b"{}", {})
        self.server.outcome = Outcome(body, failed=self.path.endswith("/error"))

    def _reply(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: http.server would write to the terminal."""


class Environment:
    """One process that handles one event at a time."""

    def __init__(self, function: Function, host: Host) -> None:
        name = uuid.uuid4().hex
        self._function, self._read_bytes = function, 0
        self._output = host.output / f"{function.name}-{name[:8]}.log"
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{name}"
        self._api = RuntimeApi(("127.0.0.1", 0), _RuntimeApiRequest)
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs this
                [sys.executable, "-S", *_start(host.client), function.handler],
                cwd=function.code,
                env=self._variables(host),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which then stops the others in peace
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, payload: bytes) -> Outcome:
        """The handler's answer; whatever goes wrong is an answer too."""
        request_id, began = str(uuid.uuid4()), time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Invoked-Function-Arn": self._function.arn,
        }
        self._api.event, self._api.outcome = Event(payload, headers, self._function.timeout), None
        self._serve(_INIT_SECONDS)
        if self._api.event is None:
            self._serve(self._function.timeout)
        outcome = self._api.outcome or self._verdict(request_id)
        if self._api.event is not None:  # its init failed: it will never take one
            self.stop()
        spent = f"Duration: {(time.monotonic() - began) * 1000:.2f} ms"
        self._log([*self._written(), f"REPORT RequestId: {request_id}\t{spent}"])
        return outcome

    def _serve(self, seconds: float) -> None:
        """Serve the Runtime API until something has happened, the process has ended, or the time is over."""
        before, deadline = self._api.event, time.monotonic() + seconds
        while self._api.event is before and self._api.outcome is None and self.alive:
            if time.monotonic() > deadline:
                return
            self._api.handle_request()

    def _verdict(self, request_id: str) -> Outcome:
        """Why there is no answer, in Lambda's words."""
        if self.alive:
            self.stop()
            kind, message = "Sandbox.Timedout", f"Task timed out after {self._function.timeout:.2f} seconds"
        else:
            code = self._process.returncode
            end = f"exit status {code}" if code >= 0 else f"signal: {signal.Signals(-code).name.lower()}"
            kind, message = "Runtime.ExitError", f"Runtime exited with error: {end}"
        error = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
        return Outcome(json.dumps(error).encode(), failed=True)

    def _written(self) -> list[str]:
        """What the process wrote since the last time this was asked."""
        with self._output.open("rb") as output:
            output.seek(self._read_bytes)
            written = output.read()
        self._read_bytes += len(written)
        return written.decode(errors="replace").splitlines()

    def _log(self, lines: list[str]) -> None:
        logs, group = logs_backends[self._function.account][self._function.region], self._function.log_group
        logs.ensure_log_group(group)
        if self._stream not in logs.groups[group].streams:
            logs.create_log_stream(group, self._stream)
        now = int(time.time() * 1000)
        logs.put_log_events(group, self._stream, [{"timestamp": now, "message": line} for line in lines])

    def _variables(self, host: Host) -> dict[str, str]:
        function = self._function
        credentials = role_credentials(function.role, "lambda.amazonaws.com", function.arn, function.name)
        path = [function.code, *(layer / "python" for layer in function.layers), host.client]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONUNBUFFERED": "1",
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
            "LAMBDA_TASK_ROOT": str(function.code),
            "_HANDLER": function.handler,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": host.endpoint,
            # S3 Control calls <account>.<host>, a name no laptop can resolve; a proxy does not have to.
            "HTTP_PROXY": host.endpoint,
            # No X-Ray daemon listens here.
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "POWERTOOLS_TRACE_DISABLED": "1",
            **{name.upper(): value for name, value in credentials.items()},
            **dict(function.variables),
        }

    def stop(self) -> None:
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._api.server_close()


class Pool:
    """A function's environments: the last one used first, at most `size` at a time, later callers wait."""

    def __init__(self, function: Function, host: Host, size: int) -> None:
        self.function, self._host = function, host
        self._idle: queue.LifoQueue[Environment | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)
        self._lock = threading.Lock()
        self._all: set[Environment] = set()
        self._stopped = False

    def invoke(self, payload: bytes) -> Outcome:
        environment = self._idle.get()
        try:
            environment = environment or self._start()
            return environment.invoke(payload)
        finally:
            if environment is not None and not environment.alive:
                environment.stop()
                self._all.discard(environment)
                environment = None
            self._idle.put(environment)

    def _start(self) -> Environment:
        with self._lock:
            if self._stopped:
                raise RuntimeError(f"{self.function.name} has stopped")
            environment = Environment(self.function, self._host)
            self._all.add(environment)
            return environment

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for environment in list(self._all):
                environment.stop()


class Runtime:
    """All functions of the embedded AWS."""

    def __init__(self, workdir: Path, endpoint: str) -> None:
        self._host = Host(_client_folder(workdir / "runtime"), workdir / "functions", endpoint)
        self._host.output.mkdir(exist_ok=True)
        self._code = workdir / "code"
        self._lock = threading.Lock()
        self._pools: dict[str, Pool] = {}

    def install(self, patch: Patch) -> None:
        """Every invocation passes through this one method, which in moto needs Docker."""

        def invoke(model: Any, body: str | bytes, _: Any, response_headers: dict[str, str]) -> bytes:
            payload = body.encode() if isinstance(body, str) else body
            outcome = self._pool(self._function(model)).invoke(payload or b"{}")
            response_headers["x-amz-executed-version"] = "$LATEST"
            if outcome.failed:
                response_headers["x-amz-function-error"] = "Unhandled"
            return outcome.body

        patch(LambdaFunction, "invoke", invoke)

    def stop(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.stop()

    def _pool(self, function: Function) -> Pool:
        with self._lock:
            pool = self._pools.get(function.arn)
            if pool is None or pool.function != function:
                if pool is not None:
                    pool.stop()
                pool = Pool(function, self._host, min(4, (os.cpu_count() or 1) + 2))
                self._pools[function.arn] = pool
            return pool

    def _function(self, model: Any) -> Function:
        """What moto keeps about a function."""
        backend = get_backend(model.account_id, model.region)
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in model.layers]
        return Function(
            arn=model.function_arn,
            role=model.role,
            handler=model.handler,
            runtime=model.run_time,
            timeout=float(model.timeout),
            memory=int(model.memory_size),
            log_group=getattr(model, "log_group", model.logs_group_name),
            code=self._unpacked(model),
            layers=tuple(self._unpacked(layer) for layer in layers),
            variables=tuple(sorted((name, str(value)) for name, value in model.environment_vars.items())),
        )

    def _unpacked(self, model: Any) -> Path:
        """The folder with a function's or layer's code, named by its hash."""
        folder = self._code / hashlib.sha256(model.code_sha_256.encode()).hexdigest()[:16]
        with self._lock:
            if not folder.exists():
                zipfile.ZipFile(io.BytesIO(model.code_bytes)).extractall(folder)
        return folder


def _client_folder(folder: Path) -> Path:
    """A folder with AWS's runtime interface client and what it needs; empty where it has no wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _CLIENT:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (folder / source.name).unlink(missing_ok=True)
            (folder / source.name).symlink_to(source)
    return folder


def _start(client: Path) -> list[str]:
    if (client / "awslambdaric").exists():
        return ["-m", "awslambdaric"]
    return [str(Path(__file__).with_name("runtime_client.py"))]
