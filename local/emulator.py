"""The embedded AWS: moto's server in this process, with what a scan of an organization needs beyond it.

    with Emulator(workdir, hub="111111111111") as aws:
        aws.deploy(assembly, "OrgscanHub")
        aws.client("stepfunctions").start_execution(...)

It changes moto while it runs, so there can be one per process at a time; pytest's MonkeyPatch puts moto back.
"""

import errno
import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import boto3
import botocore.session
import pytest
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.responses import ActionResult
from moto.ec2.models.availability_zones_and_regions import Region, RegionsAndZonesBackend
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.iam import models as iam_models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.serving import make_server

from local import cloudwatch, deploy, dynamodb, events, haste, s3, snapshots, sns, workflow
from local.beyond import Beyond
from local.faults import absent
from local.iam import Denial, Gate, admin_key
from local.runtime import Runtime

HOME = "us-east-1"
"""Where stacks are deployed."""

_OPT_IN = {"af-south-1", "ap-southeast-3", "eu-south-1"}  # which moto believes to be on
DEFAULT_REGIONS: tuple[str, ...] = tuple(
    region for region in RegionsAndZonesBackend.regions_opt_in_not_required if region not in _OPT_IN
)
"""The regions that are on in every account."""

_MANAGED_POLICIES = ("AdministratorAccess", "AWSLambda_FullAccess", "PowerUserAccess", "ReadOnlyAccess")
_LOADER = botocore.session.get_session().get_component("data_loader")
"""Loading service models is the dear part of making a client: all sessions share what is loaded."""


class PortTaken(Exception):
    """Somebody else listens on the port that was asked for."""


class Emulator:
    """Runs from creation until `stop` (or the end of the `with` block)."""

    def __init__(
        self,
        workdir: Path,
        *,
        hub: str,
        port: int | None = None,
        opt_in_regions: Mapping[str, frozenset[str]] = MappingProxyType({}),
        beyond: Beyond | None = None,
    ) -> None:
        """Listen on `port`, or any free one. `opt_in_regions`: region -> accounts in which it is enabled."""
        self._hub = hub
        self.mail: list[sns.Mail] = []
        self.published: list[sns.Published] = []
        self.events: list[events.Event] = []
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}
        with ExitStack() as stack:
            listener = stack.enter_context(_listener(port))
            self.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            stack.callback(_forget)
            _write_log(stack, workdir)
            _configure(patch)
            few_managed_policies(patch)
            haste.install(patch)
            _describe_regions(patch, opt_in_regions)
            beyond = beyond or Beyond(absent())
            self.gate = gate = Gate(_moto(), hub=hub, opt_in_regions=opt_in_regions, beyond=beyond)
            self.denials: list[Denial] = gate.denials
            runtime = Runtime(workdir, self.endpoint)
            gate.install(patch)
            runtime.install(patch)
            deploy.install(patch)
            dynamodb.install(patch)
            cloudwatch.install(patch)
            s3.install(patch)
            snapshots.install(patch)
            sns.install(patch, self.mail, self.published)
            events.install(patch, self.events)
            workflow.install(patch, self.endpoint)
            stack.enter_context(_serving(gate, listener))
            stack.callback(runtime.stop)
            stack.callback(_stop_executions)
            self._stop = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and thread of the emulator. Calling it again does nothing."""
        self._stop.close()

    def session(self, account: str, region: str = HOME) -> boto3.Session:
        """An administrator's session; its clients need `endpoint_url`."""
        core = botocore.session.get_session()
        core.register_component("data_loader", _LOADER)
        # A failure inside moto is to be seen, not retried. The proxy is for S3 Control: see the runtime's.
        proxies = {"http": self.endpoint}
        core.set_default_client_config(
            Config(retries={"total_max_attempts": 1}, proxies=proxies, max_pool_connections=50)
        )
        return boto3.Session(admin_key(account), "unused", region_name=region, botocore_session=core)

    def client(self, service: str, account: str | None = None, region: str = HOME) -> Any:
        """An administrator's client, made once; in the hub account unless said otherwise."""
        account = account or self._hub
        key = (service, account, region)
        with self._lock:
            if key not in self._clients:
                make: Any = self.session(account, region).client
                self._clients[key] = make(service, endpoint_url=self.endpoint)
            return self._clients[key]

    def deploy(
        self,
        assembly: Path,
        stack: str,
        *,
        account: str | None = None,
        parameters: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, str]:
        """`cdk deploy` of one stack of a cloud assembly. Returns its outputs."""
        return deploy.deploy(self.client, account or self._hub, assembly, stack, parameters)


@contextmanager
def _listener(port: int | None) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server(("127.0.0.1", port or 0))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(f"Port {port} is taken: stop what listens on it, or choose another one.") from None
    with listener:
        yield listener


@contextmanager
def _serving(application: Any, listener: socket.socket) -> Iterator[None]:
    options = {"threaded": True, "request_handler": MotoRequestHandler, "fd": listener.fileno()}
    server = make_server(*listener.getsockname(), application, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="embedded AWS", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _forget() -> None:
    """Leave nothing to whoever uses moto next."""
    BackendDict.reset()
    reset_model_data()


def _configure(patch: pytest.MonkeyPatch) -> None:
    """Switches of moto's own, and a clean slate."""
    _forget()
    patch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    # The full model of a function, whose invocation the runtime replaces.
    patch.setitem(default_user_config, "lambda", {"use_docker": True})
    patch.setitem(default_user_config, "iam", {"load_aws_managed_policies": True})
    # 10 s and 0.6 GiB less in 200 regions.
    patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


def few_managed_policies(patch: pytest.MonkeyPatch) -> None:
    """Loading all 1,582 managed policies would take 0.1 s for every account, and listing them 5 s."""
    patch.setattr(iam_models, "aws_managed_policies_data", _few_policies())


@cache
def _few_policies() -> str:
    policies = json.loads(iam_models.aws_managed_policies_data)
    return json.dumps({name: policies[name] for name in _MANAGED_POLICIES})


def _describe_regions(patch: pytest.MonkeyPatch, opt_in_regions: Mapping[str, frozenset[str]]) -> None:
    """To moto GovCloud, China and every opt-in region are enabled everywhere."""

    def describe_regions(self: Any) -> ActionResult:
        status = dict.fromkeys(DEFAULT_REGIONS, "opt-in-not-required")
        for region, accounts in opt_in_regions.items():
            status[region] = "opted-in" if self.current_account in accounts else "not-opted-in"
        if not self._get_bool_param("AllRegions", if_none=False):
            status = {region: state for region, state in status.items() if state != "not-opted-in"}
        regions = [Region(name, f"ec2.{name}.amazonaws.com", state) for name, state in status.items()]
        return ActionResult({"Regions": regions})

    patch.setattr(AvailabilityZonesAndRegions, "describe_regions", describe_regions)


def _moto() -> DomainDispatcherApplication:
    moto = DomainDispatcherApplication(create_backend_app)
    # It lists moto's folders at every call.
    moto.get_backend_for_host = cache(moto.get_backend_for_host)
    return moto


def _write_log(stack: ExitStack, workdir: Path) -> None:
    """What moto and its server complain about goes to a file, not to the terminal.

    Not even afterwards: threads that were serving a worker when it was stopped still have their say.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(workdir / "emulator.log")
    stack.callback(handler.close)
    for name in ("moto", "werkzeug"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.handlers = [logging.NullHandler(), handler]
        stack.callback(logger.removeHandler, handler)


def _stop_executions() -> None:
    """Threads of running state machines end after their present task."""
    for account in list(stepfunctions_parser_backends.values()):
        for backend in list(account.values()):
            for execution in backend._get_executions("RUNNING"):
                execution.stop(stop_date=datetime.now(UTC), error=None, cause="the embedded AWS stops")
