"""What a reason for not seeing something means, and what to do, as docs/operating.md says it too."""

from typing import NamedTuple

from orgscan.model import Blindness


class Advice(NamedTuple):
    """`words` in backticks are names and commands."""

    meaning: str
    to_do: str


ADVICE = {
    Blindness.DENIED: Advice(
        "The role may not do what `detail` names. `sts:AssumeRole`: the account has no role, or it trusts "
        "another hub, ExternalId or organization (`role.organization_id`)",
        "`aws cloudformation list-stack-instances --stack-set-name OrgscanMember` says why its stack failed "
        "(`--call-as DELEGATED_ADMIN` from one); outside of `deployment.ous`, deploy the member stack there. "
        "A role that is older than the hub's version lacks what new checks read",
    ),
    Blindness.DENIED_BY_SCP: Advice(
        "A service control policy forbids the call; AWS names it (`p-...`) when it is of the same "
        "organization",
        "Exempt the role in the policy, or take the region or account out of scope",
    ),
    Blindness.REGION_OFF: Advice(
        "The account has not enabled the region, or AWS did not accept the credentials there",
        "Enable the region, or name the regions you use in `regions`; `enabled` never plans one that is off",
    ),
    Blindness.THROTTLED: Advice(
        "AWS refused for too many requests, although orgscan keeps to a budget per API, and also after "
        "retries with growing pauses",
        "Raise `limits.polite`, or move the schedule away from other heavy users of the API",
    ),
    Blindness.DEADLINE: Advice(
        "A call or a check did not end, or the target needed more than sixteen invocations",
        "Once: none. Always: raise `limits.scan_memory` (CPU grows with it), or divide the checks among "
        "several schedules",
    ),
    Blindness.NO_DATA: Advice(
        "AWS answered, but with too little to judge: metrics with too few datapoints, a report that is not "
        "ready yet",
        "Usually none. An old resource that stays here publishes no metrics; look at it yourself",
    ),
    Blindness.UNREACHABLE: Advice(
        "No connection to the endpoint, none that answered in time, or an error inside AWS (500, 503)",
        "Once: none. Always in one region: see whether orgscan's botocore knows the service there, and AWS's "
        "health dashboard",
    ),
    Blindness.FAULT: Advice(
        "Something that nobody foresaw: an answer we could not read, a worker that died, a scan superseded "
        "by a later one",
        "See the log of `Scan`; a worker that died at its memory limit needs more `limits.scan_memory`",
    ),
}
