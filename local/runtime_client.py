"""A runtime interface client in pure Python, for systems for which AWS publishes none (macOS, Windows)."""

import importlib
import json
import os
import sys
import time
import traceback
from http.client import HTTPConnection, HTTPMessage
from typing import Any


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, headers: HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(self._deadline_ms - int(time.time() * 1000), 0)


def call(method: str, path: str, body: str | None = None) -> tuple[HTTPMessage, bytes]:
    connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, f"/2018-06-01/runtime/{path}", body)
    response = connection.getresponse()
    return response.headers, response.read()


def described(error: BaseException) -> str:
    trace = traceback.format_tb(error.__traceback__)[1:]
    print(f"[ERROR] {type(error).__name__}: {error}", *trace, sep="\r", flush=True)
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace})


def main() -> None:
    module, _, name = sys.argv[1].rpartition(".")
    try:
        handler: Any = getattr(importlib.import_module(module), name)
    except BaseException as error:  # noqa: BLE001 - whatever stops the import is the function's answer
        call("POST", "init/error", described(error))
        sys.exit(1)
    while True:
        headers, event = call("GET", "invocation/next")
        path = f"invocation/{headers['Lambda-Runtime-Aws-Request-Id']}"
        try:
            call("POST", f"{path}/response", json.dumps(handler(json.loads(event), Context(headers))))
        except BaseException as error:  # noqa: BLE001 - whatever the handler raises is its answer
            call("POST", f"{path}/error", described(error))


if __name__ == "__main__":
    main()
