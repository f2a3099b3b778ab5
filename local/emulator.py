"""The embedded AWS: moto's server in this process, with what a scan of an organization needs beyond it.

    with Emulator(workdir, hub="111111111111") as aws:
        aws.deploy(assembly, "OrgscanHub")
        aws.client("stepfunctions").start_execution(...)

It changes moto while it runs, so there can be one per process at a time.
"""

import errno
import json
import logging
import os
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
from botocore.client import ClientCreator
from botocore.config import Config
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.responses import ActionResult
from moto.ec2.models.availability_zones_and_regions import Region
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.iam import models as iam_models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.serving import make_server

from local import deploy, dynamodb, sns, workflow
from local.iam import Denial, Gate, admin_key
from local.patching import Patch
from local.runtime import Runtime

# The regions that are on in every account.
DEFAULT_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)


_MANAGED_POLICIES = (
    "AdministratorAccess",
    "IAMFullAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "ViewOnlyAccess",
)


_SILENT = logging.NullHandler()


class PortTaken(Exception):
    """Somebody else listens on the port that was asked for."""


class Emulator:
    """Runs from creation until `stop` (or the end of the `with` block)."""

    def __init__(
        self,
        workdir: Path,
        *,
        hub: str,
        region: str = "us-east-1",
        port: int | None = None,
        opt_in_regions: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        """Listen on `port`, or any free one. `opt_in_regions`: region -> accounts in which it is enabled."""
        self._hub, self._region = hub, region
        self.mail: list[sns.Mail] = []
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}
        with ExitStack() as stack:
            listener = stack.enter_context(_listener(port))
            self.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
            _write_log(stack, workdir)
            _configure(stack)
            patch = Patch(stack)
            gate = Gate(_moto(patch), hub=hub, opt_in_regions=opt_in_regions)
            self.denials: list[Denial] = gate.denials
            runtime = Runtime(workdir, self.endpoint)
            gate.install(patch)
            runtime.install(patch)
            deploy.install(patch)
            dynamodb.install(patch)
            sns.install(patch, self.mail)
            workflow.install(patch, self.endpoint)
            _describe_regions(patch, opt_in_regions)
            _few_managed_policies(patch)
            _client_classes_once(patch)
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

    def session(self, account: str, region: str | None = None) -> boto3.Session:
        """An administrator's session, whose clients reach the embedded AWS without further arguments."""
        core = botocore.session.get_session()
        core.register_component("data_loader", _LOADER)
        return _Session(self.endpoint, account, region or self._region, core)

    def client(self, service: str, account: str | None = None, region: str | None = None) -> Any:
        """An administrator's client, made once; in the hub account and region unless said otherwise."""
        key = (service, account or self._hub, region or self._region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self.session(key[1], key[2]).client(service)
            return self._clients[key]

    def deploy(
        self,
        assembly: Path,
        stack: str,
        *,
        account: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """`cdk deploy` of one stack of a cloud assembly, created or updated. Returns its outputs."""
        account = account or self._hub
        return deploy.deploy(
            lambda service: self.client(service, account),
            assembly,
            stack,
            account,
            self._region,
            parameters or {},
        )


class _Session(boto3.Session):
    """A session whose clients call the embedded AWS."""

    def __init__(self, endpoint: str, account: str, region: str, core: Any) -> None:
        super().__init__(
            aws_access_key_id=admin_key(account),
            aws_secret_access_key="unused",  # noqa: S106 - nobody checks signatures here
            region_name=region,
            botocore_session=core,
        )
        self._endpoint = endpoint

    def client(self, *names: Any, **options: Any) -> Any:
        # A failure inside moto is to be seen, not retried. The proxy is for S3 Control: see the runtime's.
        config = Config(
            retries={"total_max_attempts": 1}, proxies={"http": self._endpoint}, max_pool_connections=50
        )
        return super().client(*names, **{"endpoint_url": self._endpoint, "config": config, **options})


# Loading service models is the dear part of making a client: all sessions share what is loaded.
_LOADER = botocore.session.get_session().get_component("data_loader")


class _Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped here
    def log_request(self, *_: object) -> None:
        """Only errors are worth a line."""


@contextmanager
def _listener(port: int | None) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port or 0))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                f"Port {port} is taken: stop what listens on it, or choose another one."
            ) from None
        listener.listen()
        yield listener


@contextmanager
def _serving(application: Any, listener: socket.socket) -> Iterator[None]:
    host, port = listener.getsockname()
    server = make_server(
        host, port, application, threaded=True, request_handler=_Handler, fd=listener.fileno()
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="embedded AWS", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _configure(stack: ExitStack) -> None:
    """Switches of moto's own, and a clean slate."""
    BackendDict.reset()
    reset_model_data()
    stack.callback(reset_model_data)
    stack.callback(BackendDict.reset)
    switches = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": True},  # the full model of a function, whose invocation the runtime replaces
        "iam": {"load_aws_managed_policies": True},
    }
    for name, value in switches.items():
        stack.callback(default_user_config.__setitem__, name, default_user_config.get(name, {}))
        default_user_config[name] = value
    # 10 s and 0.6 GiB less in 200 regions. Never removed: nobody wants the AMIs.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


def _moto(patch: Patch) -> DomainDispatcherApplication:
    """The server without two hot spots that are 40% of what a call costs (2.6 ms, without them 1.7 ms)."""
    moto = DomainDispatcherApplication(create_backend_app)
    moto.get_backend_for_host = cache(moto.get_backend_for_host)  # lists moto's folders at every call
    patch(
        responses, "method_names_from_class", cache(responses.method_names_from_class)
    )  # inspects every method
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
        logger.propagate = False
        logger.addHandler(_SILENT)
        logger.addHandler(handler)
        stack.callback(logger.removeHandler, handler)


def _stop_executions() -> None:
    """Threads of running state machines end after their present task."""
    for account in list(stepfunctions_parser_backends.values()):
        for backend in list(account.values()):
            for execution in backend._get_executions("RUNNING"):
                execution.stop(stop_date=datetime.now(UTC), error=None, cause="the embedded AWS stops")


def _describe_regions(patch: Patch, opt_in_regions: Mapping[str, frozenset[str]]) -> None:
    """To moto GovCloud, China and every opt-in region are enabled everywhere."""

    def describe_regions(self: Any) -> ActionResult:
        names, everything = (
            self._get_param("RegionNames", []),
            self._get_bool_param("AllRegions", if_none=False),
        )
        status = dict.fromkeys(DEFAULT_REGIONS, "opt-in-not-required")
        for region, accounts in opt_in_regions.items():
            status[region] = "opted-in" if self.current_account in accounts else "not-opted-in"
        regions = [
            Region(name, f"ec2.{name}.amazonaws.com", state)
            for name, state in sorted(status.items())
            if (name in names or not names) and (everything or names or state != "not-opted-in")
        ]
        return ActionResult({"Regions": regions})

    patch(AvailabilityZonesAndRegions, "describe_regions", describe_regions)


def _few_managed_policies(patch: Patch) -> None:
    """Loading all 1,582 managed policies would take 0.1 s for every account."""
    policies = json.loads(iam_models.aws_managed_policies_data)
    few = {name: policies[name] for name in _MANAGED_POLICIES}
    patch(iam_models, "aws_managed_policies_data", json.dumps(few))


def _client_classes_once(patch: Patch) -> None:
    """Botocore builds a class for every client; for EC2 that is 30 of the 37 ms that a client costs."""
    create = vars(ClientCreator)["_create_client_class"]
    made: dict[str, Any] = {}

    def create_once(self: Any, service: str, model: Any) -> Any:
        if service not in made:
            made[service] = create(self, service, model)
        return made[service]

    patch(ClientCreator, "_create_client_class", create_once)
