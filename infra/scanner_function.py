"""One Lambda function, the way this project makes them."""

import shutil
from pathlib import Path
from typing import cast

from aws_cdk import Duration, Stage
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import ROOT, CannotSynthesize, bytecode
from infra.nag import acknowledge, wildcard
from infra.scanner_logs import ScannerLogs
from orgscan.settings import CONFIGURATION_FILE, NAMESPACE, Configuration, Settings

DEPENDENCIES = ROOT / "build" / "layers" / "dependencies"
LIBRARY = ROOT / "layers" / "orgscan"
HANDLERS = ROOT / "functions"

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
COMPILED = ["**/__pycache__", "**/*.pyc"]
"""Differs from machine to machine, and would change an asset's hash."""


class ScannerCode(Construct):
    """What all functions share: the handlers with their configuration, and two layers.

    `python`: an interpreter of the functions' version, which makes the layers' bytecode; None: there is none.
    """

    def __init__(
        self, scope: Construct, id: str, *, configuration: Configuration, python: str | None = None
    ) -> None:
        super().__init__(scope, id)
        self._python = python
        if python:
            bytecode.require(python, RUNTIME.name.removeprefix("python"))
        if not DEPENDENCIES.is_dir():
            raise CannotSynthesize(f"{DEPENDENCIES.relative_to(ROOT)} is missing: run `make layers` first")
        self.handlers = lambda_.Code.from_asset(str(self._staged(configuration)))
        self.layers = [self._layer("Dependencies", DEPENDENCIES), self._layer("Library", LIBRARY)]

    def _layer(self, id: str, folder: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            id,
            code=self._layers_code(id, folder),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )

    def _layers_code(self, id: str, folder: Path) -> lambda_.Code:
        if not self._python:
            return lambda_.Code.from_asset(str(folder), exclude=COMPILED)
        into = Path(cast("Stage", Stage.of(self)).outdir) / "layers" / id
        return lambda_.Code.from_asset(
            str(bytecode.compiled(folder, into, python=self._python, without=("__pycache__", "*.pyc")))
        )

    def _staged(self, configuration: Configuration) -> Path:
        """A folder of the handlers and the file they read beside themselves; part of this assembly."""
        folder = Path(cast("Stage", Stage.of(self)).outdir) / "handlers"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for handler in sorted(HANDLERS.glob("*.py")):
            shutil.copy(handler, folder)
        (folder / CONFIGURATION_FILE).write_text(configuration.to_json(), encoding="utf-8")
        return folder


class ScannerFunction(lambda_.Function):
    """Handler, role, logs and environment come from one name and one Settings.

    `namespace`: of the metrics it sends.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        code: ScannerCode,
        settings: Settings,
        namespace: str,
        key: kms.IKey,
        log_retention_days: int,
        memory_size: int,
        timeout: Duration,
    ) -> None:
        log_group = ScannerLogs(scope, f"{name.title()}Logs", key=key, days=log_retention_days)
        # Made here because the one CDK makes may write to every log group of the account.
        role = iam.Role(
            scope,
            f"{name.title()}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What orgscan's {name} function may do",
        )
        super().__init__(
            scope,
            name.title(),
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=code.handlers,
            layers=code.layers,
            handler=f"{name}.handler",
            role=role,
            environment={**settings.to_environment(), NAMESPACE: namespace},
            log_group=log_group,
            memory_size=memory_size,
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE,
        )
        log_group.grant_write(role)
        self.own_role = role  # CDK's own `role` may be missing
        self.memory_mib = memory_size
        acknowledge(role, "X-Ray, Organizations and regions cannot be granted piece by piece", wildcard("*"))
        acknowledge(self, "The dependencies are locked and tested for this version", "AwsSolutions-L1")
        acknowledge(self, "The state machine waits for it and keeps what failed", "CKV_AWS_116")
        acknowledge(self, "It talks to public endpoints of AWS only, in all regions", "CKV_AWS_117")
        acknowledge(self, "The map bounds it; a reservation would take from others", "CKV_AWS_115")
        acknowledge(self, "Names and no secrets, which Lambda encrypts with a key of its own", "CKV_AWS_173")

    def may(self, *actions: str, on: str) -> None:
        self.add_to_role_policy(iam.PolicyStatement(actions=[*actions], resources=[on]))

    def tell(self, settings: Settings) -> None:
        """In place of what it was told: names of what could only be made once it was there."""
        for name, value in settings.to_environment().items():
            self.add_environment(name, value)
