"""The models in the layer say of what is called all that botocore's own say, and of the rest nothing."""

import json
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.regions import EndpointResolver

from layers import models
from layers.build import OWN, needed
from orgscan import catalog

DATA = Path(botocore.__file__).parent / "data"
NEEDED = needed(catalog.calls())


@cache
def whole(service: str) -> Any:
    return Loader().load_service_model(service, "service-2")


def told(shape: Shape | None, seen: frozenset[str] = frozenset()) -> Any:
    """All that a parser and a serializer can learn of it; where it holds itself, its name."""
    if shape is None or shape.name in seen:
        return shape and shape.name
    within: Any = shape  # botocore's types know the kinds apart by class only
    deeper = seen | {shape.name}
    part: Any = None
    match shape.type_name:
        case "structure":
            part = {name: told(each, deeper) for name, each in within.members.items()}
        case "list":
            part = told(within.member, deeper)
        case "map":
            part = told(within.key, deeper), told(within.value, deeper)
    return shape.name, shape.type_name, dict(shape.serialization), dict(shape.metadata), part


def operation(model: OperationModel) -> Any:
    errors = {each.name: told(each) for each in model.error_shapes}
    return model.http, told(model.input_shape), told(model.output_shape), errors, model.endpoint


@pytest.mark.parametrize("service", sorted(NEEDED))
def test_what_is_called_is_described_as_ever(service: str) -> None:
    slim = models.only(whole(service), NEEDED[service])
    one, other = (ServiceModel(each, service) for each in (slim, whole(service)))
    assert set(one.operation_names) == NEEDED[service] or (service in OWN and not NEEDED[service])
    for name in one.operation_names:
        assert operation(one.operation_model(name)) == operation(other.operation_model(name))
    assert {"documentation": "", **one.metadata} == {"documentation": "", **other.metadata}
    assert set(slim) == set(whole(service)) - models.FOR_PEOPLE


def test_endpoints_are_where_they_ever_were() -> None:
    """Of all services that are called, in all regions of all partitions."""
    whole_file = Loader().load_data("endpoints")
    prefixes = {whole(service)["metadata"]["endpointPrefix"] for service in NEEDED}
    one, other = (
        EndpointResolver(each) for each in (models.only_endpoints(whole_file, prefixes), whole_file)
    )
    assert one.get_available_partitions() == other.get_available_partitions()
    for partition in whole_file["partitions"]:
        regions = [*partition["regions"], "aws-global", f"{next(iter(partition['regions']))[:2]}-new-9"]
        for region in regions:
            for prefix in sorted(prefixes):
                asked = prefix, region, partition["partition"]
                assert one.construct_endpoint(*asked) == other.construct_endpoint(*asked)
    assert not one.get_available_endpoints("polly")


def test_of_our_own_services_nothing_is_left_out() -> None:
    assert set(models.only(whole("dynamodb"), ())["operations"]) == set(whole("dynamodb")["operations"])


def test_what_nobody_calls_is_gone() -> None:
    slim = models.only(whole("ec2"), {"DescribeVolumes"})
    assert "Instance" in whole("ec2")["shapes"]
    assert "Instance" not in slim["shapes"]
    assert {"Volume", "VolumeAttachment", "Tag", "DescribeVolumesRequest"} <= set(slim["shapes"])
    assert len(json.dumps(slim)) < len(json.dumps(whole("ec2"))) / 100


def test_a_member_may_be_called_documentation() -> None:
    """Words for people are left out, names are not."""
    model = {
        "metadata": {"serviceId": "X"},
        "documentation": "words",
        "operations": {"Get": {"name": "Get", "output": {"shape": "Out"}, "documentation": "words"}},
        "shapes": {
            "Out": {
                "type": "structure",
                "documentation": "words",
                "members": {
                    "documentation": {"shape": "Text", "documentation": "words"},
                    "examples": {"shape": "Text"},
                },
            },
            "Text": {"type": "string", "documentation": "words"},
            "Other": {"type": "string"},
        },
    }
    assert models.only(model, {"Get"}) == {
        "metadata": {"serviceId": "X"},
        "operations": {"Get": {"name": "Get", "output": {"shape": "Out"}}},
        "shapes": {
            "Out": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text"}, "examples": {"shape": "Text"}},
            },
            "Text": {"type": "string"},
        },
    }


def test_an_operation_that_botocore_does_not_know_stops_the_build() -> None:
    with pytest.raises(KeyError, match="DescribeNothing"):
        models.only(whole("ec2"), {"DescribeNothing"})


@pytest.mark.parametrize("service", sorted(NEEDED))
def test_botocore_reads_what_is_left_of_a_service(tmp_path: Path, service: str) -> None:
    copytree(DATA / service, tmp_path / service)
    models.slim(tmp_path / service, NEEDED[service])
    loader = Loader(extra_search_paths=[str(tmp_path)], include_default_search_paths=False)
    read = loader.load_service_model(service, "service-2")
    assert read == models.only(whole(service), NEEDED[service])
    # Whoever is refused looks through all shapes for those of errors.
    refusals = {each.name for each in ServiceModel(read, service).error_shapes}
    assert refusals <= {each.name for each in ServiceModel(whole(service), service).error_shapes}
    for kind in ("paginators-1", "endpoint-rule-set-1"):
        assert loader.load_service_model(service, kind) == Loader().load_service_model(service, kind)
    assert len(list((tmp_path / service).iterdir())) == 1
