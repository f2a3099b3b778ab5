"""Of which accounts a scan must tell that they joined, left or changed state."""

from tests.model.oracle import Asked, Oracle, Told
from tests.model.world import World

LEFT = "LEFT"


def notice(oracle: Oracle, world: World, scan: str, *, whole: bool) -> None:
    """A scan is planned: what differs from what people were told. The first scan only learns who is there.

    `whole`: it asks for no accounts in particular; the others leave this alone.
    """
    news: dict[str, Told] = {}
    if whole:
        there = world.organization.accounts
        for account in {*there, *oracle.members} - {*world.scope.exclude_accounts}:
            before = oracle.members.get(account, Told("", ""))
            now = there[account][1] if account in there else LEFT
            if now != before.state and (account in there or before.state):
                news[account] = Told(now, before.scan)
        if not oracle.knows_members:
            oracle.members |= {account: Told(each.state, scan) for account, each in news.items()}
            news = {}
        oracle.knows_members = True
    oracle.moves[scan] = news


def moved(oracle: Oracle, asked: Asked) -> list[str]:
    """A scan is reported: accounts of which nobody else told since it was planned. It tells of them for good.

    One that mails nobody lists all it noticed, and leaves the telling to the next.
    """
    told: list[str] = []
    for account, move in sorted(oracle.moves[asked.scan].items()):
        if not asked.notify:
            told.append(account)
        elif oracle.members.get(account, Told("", "")).scan == move.scan:
            oracle.members[account] = Told(move.state, asked.scan)
            told.append(account)
    return told
