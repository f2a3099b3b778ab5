"""Synthesizes the stacks. `cdk synth -c config=other.yaml` reads another file than orgscan.yaml.

LAMBDA_PYTHON in the environment: an interpreter of the functions' version, which makes their bytecode.
"""

import json
import os
import sys

from infra import ROOT, CannotSynthesize, require_node


def main() -> None:
    require_node()
    from aws_cdk import App, Validations  # noqa: PLC0415 (importing CDK starts Node)
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

    from infra import config, hub_stack, member_stack  # noqa: PLC0415

    # The CDK CLI passes cdk.json's context; Python alone would synthesize without its feature flags.
    app = App(
        context=json.loads((ROOT / "cdk.json").read_text())["context"],
        outdir=os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out")),
        analytics_reporting=False,  # no resource of CDK's own: a StackSet takes the member template as it is
    )
    decided = config.load(ROOT / (app.node.try_get_context("config") or "orgscan.yaml"))
    python = os.environ.get("LAMBDA_PYTHON") or None
    hub_stack.HubStack(app, decided.stack("hub"), config=decided, python=python)
    member_stack.MemberStack(app, decided.stack("member"), config=decided)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


try:
    main()
except CannotSynthesize as refused:
    sys.stderr.write(f"{refused}\n")
    sys.exit(2)
