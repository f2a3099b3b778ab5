"""The smallest stack that shows what the embedded AWS does, as `cdk synth` would write it."""

import json
import shutil
from pathlib import Path
from typing import Any

import boto3

HUB = "111111111111"

HANDLER = """
import json, os, sys, time
import greeting

class InvalidScanRequest(Exception):
    pass

def handler(event, context):
    return globals()[event["do"]](event, context)

def look(event, context):
    import boto3
    caller = boto3.client("sts").get_caller_identity()["Arn"]
    left = context.get_remaining_time_in_millis()
    said = {"greeting": greeting.TEXT, "name": os.environ["NAME"]}
    return {**said, "caller": caller, "path": sys.path, "left": left}

def call(event, context):
    import boto3
    session = boto3
    if "role" in event:
        options = {"RoleSessionName": "scan", **event.get("options", {})}
        keys = boto3.client("sts").assume_role(RoleArn=event["role"], **options)["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    client = session.client(event["service"], region_name=event.get("region"))
    answer = getattr(client, event["operation"])(**event.get("arguments", {}))
    return json.loads(json.dumps(answer, default=str))

def refuse(event, context):
    raise InvalidScanRequest("region mars-1 does not exist")

def die(event, context):
    os.kill(os.getpid(), 9)

def hang_up(event, context):
    import socket, struct
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    talk = socket.create_connection((host, int(port)))
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends in a reset
    talk.sendall(b"POST /2018-06-01/runtime/")
    talk.close()
    os._exit(1)

def hang(event, context):
    time.sleep(60)

def scan(event, context):
    print("looking at", event["item"])
    if event["item"] == 7:
        raise InvalidScanRequest("seven")
    return {"pid": os.getpid()}
"""


def function(name: str, timeout: int, role: str = "Role") -> dict[str, Any]:
    code = {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "code.zip"}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Handler": "main.handler",
            "Runtime": "python3.11",
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Code": code,
            "Timeout": timeout,
            "Layers": [{"Ref": "Layer"}],
            "Environment": {"Variables": {"NAME": name}},
            "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
        },
    }


def role(name: str, service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": {"Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
                }
            ],
        },
    }


def allow(*actions: str, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


MACHINE = allow("lambda:InvokeFunction", "s3:GetObject")


def machine() -> dict[str, Any]:
    def task(payload: dict[str, Any]) -> dict[str, Any]:
        parameters = {"FunctionName": "brisk", "Payload": payload}
        return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}

    scan = {**task({"do": "scan", "item.$": "$.item", "scan.$": "$$.Execution.Name"}), "End": True}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "targets", "Key": "targets.json"},
    }
    each = {
        "Type": "Map",
        "ItemReader": reader,
        "MaxConcurrency": 4,
        "ToleratedFailurePercentage": 100,
        "ResultPath": None,
        "Label": "EachTarget",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Scan",
            "States": {"Scan": scan},
        },
        "Next": "Done",
    }
    states = {
        "Plan": {
            **task({"do.$": "$.plan"}),
            "ResultSelector": {"left.$": "$.Payload.left"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refused", "ResultPath": "$"}],
            "Next": "EachTarget",
        },
        "EachTarget": each,
        "Done": {"Type": "Succeed"},
        "Refused": {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"},
    }
    return {"StartAt": "Plan", "States": states}


def worker_role() -> dict[str, Any]:
    worker = role(
        "Worker",
        "lambda.amazonaws.com",
        allow("dynamodb:PutItem", resource=f"arn:aws:dynamodb:us-east-1:{HUB}:table/findings"),
        allow("sts:AssumeRole", resource="arn:aws:iam::*:role/Scan"),
        allow("sns:Publish", resource={"Ref": "Topic"}),
    )
    worker["Properties"]["ManagedPolicyArns"] = [{"Ref": "Buckets"}]
    return worker


def template() -> dict[str, Any]:
    """The whole template; the worker's permission for S3 comes from a managed policy."""
    return {
        "Resources": {
            "Role": worker_role(),
            "Buckets": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [allow("s3:*")]}},
            },
            "Nobody": role("Nobody", "lambda.amazonaws.com"),
            "MachineRole": role("Machine", "states.amazonaws.com", MACHINE),
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/orgscan/worker"}},
            "Layer": {
                "Type": "AWS::Lambda::LayerVersion",
                "Properties": {
                    "Content": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "layer.zip"}
                },
            },
            "Brisk": function("brisk", 30),
            "Slow": function("slow", 1),
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Mail": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "email",
                    "Endpoint": "sec@example.com",
                    "FilterPolicy": {"route": ["security"]},
                },
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                    "DefinitionString": json.dumps(machine()),
                    "LoggingConfiguration": {"Level": "ERROR"},
                },
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        },
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}, "Machine": {"Value": {"Ref": "Machine"}}},
    }


def assembly(folder: Path, greeting: str) -> Path:
    """What `cdk synth` writes: the template, an asset of code and one of a layer that brings boto3 itself."""
    site = Path(boto3.__file__).parents[1]
    layer = folder / "asset.layer" / "python"
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"):
        shutil.copytree(site / name, layer / name, ignore=services_not_called)
    shutil.copy(site / "six.py", layer)
    code = folder / "asset.code"
    code.mkdir()
    (code / "main.py").write_text(HANDLER)
    (code / "greeting.py").write_text(f"TEXT = {greeting!r}")
    files = {
        key: {
            "source": {"path": path, "packaging": "zip"},
            "destinations": {"here": {"bucketName": "assets-${AWS::AccountId}", "objectKey": f"{key}.zip"}},
        }
        for key, path in {"code": "asset.code", "layer": "asset.layer"}.items()
    }
    properties = {"templateFile": "Tiny.template.json"}
    artifacts = {"Tiny": {"type": "aws:cloudformation:stack", "properties": properties}}
    (folder / "Tiny.assets.json").write_text(json.dumps({"files": files}))
    (folder / "Tiny.template.json").write_text(json.dumps(template()))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def services_not_called(folder: str, names: list[str]) -> set[str]:
    called = {"dynamodb", "ec2", "s3", "sns", "sts"}
    return {name for name in names if Path(folder).name == "data" and "." not in name and name not in called}
