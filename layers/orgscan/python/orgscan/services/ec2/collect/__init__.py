"""How we learn about EC2, EBS and VPC."""

from orgscan.services.ec2.collect.instances import ec2_instances, ec2_launch_template_versions
from orgscan.services.ec2.collect.network import (
    ec2_addresses,
    ec2_nat_gateways,
    ec2_network_interfaces,
    ec2_prefix_lists,
    ec2_route_tables,
    ec2_security_groups,
)
from orgscan.services.ec2.collect.storage import (
    ebs_encryption,
    ebs_public_snapshots,
    ebs_snapshot_sharing,
    ebs_snapshots,
    ebs_volumes,
    ec2_images,
)
from orgscan.services.ec2.collect.vpcs import (
    ec2_flow_logs,
    ec2_network_acls,
    ec2_subnets,
    ec2_vpc_endpoints,
    ec2_vpcs,
)

__all__ = [
    "ebs_encryption",
    "ebs_public_snapshots",
    "ebs_snapshot_sharing",
    "ebs_snapshots",
    "ebs_volumes",
    "ec2_addresses",
    "ec2_flow_logs",
    "ec2_images",
    "ec2_instances",
    "ec2_launch_template_versions",
    "ec2_nat_gateways",
    "ec2_network_acls",
    "ec2_network_interfaces",
    "ec2_prefix_lists",
    "ec2_route_tables",
    "ec2_security_groups",
    "ec2_subnets",
    "ec2_vpc_endpoints",
    "ec2_vpcs",
]
