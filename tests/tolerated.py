"""What an answer may lack, and which new words it may hold, although something is then no longer found.

Each place was looked at: 'service:Operation Path[].To.Member' -> why that is the truth and no lie.
"""

from collections.abc import Mapping

LACKING = ("dropped", "null", "hollow")
"""Changes after which a member is not there, or as good as not."""
OPTIONAL: Mapping[str, str] = {
    "acm:DescribeCertificate Certificate": "a description that says nothing tells of no renewal",
    "acm:DescribeCertificate Certificate.RenewalSummary": "no renewal has begun",
    "cloudwatch:DescribeAlarms MetricAlarms[].TreatMissingData": "'missing', which is the default",
    "cost-optimization-hub:ListRecommendations items[].resourceArn": "a purchase has none: known by its id",
    "ec2:DescribeFlowLogs FlowLogs[].DeliverLogsStatus": "nothing was to be delivered yet",
    "ec2:DescribeInstances Reservations[].Instances[].Tags": "no tags",
    "ec2:DescribeNatGateways NatGateways[].NatGatewayAddresses": "a private gateway",
    "ec2:DescribeNatGateways NatGateways[].NatGatewayAddresses[]": "a private gateway",
    "ec2:DescribeNatGateways NatGateways[].NatGatewayAddresses[].PublicIp": "a private gateway",
    "ec2:DescribeNetworkInterfaces NetworkInterfaces[].Attachment": "attached to no instance",
    "ec2:DescribeNetworkInterfaces NetworkInterfaces[].Attachment.InstanceId": "attached to no instance",
    "ec2:DescribeRouteTables RouteTables[].Routes[].NatGatewayId": "the route leads elsewhere",
    "ec2:DescribeVolumes Volumes[].Attachments[].InstanceId": "a task of ECS",
    "ec2:DescribeVolumes Volumes[].Tags": "no tags",
    "ec2:DescribeInstanceAttribute UserData": "an instance without user data",
    "ec2:DescribeInstanceAttribute UserData.Value": "an instance without user data",
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].environment": "no variables",
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].environment[]": "an empty value",
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].environment[].name": "no name",
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].environment[].value": "an empty value",
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].logConfiguration.options": (
        "the account's default"
    ),
    "ecs:DescribeTaskDefinition taskDefinition.containerDefinitions[].logConfiguration.options.mode": (
        "the account's default"
    ),
    "lambda:ListFunctions Functions[].Environment": "no variables",
    "lambda:ListFunctions Functions[].Environment.Variables": "no variables",
    "lambda:ListFunctions Functions[].Environment.Variables.DB_PASSWORD": "no such variable",
    "rds:DescribeDBInstances DBInstances[].TagList": "no tags",
    "resourcegroupstaggingapi:GetResources PaginationToken": "the last page",
    "s3:GetBucketEncryption ServerSideEncryptionConfiguration.Rules[]": (
        "a rule may say only which encryption it blocks"
    ),
    "s3:GetBucketEncryption ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault": (
        "a rule may say only which encryption it blocks"
    ),
    "sqs:GetQueueAttributes Attributes.Policy": "a queue without a policy",
    "sqs:ListQueues QueueUrls": "SQS leaves it out where there are no queues",
}
REVIEWED: Mapping[str, str] = {
    "ec2:DescribeNetworkInterfaces NetworkInterfaces[].InterfaceType": "of a service, which removes it",
    "rds:DescribeDBInstances DBInstances[].DBInstanceStatus": "it passes: judged again when 'available'",
}
