"""The handlers in this process: what they answer, log and measure."""

import importlib.util
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from infra import ROOT
from orgscan.settings import NAMESPACE, Configuration

Line = Mapping[str, Any]


class Context:
    """Of an invocation; each time it is asked, two seconds have passed."""

    function_name = "orgscan-worker"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:invented"
    aws_request_id = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"
    left = 900_000

    def get_remaining_time_in_millis(self) -> int:
        self.left -= 2_000
        return self.left


@dataclass
class Handlers:
    """`configuration` is the file beside them."""

    patch: pytest.MonkeyPatch
    output: pytest.CaptureFixture[str]
    configuration: Configuration = field(default_factory=Configuration)
    lines: list[Line] = field(default_factory=list)
    """Logged by all of them, oldest first."""
    metrics: list[Line] = field(default_factory=list)
    """In CloudWatch's embedded format."""

    def __post_init__(self) -> None:
        told = {
            NAMESPACE: "acme",
            "TABLE": "findings",
            "BUCKET": "results",
            "MEMBER_ROLE": "orgscan-member",
            "EXTERNAL_ID": "x-1",
            "SALT": "salt",
        }
        for name, value in told.items():
            self.patch.setenv(name, value)
        self.patch.setattr(Configuration, "beside", lambda _: self.configuration)

    def invoke(self, name: str, /, **event: Any) -> Any:
        handler = self._module(name)
        log = io.StringIO()
        handler.logger.registered_handler.setStream(log)
        self.output.readouterr()
        try:
            return handler.handler(json.loads(json.dumps(event)), Context())
        finally:
            self.lines += map(json.loads, log.getvalue().splitlines())
            self.metrics += map(json.loads, self.output.readouterr().out.splitlines())

    def measured(self) -> Iterator[tuple[str, frozenset[tuple[str, str]], str, float]]:
        """Name, dimensions, unit and value of each metric; all of them in the deployment's namespace."""
        for line in self.metrics:
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "acme"
            for dimensions in directive["Dimensions"]:
                where = frozenset((each, line[each]) for each in dimensions)
                for metric in directive["Metrics"]:
                    (value,) = line[metric["Name"]]
                    yield metric["Name"], where, metric["Unit"], value

    @staticmethod
    def _module(name: str) -> ModuleType:
        """A cold start."""
        spec = importlib.util.spec_from_file_location(f"handler_{name}", ROOT / "functions" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
