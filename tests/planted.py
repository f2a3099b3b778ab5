"""Compare what is planted with what is found, in one account that has every fault: for whoever writes checks.

python -m tests.planted rds-instance-idle ec2-ami-public    # or nothing: all of them
"""

import sys
from collections.abc import Collection

from local.place import Planted
from orgscan import catalog, engine
from tests.served import TARGETS, Served, record


def main(only: Collection[str]) -> int:
    recording = record()
    served = Served(recording)
    clients = served.clients()
    ids = only or catalog.everything().ids()
    found: dict[Planted, str] = {}
    for target in TARGETS:
        asked = catalog.everything().only(ids)
        seen = engine.look(target, lambda: clients, asked, now=recording.now)
        assert seen
        for finding in seen.findings:
            where = Planted(target.account, target.region, finding.check, finding.resource, finding.key)
            found[where] = "; ".join(finding.problems)
        for check, gap in sorted(seen.coverage.gaps.items()):
            print(f"gap       {target.region} {check}: {gap.reason}: {gap.detail}")
    planted = {each for each in recording.planted if each.check in ids}
    for each in sorted(found.keys() - planted):
        print(f"too much  {each.region} {each.check} {each.resource} {each.key}: {found[each]}")
    for each in sorted(planted - found.keys()):
        print(f"missing   {each.region} {each.check} {each.resource} {each.key}")
    for check in sorted(ids):
        if not any(each.check == check for each in planted):
            print(f"unplanted {check}")
        if not any(each.check == check for each in recording.look_alikes):
            print(f"no look-alike {check}")
    print("exact" if found.keys() == planted else "DIFFERS")
    return found.keys() != planted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
