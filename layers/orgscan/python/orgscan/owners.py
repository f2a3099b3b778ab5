"""Who answers for what is found: of all that name somebody, the word closest to a resource.

Its own tag, its account's, that of the closest unit above the account, the account's alternate contact; else
nobody. Names are whatever people wrote: whoever shows one escapes it.
"""

from collections.abc import Iterator, Mapping, Sequence

from orgscan.model import OwnedBy, Owner

LONGEST = 256
"""Characters of a name, as many as a tag's value may have."""


def owner_of(tags: Mapping[str, str] | None, account_owner: Owner, keys: Sequence[str]) -> Owner:
    """Of a resource. `tags`: None, they could not be read. `keys`: of the tags that count, best first."""
    name = named(tags or {}, keys)
    return Owner(name, OwnedBy.RESOURCE) if name else account_owner


def named(tags: Mapping[str, str], keys: Sequence[str]) -> str:
    """Whom the first of the keys names that names anybody; '' when none does."""
    return next(filter(None, (one_line(tags[spelled]) for spelled in _spellings(tags, keys))), "")


def _spellings(tags: Mapping[str, str], keys: Sequence[str]) -> Iterator[str]:
    """The tags' own keys that are meant: as it is written, then the others, the smallest first."""
    for key in keys:
        meant = (each for each in tags if each.casefold() == key.casefold())
        yield from sorted(meant, key=lambda each: (each != key, each))


def one_line(text: str) -> str:
    """Without what cannot be seen; '' when nothing is left."""
    seen = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(seen.split())[:LONGEST].rstrip()
