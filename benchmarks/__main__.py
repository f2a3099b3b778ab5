"""`make bench`: all sections but `prowler`, or those that are named.

    python -m benchmarks [SECTION ...] [--rounds N] [--latency MS ...] [--workers N] [--sizes N ...] [--plain]

record      the invented organization, if it is not yet; with --again in any case
cold        from a new process to its first request, and what Lambda has to fetch
one         the scan function over the busiest target, and over its account
fleet       the same over 12 accounts with 4 regions and `global`
targets     targets of 5,000 to 200,000 resources
store       10,000 findings: all new, unchanged, 1% changed
prowler     a peer, with forty checks, beside the same forty of orgscan's; installs 1.4 GB, once
simulation  a whole scan of 1,000 and 10,000 accounts, from what `cold` and `fleet` measured
"""

import argparse
from collections.abc import Callable, Mapping

from benchmarks import cold, one_target, prowler, recorder, scanning, simulation, storing
from benchmarks.workshop import SHOWN

ASKED_FOR = ("prowler",)
"""Nobody gets these without naming them."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="see benchmarks/__main__.py")
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes of which the median is told")
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 40], help="of the served AWS, in ms")
    parser.add_argument("--workers", type=int, default=1, help="processes that scan side by side")
    parser.add_argument("--sizes", type=int, nargs="+", default=one_target.SIZES, help="of `targets`")
    parser.add_argument("--plain", action="store_true", help="without TLS, to see what it takes")
    parser.add_argument("--again", action="store_true", help="`record` though there is a recording")
    told = parser.parse_args()
    sections = _sections(told)
    if unknown := [each for each in told.sections if each not in sections]:
        parser.error(f"{unknown[0]} is none of {', '.join(sections)}")
    for name in told.sections or [each for each in sections if each not in ASKED_FOR]:
        sections[name]()


def _sections(told: argparse.Namespace) -> Mapping[str, Callable[[], object]]:
    """In the order in which they need each other."""

    def scan(section: str) -> None:
        scanning.run(
            section, rounds=told.rounds, latencies=told.latency, workers=told.workers, tls=not told.plain
        )

    return {
        "record": lambda: recorder.load(again=told.again, say=SHOWN.print),
        "cold": lambda: cold.run(rounds=told.rounds, tls=not told.plain),
        "one": lambda: scan("one"),
        "fleet": lambda: scan("fleet"),
        "targets": lambda: one_target.run(told.sizes),
        "store": storing.run,
        "prowler": lambda: prowler.run(rounds=told.rounds, latencies=told.latency, tls=not told.plain),
        "simulation": simulation.run,
    }


if __name__ == "__main__":
    main()
