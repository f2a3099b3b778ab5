"""Lambda for the embedded AWS: functions run in processes of their own, as on AWS but without a container.

An environment is one process that runs AWS's runtime interface client against a Runtime API served here. On
its path are the function's code, its layers and that client, and no package of this machine; in its variables
are its role's credentials and the embedded AWS's address. A handler cannot tell, so it needs no change.
"""

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
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from moto.awslambda.models import LambdaFunction
from moto.awslambda.utils import get_backend

from local.iam import role_credentials

Answer: TypeAlias = tuple[bytes, bool]
"""What a handler returned; or what went wrong, and True."""

_INIT_SECONDS = 20.0  # AWS gives 10; a busy laptop gets more
_CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
_START = (
    ["-m", "awslambdaric"]
    if importlib.util.find_spec("awslambdaric")
    else [str(Path(__file__).with_name("runtime_client.py"))]
)


class Environment(HTTPServer):
    """One process that handles one event at a time, and the Runtime API that it asks for them.

    Whoever invokes the process serves the API. An idle process waits in the listen queue, so no thread waits
    with it. When the process of the emulator dies, however it dies, the socket closes and the process ends.
    """

    timeout = 0.05  # seconds: how soon a process that died is noticed

    def __init__(self, function: Any, variables: Mapping[str, str], folder: Path, output: Path) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApi)
        self.function = function
        self.event: tuple[str, bytes] | None = None
        self.answer: Answer | None = None
        self.deadline = 0.0
        with output.open("wb") as written:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs this
                [sys.executable, "-S", *_START, function.handler],
                cwd=folder,
                env={**variables, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server_port}"},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which then stops the others in peace
            )
        self._output = output.open("rb")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, payload: bytes) -> Answer:
        """The handler's answer; whatever goes wrong is an answer too."""
        request_id = str(uuid.uuid4())
        self.event, self.answer = (request_id, payload), None
        self.deadline = time.monotonic() + _INIT_SECONDS
        while self.answer is None and self.alive and time.monotonic() < self.deadline:
            self.handle_request()
        answer = self.answer or self._verdict(request_id)
        self.function.save_logs(self._output.read().decode(errors="replace"))
        if self.event is not None or self.answer is None:  # its init failed, it hangs or is dead
            self.stop()
        return answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that died in mid-sentence is what `invoke` looks for; the rest is said."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def _verdict(self, request_id: str) -> Answer:
        """Why there is no answer, in Lambda's words."""
        if self.alive:
            kind, message = "Sandbox.Timedout", f"Task timed out after {self.function.timeout:.2f} seconds"
        else:
            code = self._process.returncode
            end = f"exit status {code}" if code >= 0 else f"signal: {signal.Signals(-code).name.lower()}"
            kind, message = "Runtime.ExitError", f"Runtime exited with error: {end}"
        error = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
        return json.dumps(error).encode(), True

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()
        self.server_close()


class _RuntimeApi(BaseHTTPRequestHandler):
    server: Environment

    def do_GET(self) -> None:
        """`/runtime/invocation/next`, asked only when there is an event."""
        if self.server.event is not None:
            (request_id, payload), self.server.event = self.server.event, None
            seconds = float(self.server.function.timeout)
            self.server.deadline = time.monotonic() + seconds
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Invoked-Function-Arn": self.server.function.function_arn,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
            }
            self._reply(HTTPStatus.OK, payload, headers)

    def do_POST(self) -> None:
        """`/runtime/invocation/<id>/response`, `/runtime/invocation/<id>/error` or `/runtime/init/error`."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(HTTPStatus.ACCEPTED, b"{}", {})
        self.server.answer = body, self.path.endswith("/error")

    def _reply(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: http.server would write to the terminal."""


class Runtime:
    """The environments of all functions: the last one used first, a few at a time, later callers wait.

    Code that is changed gets environments of its own; nothing else of a function changes here.
    """

    def __init__(self, workdir: Path, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client, self._code, self._output = (workdir / name for name in ("runtime", "code", "output"))
        self._output.mkdir()
        _link_client(self._client)
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str], queue.LifoQueue[Environment | None]] = {}
        self._all: list[Environment] = []
        self._stopped = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Every invocation passes through this one method, which in moto needs Docker."""

        def invoke(function: Any, body: str, _: Any, response_headers: dict[str, str]) -> bytes:
            answer, failed = self._invoke(function, (body or "{}").encode())
            if failed:
                response_headers["x-amz-function-error"] = "Unhandled"
            return answer

        patch.setattr(LambdaFunction, "invoke", invoke)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for environment in self._all:
                environment.stop()

    def _invoke(self, function: Any, payload: bytes) -> Answer:
        key = (function.function_arn, function.code_digest)
        with self._lock:
            if key not in self._idle:
                self._idle[key] = queue.LifoQueue()
                for _ in range(min(4, (os.cpu_count() or 1) + 2)):
                    self._idle[key].put(None)
        environment = self._idle[key].get()
        try:
            if environment is None or not environment.alive:
                environment = self._start(function)
            return environment.invoke(payload)
        finally:
            self._idle[key].put(environment)

    def _start(self, function: Any) -> Environment:
        with self._lock:
            if self._stopped:
                raise RuntimeError(f"{function.function_name} has stopped")
            output = self._output / f"{function.function_name}-{len(self._all)}.log"
            code = self._unpacked(function)
            environment = Environment(function, self._variables(function, code), code, output)
            self._all.append(environment)
            return environment

    def _variables(self, function: Any, code: Path) -> dict[str, str]:
        arn, name = function.function_arn, function.function_name
        credentials = role_credentials(function.role, "lambda.amazonaws.com", arn, name)
        versions = get_backend(function.account_id, function.region).layers_versions_by_arn
        layers = [self._unpacked(versions(layer["Arn"])) / "python" for layer in function.layers]
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(map(str, (code, *layers, self._client))),
            "PYTHONUNBUFFERED": "1",
            "TZ": ":UTC",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._endpoint,
            # S3 Control calls <account>.<host>, a name no laptop can resolve; a proxy does not have to.
            "HTTP_PROXY": self._endpoint,
            # No X-Ray daemon listens here.
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "POWERTOOLS_TRACE_DISABLED": "1",
            **{key.upper(): value for key, value in credentials.items()},
            **function.environment_vars,
        }

    def _unpacked(self, model: Any) -> Path:
        """The folder with a function's or layer's code, named by its hash."""
        folder: Path = self._code / model.code_digest
        if not folder.exists():
            zipfile.ZipFile(io.BytesIO(model.code_bytes)).extractall(folder)
        return folder


def _link_client(folder: Path) -> None:
    """A folder with AWS's runtime interface client and what it needs; empty where it has no wheel."""
    folder.mkdir()
    for name in _CLIENT:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (folder / source.name).symlink_to(source)
