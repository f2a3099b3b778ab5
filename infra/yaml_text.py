"""Reading YAML so that what people wrote is what they get, or they are told the line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

# YAML 1.2's plain values, as editors read them. PyYAML's own dialect, YAML 1.1, makes False of `off`
# and of the account id 012345670123 the octal number 1402433619.
PLAIN = {
    "null": ("null|~|", ["n", "~", ""]),
    "bool": ("true|false", ["t", "f"]),
    "int": ("-?(0|[1-9][0-9]*)", list("-0123456789")),
    "float": (r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
}


class NotYaml(ValueError):
    """`places` names every trouble, with its line."""

    def __init__(self, places: list[str]) -> None:
        super().__init__("; ".join(places))
        self.places = places


def read(text: str) -> Any:
    """The document in `text`. Raises NotYaml for what is no YAML and for keys that stand twice."""
    try:
        loader = _Loader(text)
        document = loader.get_single_data()
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise NotYaml([f"line {line}: must be YAML: {wrong.problem}"]) from None
    except yaml.YAMLError as wrong:
        raise NotYaml([f"must be YAML: {' '.join(str(wrong).split())}"]) from None
    if loader.repeated:
        raise NotYaml([f"line {line}: {key}: must stand only once" for line, key in sorted(loader.repeated)])
    return document


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own)

    def __init__(self, text: str) -> None:
        self.repeated: list[tuple[int, str]] = []
        super().__init__(text)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(keys):
            if any(key.value == earlier.value for earlier in keys[:place]):
                self.repeated.append((key.start_mark.line + 1, key.value))
        return super().construct_mapping(node, deep)


for _name, (_pattern, _first) in PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), _first)
