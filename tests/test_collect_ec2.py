"""What the EC2, EBS and VPC collectors see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Target
from orgscan.network import Rule
from orgscan.services.ec2 import collect
from orgscan.services.ec2.facts import (
    Address,
    Attachment,
    Instance,
    Metadata,
    NatGateway,
    NetworkInterface,
    PrefixList,
    Snapshot,
    Volume,
)
from orgscan.session import Clients
from tests.answers import answer, refuse

OWNER = [{"Key": "Owner", "Value": "ann"}]
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
BARE = {
    "InstanceId": "i-1",
    "InstanceType": "m5.large",
    "State": {"Name": "pending"},
    "ImageId": "ami-1",
    "LaunchTime": START,
}
"""As little as EC2 says of an instance."""


@pytest.fixture
def ec2(aws: boto3.Session) -> Any:
    return aws.client("ec2")


def tagged(kind: str) -> Any:
    return [{"ResourceType": kind, "Tags": OWNER}]


def test_a_running_instance(ec2: Any, clients: Clients, target: Target) -> None:
    planted = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        MetadataOptions={"HttpTokens": "required", "HttpEndpoint": "enabled"},
        TagSpecifications=tagged("instance"),
    )["Instances"][0]
    (instance,) = collect.ec2_instances.read(clients, target)
    assert instance == Instance(
        arn=target.arn("ec2", f"instance/{planted['InstanceId']}"),
        tags={"Owner": "ann"},
        id=planted["InstanceId"],
        type="t3.micro",
        state="running",
        image="ami-12345678",
        launched=planted["LaunchTime"],
        attached=instance.attached,
        root_volume=instance.root_volume,
        metadata=Metadata(enabled=True, tokens_required=True),
    )
    assert instance.attached is not None
    assert dict(instance.dimensions) == {"InstanceId": planted["InstanceId"]}


def test_a_stopped_instance_says_since_when_and_a_terminated_one_is_gone(
    ec2: Any, clients: Clients, target: Target
) -> None:
    planted = ec2.run_instances(ImageId="ami-12345678", MinCount=2, MaxCount=2)["Instances"]
    stopped, terminated = (each["InstanceId"] for each in planted)
    ec2.stop_instances(InstanceIds=[stopped])
    ec2.terminate_instances(InstanceIds=[terminated])
    (instance,) = collect.ec2_instances.read(clients, target)
    assert (instance.id, instance.state, instance.tags) == (stopped, "stopped", {})
    assert instance.stopped is not None
    assert instance.stopped >= instance.launched


def test_instances_of_two_pages(
    ec2: Any, clients: Clients, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        ec2.run_instances(ImageId="ami-12345678", MinCount=4, MaxCount=4)
    monkeypatch.setattr(collect.instances, "SMALL_PAGE", {"PageSize": 5})
    assert len({instance.id for instance in collect.ec2_instances.read(clients, target)}) == 12


@pytest.mark.parametrize(
    ("reason", "stopped"),
    [
        ("User initiated (2026-01-01 10:00:00 GMT)", START),
        ("User initiated (2026-01-01 10:00:00 UTC)", START),
        ("Server.ScheduledStop: stopped due to a scheduled retirement", None),
        ("", None),
    ],
)
def test_the_words_of_ec2(clients: Clients, target: Target, reason: str, stopped: datetime | None) -> None:
    described = {
        "InstanceId": "i-1",
        "InstanceType": "m5.large",
        "State": {"Name": "stopped"},
        "ImageId": "ami-1",
        "LaunchTime": START,
        "StateTransitionReason": reason,
        "PlatformDetails": "Windows",
        "InstanceLifecycle": "spot",
        "Placement": {"Tenancy": "host"},
        "MetadataOptions": {"HttpEndpoint": "disabled", "HttpTokens": "optional"},
        "BlockDeviceMappings": [{"DeviceName": "/dev/sdb"}],
    }
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [described]}]})
    answer(clients, target, "ec2:DescribeInstanceAttribute", {"UserData": {}})
    (instance,) = collect.ec2_instances.read(clients, target)
    assert instance == Instance(
        arn=target.arn("ec2", "instance/i-1"),
        tags={},
        id="i-1",
        type="m5.large",
        state="stopped",
        image="ami-1",
        launched=START,
        stopped=stopped,
        metadata=Metadata(enabled=False, tokens_required=False),
        platform="Windows",
        spot=True,
        dedicated=True,
    )


def test_an_instance_of_which_ec2_says_little(clients: Clients, target: Target) -> None:
    described = {**BARE, "InstanceType": "u-9.unheard-of"}
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [described]}]})
    (instance,) = collect.ec2_instances.read(clients, target)
    assert (instance.metadata, instance.platform, instance.attached) == (None, None, None)
    assert not instance.spot
    assert not instance.dedicated


def test_a_metadata_service_that_is_not_said_to_be_off_is_on(clients: Clients, target: Target) -> None:
    described = {**BARE, "MetadataOptions": {"State": "pending"}}
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [described]}]})
    (instance,) = collect.ec2_instances.read(clients, target)
    assert instance.metadata == Metadata(enabled=True, tokens_required=False)


def test_volumes(ec2: Any, clients: Clients, target: Target) -> None:
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    made = ec2.create_volume(
        AvailabilityZone="eu-west-1a",
        Size=10,
        VolumeType="gp3",
        Iops=4000,
        Throughput=200,
        Encrypted=True,
        TagSpecifications=tagged("volume"),
    )
    (instance,) = collect.ec2_instances.read(clients, target)
    volumes = {volume.id: volume for volume in collect.ebs_volumes.read(clients, target)}
    assert volumes.pop(made["VolumeId"]) == Volume(
        arn=target.arn("ec2", f"volume/{made['VolumeId']}"),
        tags={"Owner": "ann"},
        id=made["VolumeId"],
        type="gp3",
        size_gib=10,
        state="available",
        created=made["CreateTime"],
        encrypted=True,
        iops=4000,
        mibps=200,
    )
    (root,) = volumes.values()
    assert (root.state, root.encrypted, root.tags) == ("in-use", False, {})
    assert root.attachments == (Attachment(instance=instance.id, state="attached"),)
    assert (root.instances, dict(root.dimensions)) == ((instance.id,), {"VolumeId": root.id})
    assert instance.root_volume == root.id


def test_only_own_snapshots(ec2: Any, clients: Clients, target: Target) -> None:
    asked: list[Any] = []
    clients.get("ec2").meta.events.register(
        "before-parameter-build.ec2.DescribeSnapshots", lambda params, **_: asked.append(params["OwnerIds"])
    )
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    made = ec2.create_snapshot(
        VolumeId=volume, Description="before the upgrade", TagSpecifications=tagged("snapshot")
    )
    (snapshot,) = collect.ebs_snapshots.read(clients, target)
    assert snapshot == Snapshot(
        arn=f"arn:aws:ec2:eu-west-1::snapshot/{made['SnapshotId']}",
        tags={"Owner": "ann"},
        id=made["SnapshotId"],
        volume=volume,
        started=made["StartTime"],
        completed=True,
        size_gib=1,
        description="before the upgrade",
    )
    assert asked == [["self"]]


def test_a_security_group(ec2: Any, clients: Clients, target: Target) -> None:
    group = ec2.create_security_group(
        GroupName="web", Description="-", TagSpecifications=tagged("security-group")
    )
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
                "PrefixListIds": [{"PrefixListId": "pl-1"}],
            },
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]},
        ],
    )
    seen = {each.id: each for each in collect.ec2_security_groups.read(clients, target)}
    web = seen.pop(group["GroupId"])
    assert web.arn == target.arn("ec2", f"security-group/{group['GroupId']}")
    assert (web.name, web.tags, web.tags_optional) == ("web", {"Owner": "ann"}, False)
    assert set(web.ingress) == {
        Rule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0", "::/0"), prefix_lists=("pl-1",)),
        Rule(protocol="-1"),
    }
    assert web.egress == (Rule(protocol="-1", cidrs=("0.0.0.0/0",)),)
    assert (web.names, web.owner) == ((web.id,), target.account)
    (default,) = seen.values()
    assert (default.name, default.tags, default.tags_optional) == ("default", {}, True)


RULE = {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
GROUP = {
    "GroupId": "sg-odd",
    "GroupName": "odd",
    "OwnerId": "123456789012",
    "IpPermissions": [RULE],
    "IpPermissionsEgress": [],
}


@pytest.mark.parametrize(
    "odd",
    [
        *({name: value for name, value in GROUP.items() if name != left_out} for left_out in GROUP),
        *(
            {**GROUP, "IpPermissions": [{name: value for name, value in RULE.items() if name != left_out}]}
            for left_out in RULE
        ),
        {**GROUP, "IpPermissionsEgress": [{"IpProtocol": "-1"}]},
    ],
)
def test_a_group_whose_rules_are_not_whole_costs_itself(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    """EC2 writes sets that are empty; one that is not there was not read."""
    listed = [{**GROUP, "GroupId": "sg-1"}, odd, {**GROUP, "GroupId": "sg-2"}]
    answer(clients, target, "ec2:DescribeSecurityGroups", {"SecurityGroups": listed})
    lost: list[Gap] = []
    seen = list(collect.ec2_security_groups.read(clients, target, spoil=lost.append))
    assert [(each.id, each.ingress, each.egress) for each in seen] == [
        ("sg-1", (Rule(protocol="-1"),), ()),
        ("sg-2", (Rule(protocol="-1"),), ()),
    ]
    assert [(each.scope, each.reason) for each in lost] == [("ec2-security-groups", Blindness.FAULT)]


@pytest.mark.parametrize(
    ("call", "xml", "read"),
    [
        (
            "DescribeSecurityGroups",
            "<securityGroupInfo><item><ipPermissions/></item></securityGroupInfo>",
            {"SecurityGroups": [{"IpPermissions": []}]},
        ),
        (
            "DescribeNetworkInterfaces",
            "<networkInterfaceSet><item><groupSet/></item><item/></networkInterfaceSet>",
            {"NetworkInterfaces": [{"Groups": []}, {}]},
        ),
    ],
)
def test_an_empty_set_is_read_as_one_and_a_missing_one_is_missing(
    clients: Clients, call: str, xml: str, read: dict[str, Any]
) -> None:
    """As EC2 writes them and botocore reads them."""
    operation = clients.get("ec2").meta.service_model.operation_model(call)
    answered = {"status_code": 200, "headers": {}, "body": f"<R>{xml}</R>".encode()}
    parsed = create_parser("ec2").parse(answered, operation.output_shape)
    assert {name: value for name, value in parsed.items() if name != "ResponseMetadata"} == read


def test_only_customers_prefix_lists_are_expanded(ec2: Any, clients: Clients, target: Target) -> None:
    planted = ec2.create_managed_prefix_list(
        PrefixListName="offices",
        MaxEntries=3,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "192.0.2.0/24"}, {"Cidr": "198.51.100.0/24"}],
    )["PrefixList"]
    seen = {each.id: each for each in collect.ec2_prefix_lists.read(clients, target)}
    offices = seen.pop(planted["PrefixListId"])
    assert offices == PrefixList(
        arn=planted["PrefixListArn"],
        id=planted["PrefixListId"],
        cidrs=("192.0.2.0/24", "198.51.100.0/24"),
    )
    assert seen
    assert {each.cidrs for each in seen.values()} == {None}


def test_entries_that_may_not_be_read_are_a_gap(ec2: Any, clients: Clients, target: Target) -> None:
    planted = ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=1, AddressFamily="IPv4")
    refuse(clients, target, "ec2:GetManagedPrefixListEntries", "UnauthorizedOperation")
    seen = {each.id: each for each in collect.ec2_prefix_lists.read(clients, target)}
    assert seen[planted["PrefixList"]["PrefixListId"]].cidrs == Gap(
        "entries_of", Blindness.DENIED, "ec2:GetManagedPrefixListEntries"
    )


def test_entries_that_cannot_be_found_are_not_none(ec2: Any, clients: Clients, target: Target) -> None:
    """A rule may name the list all the same."""
    planted = ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=1, AddressFamily="IPv4")
    refuse(clients, target, "ec2:GetManagedPrefixListEntries", "InvalidPrefixListID.NotFound")
    seen = {each.id: each for each in collect.ec2_prefix_lists.read(clients, target)}
    assert isinstance(seen[planted["PrefixList"]["PrefixListId"]].cidrs, Gap)


def test_an_interface_names_its_security_groups(ec2: Any, clients: Clients, target: Target) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(GroupName="web", Description="-")["GroupId"]
    made = ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[group], Description="spare")
    id_ = made["NetworkInterface"]["NetworkInterfaceId"]
    (interface,) = collect.ec2_network_interfaces.read(clients, target)
    assert interface == NetworkInterface(
        arn=target.arn("ec2", f"network-interface/{id_}"),
        security_groups=(group,),
        id=id_,
        vpc=subnet["VpcId"],
        subnet=subnet["SubnetId"],
        status="available",
        description="spare",
    )


def test_an_interface_that_names_no_groups_costs_itself(clients: Clients, target: Target) -> None:
    whole = {"VpcId": "vpc-1", "SubnetId": "subnet-1", "Status": "in-use", "Groups": []}
    listed = [{"NetworkInterfaceId": "eni-1"}, {"NetworkInterfaceId": "eni-2", **whole}]
    answer(clients, target, "ec2:DescribeNetworkInterfaces", {"NetworkInterfaces": listed})
    lost: list[Gap] = []
    (interface,) = collect.ec2_network_interfaces.read(clients, target, spoil=lost.append)
    assert interface.arn == target.arn("ec2", "network-interface/eni-2")
    assert [(each.scope, each.reason) for each in lost] == [("ec2-network-interfaces", Blindness.FAULT)]


def test_addresses(ec2: Any, clients: Clients, target: Target) -> None:
    free = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))
    used = ec2.allocate_address(Domain="vpc")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.associate_address(InstanceId=instance, AllocationId=used["AllocationId"])
    seen = {each.ip: each for each in collect.ec2_addresses.read(clients, target)}
    assert seen[free["PublicIp"]] == Address(
        arn=target.arn("ec2", f"elastic-ip/{free['AllocationId']}"),
        tags={"Owner": "ann"},
        ip=free["PublicIp"],
        associated=False,
    )
    assert (seen[used["PublicIp"]].associated, seen[used["PublicIp"]].instance) == (True, instance)


def test_addresses_of_other_origins(clients: Clients, target: Target) -> None:
    brought = {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1", "PublicIpv4Pool": "ipv4pool-ec2-1"}
    managed = {"AllocationId": "eipalloc-2", "PublicIp": "192.0.2.2", "ServiceManaged": "nlb"}
    answer(clients, target, "ec2:DescribeAddresses", {"Addresses": [brought, managed]})
    own, nlb = collect.ec2_addresses.read(clients, target)
    assert (own.own_range, own.managed_by, own.tags_optional) == (True, None, False)
    assert (nlb.own_range, nlb.managed_by, nlb.tags_optional) == (False, "nlb", True)


def test_a_nat_gateway_and_the_routes_to_it(ec2: Any, clients: Clients, target: Target) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(
        SubnetId=subnet["SubnetId"], AllocationId=address, TagSpecifications=tagged("natgateway")
    )["NatGateway"]
    table = ec2.create_route_table(VpcId=subnet["VpcId"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=made["NatGatewayId"])
    (gateway,) = collect.ec2_nat_gateways.read(clients, target)
    assert gateway == NatGateway(
        arn=target.arn("ec2", f"natgateway/{made['NatGatewayId']}"),
        tags={"Owner": "ann"},
        id=made["NatGatewayId"],
        state="available",
        created=made["CreateTime"],
        public_ips=1,
        vpc=subnet["VpcId"],
    )
    assert dict(gateway.dimensions) == {"NatGatewayId": made["NatGatewayId"]}
    routes = {each.id: each.nat_gateways for each in collect.ec2_route_tables.read(clients, target)}
    assert routes.pop(table) == (made["NatGatewayId"],)
    assert set(routes.values()) == {()}


def test_nat_gateways_of_other_kinds(clients: Clients, target: Target) -> None:
    gateway = {"NatGatewayId": "nat-1", "State": "available", "CreateTime": START, "VpcId": "vpc-1"}
    described = [
        {**gateway, "ConnectivityType": "private", "NatGatewayAddresses": [{"PrivateIp": "10.0.0.1"}]},
        {**gateway, "AvailabilityMode": "regional", "NatGatewayAddresses": [{"PublicIp": "192.0.2.1"}] * 2},
        {**gateway, "State": "deleted"},
    ]
    answer(clients, target, "ec2:DescribeNatGateways", {"NatGateways": described})
    private, regional = collect.ec2_nat_gateways.read(clients, target)
    assert (private.public_ips, private.regional) == (0, False)
    assert (regional.public_ips, regional.regional) == (2, True)


def test_the_partition_is_the_targets(ec2: Any, clients: Clients) -> None:
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    ec2.create_snapshot(VolumeId=volume)
    china = Target("123456789012", "eu-west-1", "aws-cn")
    (snapshot,) = collect.ebs_snapshots.read(clients, china)
    assert snapshot.arn.startswith("arn:aws-cn:ec2:eu-west-1::snapshot/")


@pytest.mark.parametrize(
    ("collector", "call"),
    [
        (collect.ec2_instances, "ec2:DescribeInstances"),
        (collect.ebs_volumes, "ec2:DescribeVolumes"),
        (collect.ebs_snapshots, "ec2:DescribeSnapshots"),
        (collect.ebs_public_snapshots, "ec2:DescribeSnapshots"),
        (collect.ebs_snapshot_sharing, "ec2:GetSnapshotBlockPublicAccessState"),
        (collect.ebs_encryption, "ec2:GetEbsEncryptionByDefault"),
        (collect.ec2_images, "ec2:DescribeImages"),
        (collect.ec2_launch_template_versions, "ec2:DescribeLaunchTemplateVersions"),
        (collect.ec2_security_groups, "ec2:DescribeSecurityGroups"),
        (collect.ec2_prefix_lists, "ec2:DescribeManagedPrefixLists"),
        (collect.ec2_network_interfaces, "ec2:DescribeNetworkInterfaces"),
        (collect.ec2_addresses, "ec2:DescribeAddresses"),
        (collect.ec2_nat_gateways, "ec2:DescribeNatGateways"),
        (collect.ec2_route_tables, "ec2:DescribeRouteTables"),
    ],
)
def test_a_denied_listing_is_not_an_empty_one(
    collector: AnyCollector, call: str, clients: Clients, target: Target
) -> None:
    refuse(clients, target, call, "UnauthorizedOperation")
    with pytest.raises(ClientError, match=call):
        list(collector.read(clients, target))


@pytest.mark.parametrize(
    "odd", [{"State": {"Name": "thinking"}}, {"Placement": {"Tenancy": "shared-by-two"}}]
)
def test_words_that_nobody_knows_cost_their_instance(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    described = {**BARE, **odd}
    answer(clients, target, "ec2:DescribeInstances", {"Reservations": [{"Instances": [described]}]})
    lost: list[Gap] = []
    assert list(collect.ec2_instances.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize(
    "odd",
    [{"VolumeType": "gp9"}, {"State": "thinking"}, {"Attachments": [{"InstanceId": "i-1", "State": "half"}]}],
)
def test_words_that_nobody_knows_cost_their_volume(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    described = {
        "VolumeId": "vol-1",
        "VolumeType": "gp3",
        "Size": 8,
        "State": "available",
        "CreateTime": START,
        "Encrypted": True,
        "Attachments": [],
    }
    answer(clients, target, "ec2:DescribeVolumes", {"Volumes": [{**described, **odd}, described]})
    lost: list[Gap] = []
    (seen,) = collect.ebs_volumes.read(clients, target, spoil=lost.append)
    assert seen.attachments == ()
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize(
    "odd",
    [
        {"IpProtocol": ""},
        {"IpProtocol": "tcp2"},
        {"IpRanges": [{"CidrIp": ""}]},
        {"FromPort": 22},
        {"ToPort": 22},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_costs_its_group(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    rule = {
        "IpProtocol": "tcp",
        "IpRanges": [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }
    group = {
        "GroupId": "sg-1",
        "GroupName": "web",
        "OwnerId": target.account,
        "IpPermissions": [{**rule, **odd}],
        "IpPermissionsEgress": [],
    }
    answer(clients, target, "ec2:DescribeSecurityGroups", {"SecurityGroups": [group]})
    lost: list[Gap] = []
    assert list(collect.ec2_security_groups.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize(
    ("association", "known"), [({"PublicIp": "192.0.2.1"}, 1), ({"CarrierIp": "192.0.2.1"}, 1), ({}, 0)]
)
def test_an_association_without_an_address_costs_its_interface(
    clients: Clients, target: Target, association: dict[str, str], known: int
) -> None:
    described = {
        "NetworkInterfaceId": "eni-1",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "Status": "in-use",
        "Groups": [],
        "Association": association,
    }
    answer(clients, target, "ec2:DescribeNetworkInterfaces", {"NetworkInterfaces": [described]})
    lost: list[Gap] = []
    assert len(list(collect.ec2_network_interfaces.read(clients, target, spoil=lost.append))) == known
    assert len(lost) == 1 - known
