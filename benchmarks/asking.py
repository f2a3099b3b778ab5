"""The same calls by orgscan's clients alone: what is answered is parsed and thrown away.

    python -S -P asking.py TOLD.json

TOLD: as of plain.py, and `polite`. Nothing is judged or stored; so it is what plain.py does, another way.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.dial import redirect
from benchmarks.replay import Ask, replay, told
from orgscan import catalog, session


def main() -> None:
    given = told()
    redirect(given["port"], given["certificate"])

    def begin() -> Callable[[str], Ask]:
        home = session.here()
        kept = session.keep(home)

        def enter(account: str) -> Ask:
            clients = session.assume(
                home,
                account,
                role=given["role"],
                external_id=None,
                session_name="asking",
                polite=given["polite"],
                kept=kept,
            )

            def ask(service: str, region: str, operation: str, parameters: dict[str, Any]) -> object:
                where = None if region == "aws-global" else region
                client = clients.get(service, where)
                return client._make_api_call(operation, parameters)  # noqa: SLF001 (what methods are made of)

            return ask

        return enter

    with session.declared(catalog.calls()):
        replay(given, begin)


if __name__ == "__main__":
    main()
