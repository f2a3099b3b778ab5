"""Whom a listing of snapshots is about: to moto, everyone may restore all of them."""

from typing import Any

import pytest
from moto.core.responses import ActionResult
from moto.ec2.responses.elastic_block_store import ElasticBlockStore


def install(patch: pytest.MonkeyPatch) -> None:
    """DescribeSnapshots takes RestorableByUserIds at its word, where that is `all`."""
    describe = ElasticBlockStore.describe_snapshots

    def describe_snapshots(self: Any) -> ActionResult:
        result = describe(self)
        if self._get_param("RestorableByUserIds", []) == ["all"]:
            listed = result.result["Snapshots"]
            public = [each for each in listed if "all" in each.create_volume_permission_groups]
            return ActionResult({"Snapshots": public})
        return result

    patch.setattr(ElasticBlockStore, "describe_snapshots", describe_snapshots)
