"""What the CloudWatch checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.services.cloudwatch.checks import cloudwatch_alarm_no_actions, cloudwatch_alarm_orphaned
from orgscan.services.cloudwatch.facts import Alarm, Watched
from orgscan.services.ec2.facts import Instance
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, ago
from tests.cases.ec2 import INSTANCE as VM
from tests.cases.lambda_ import FUNCTION
from tests.cases.rds import DATABASE


def on(namespace: str, **dimensions: str) -> Watched:
    return Watched(namespace=namespace, dimensions=dimensions)


OF_VM = on("AWS/EC2", InstanceId=VM.id)
OF_NOBODY = on("AWS/EC2", InstanceId="i-gone")
ALARM = Alarm(
    arn="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:processor",
    name="processor",
    actions=("arn:aws:sns:eu-west-1:123456789012:operations",),
    actions_enabled=True,
    state="OK",
    since=ago(100),
    watched=(OF_VM,),
)
WHOLE = replace(ALARM, arn=f"{ALARM.arn}-whole", name="whole", watched=None, children=("processor", "other"))
MUTE = replace(ALARM, actions=())
ACTION_CASES: list[Case] = [
    passes(cloudwatch_alarm_no_actions, ALARM),
    fails(cloudwatch_alarm_no_actions, MUTE, Problem("nothing happens when it goes off")),
    fails(cloudwatch_alarm_no_actions, replace(ALARM, actions_enabled=False), "its actions are disabled"),
    passes(cloudwatch_alarm_no_actions, MUTE, beside=[MUTE, WHOLE]),
    fails(
        cloudwatch_alarm_no_actions,
        MUTE,
        "nothing happens when it goes off",
        beside=[replace(WHOLE, children=("other",))],
    ),
    fails(
        cloudwatch_alarm_no_actions,
        replace(WHOLE, actions=()),
        "nothing happens when it goes off",
        beside=[WHOLE],
    ),
    passes(cloudwatch_alarm_no_actions, replace(MUTE, name="TargetTracking-table/shop-AlarmHigh-1")),
    passes(cloudwatch_alarm_no_actions, MUTE, parameters={"exempt_patterns": ["proc*"]}),
    cannot_tell(cloudwatch_alarm_no_actions, MUTE, "DescribeSomething", lost={Alarm: DENIED}),
    passes(cloudwatch_alarm_no_actions, ALARM, lost={Alarm: DENIED}),
]

SILENT = replace(ALARM, state="INSUFFICIENT_DATA", since=ago(7), watched=(OF_NOBODY,))
LONG = replace(SILENT, since=ago(15), watched=(OF_VM,))
GONE = "no data since 2026-01-08: i-gone does not exist any more"
CALM = replace(SILENT, state="OK", missing="notBreaching", since=ago(1))
ONE = usd(0.1, everywhere=True)
ORPHAN_CASES: list[Case] = [
    passes(cloudwatch_alarm_orphaned, replace(ALARM, watched=(OF_NOBODY,))),
    fails(cloudwatch_alarm_orphaned, SILENT, Problem(GONE, saving=ONE), beside=[VM]),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, since=ago(7) + timedelta(seconds=1))),
    passes(cloudwatch_alarm_orphaned, SILENT, parameters={"min_days": 8}),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=(OF_VM,)), beside=[VM]),
    fails(cloudwatch_alarm_orphaned, LONG, Problem("no data since 2025-12-31", saving=ONE), beside=[VM]),
    passes(cloudwatch_alarm_orphaned, replace(LONG, since=ago(14)), beside=[VM]),
    passes(cloudwatch_alarm_orphaned, LONG, beside=[VM], parameters={"metric_days": 16}),
    # A query chooses its metrics, and what it costs with them.
    fails(cloudwatch_alarm_orphaned, replace(LONG, watched=None), Problem("no data since 2025-12-31")),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=None)),
    # Who hides missing data never says that it has none.
    fails(
        cloudwatch_alarm_orphaned, CALM, Problem("i-gone does not exist any more", saving=ONE), beside=[VM]
    ),
    passes(cloudwatch_alarm_orphaned, replace(CALM, watched=(OF_VM,)), beside=[VM]),
    passes(
        cloudwatch_alarm_orphaned,
        replace(LONG, missing="breaching"),
        beside=[VM],
    ),
    passes(cloudwatch_alarm_orphaned, replace(LONG, name="TargetTracking-a"), beside=[VM]),
    fails(
        cloudwatch_alarm_orphaned,
        replace(SILENT, name="TargetTracking-a"),
        "i-gone does not exist any more",
    ),
    # All metrics must be gone.
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=(OF_NOBODY, OF_VM)), beside=[VM]),
    fails(
        cloudwatch_alarm_orphaned,
        replace(SILENT, watched=(OF_NOBODY, on("AWS/EBS", VolumeId="vol-gone")), high_resolution=True),
        Problem(
            "no data since 2026-01-08: i-gone, vol-gone does not exist any more",
            saving=usd(0.6, everywhere=True),
        ),
    ),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=(on("AWS/Billing"),))),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=(on("Acme", InstanceId="i-gone"),))),
    passes(cloudwatch_alarm_orphaned, replace(SILENT, watched=(on("CWAgent", InstanceId="mi-1"),))),
    passes(
        cloudwatch_alarm_orphaned,
        replace(SILENT, watched=(on("AWS/Lambda", FunctionName="us-east-1.redirect"),)),
    ),
    passes(
        cloudwatch_alarm_orphaned,
        replace(SILENT, watched=(on("AWS/RDS", DBInstanceIdentifier=DATABASE.arn.rpartition(":")[2]),)),
        beside=[DATABASE],
    ),
    fails(
        cloudwatch_alarm_orphaned,
        replace(SILENT, watched=(on("AWS/Lambda", FunctionName="resize"),)),
        GONE.replace("i-gone", "resize"),
        beside=[replace(FUNCTION, arn="arn:aws:lambda:eu-west-1:123456789012:function:resize2", name="r")],
    ),
    cannot_tell(cloudwatch_alarm_orphaned, SILENT, "DescribeSomething", lost={Instance: DENIED}),
    fails(cloudwatch_alarm_orphaned, LONG, "no data since 2025-12-31", lost={Instance: DENIED}),
    passes(cloudwatch_alarm_orphaned, WHOLE, beside=[ALARM, WHOLE]),
    fails(
        cloudwatch_alarm_orphaned,
        WHOLE,
        Problem(
            "none of the alarms in its rule exists any more: processor, other",
            saving=usd(0.5, everywhere=True),
        ),
        beside=[WHOLE],
    ),
    passes(cloudwatch_alarm_orphaned, replace(WHOLE, children=())),
    cannot_tell(cloudwatch_alarm_orphaned, WHOLE, "DescribeSomething", lost={Alarm: DENIED}),
]

CASES = [*ACTION_CASES, *ORPHAN_CASES]
