"""`make bench`: all sections, or those that are named.

python -m benchmarks [SECTION ...] [--rounds N] [--latency MS ...] [--workers N]
"""

import argparse

from benchmarks import recorder, scanning
from benchmarks.workshop import SHOWN

SECTIONS = ("one", "fleet")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"record, {', '.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes of which the median is told")
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 40], help="of the served AWS, in ms")
    parser.add_argument("--workers", type=int, default=1, help="processes that scan side by side")
    parser.add_argument("--again", action="store_true", help="with `record`: though there is a recording")
    told = parser.parse_args()
    for section in told.sections or SECTIONS:
        match section:
            case "record":
                recorder.load(again=told.again, say=SHOWN.print)
            case "one" | "fleet":
                scanning.run(section, rounds=told.rounds, latencies=told.latency, workers=told.workers)
            case _:
                parser.error(f"there is no section {section}")


if __name__ == "__main__":
    main()
