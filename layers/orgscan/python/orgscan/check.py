"""How a check is declared: a pure function plus the metadata that travels with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Concatenate, Generic, Protocol, TypeAlias, TypeVar

from orgscan.model import (
    Blindness,
    Category,
    Gap,
    Metric,
    Money,
    Resource,
    Series,
    Severity,
    Taggable,
    Target,
    Unread,
)

R = TypeVar("R", bound=Resource)
O = TypeVar("O", bound=Resource)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a resource, where more than a sentence is to be said."""

    text: str
    severity: Severity | None = None
    """Overrides the check's."""
    key: str = ""
    """The part of the resource; problems of one key are one finding."""
    saving: Money | None = None


Problems: TypeAlias = Iterator[str | Problem]


class View(Protocol):
    """What a check may know besides its resource. Asking for what was not seen raises `Unread`."""

    @property
    def target(self) -> Target: ...

    @property
    def now(self) -> datetime:
        """When the scan started, UTC."""

    @property
    def accounts(self) -> frozenset[str]:
        """The organization's, in any state; without an organization, those in scope."""

    def every(self, kind: type[O]) -> Iterable[O]:
        """All resources of a kind named in the check's `also`; read anew each time."""

    def related(self, kind: type[O], attribute: str, value: str) -> Sequence[O]:
        """Those whose attribute equals the value, or, for tuples and sets, contains it."""

    def tags(self, resource: Taggable) -> Mapping[str, str]: ...

    def measure(self, resource: Resource, *metrics: Metric, days: int) -> Sequence[Series]:
        """A series for each of these, of the check's `measures`, in their order, over the last full `days`.

        None named are all. Each that is asked for is billed: what one of them decides needs no other.
        """

    def measure_all(
        self, resources: Sequence[Resource], *metrics: Metric, days: int
    ) -> Sequence[Sequence[Series]]:
        """The same for each of several resources, in their order: asked together, fetched together."""


def enough(check: str, series: Iterable[Series], *, days: int, share: float) -> None:
    """Raises Unread, for a check by its id, where less than this share of a metric's datapoints exists."""
    if any(each.share < share for each in series):
        detail = f"less than {share:.0%} of the datapoints of {days} days exist"
        raise Unread(Gap(check, Blindness.NO_DATA, detail))


@dataclass(frozen=True, eq=False)
class Check(Generic[R]):
    resource: type[R]
    severity: Severity
    category: Category
    fix: str
    problems: Callable[..., Problems]
    also: tuple[type[Resource], ...] = ()
    """Other kinds it looks at; a gap in one of them keeps it from vouching."""
    measures: tuple[Metric, ...] = ()
    refs: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    """Control numbers of frameworks: 'CIS AWS 3.0 5.2', 'FSBP EC2.13'."""
    equivalent: tuple[str, ...] = ()
    """The same question in other tools: 'prowler:<id>', 'trusted-advisor:<id>'."""
    was: tuple[str, ...] = ()
    """Earlier ids; an id is forever."""
    cli: tuple[str, ...] = ()
    """Commands of the AWS CLI that mend it, in their order: 'aws ec2 delete-volume --volume-id {name} ...'.

    `remedy.py` fills in {what the finding tells}; '<what-people-decide>' stands in single quotes. A name that
    may begin with a dash follows a sign: --user-name={name}. 'user: aws iam ...' is for users only.
    """
    cdk: str = ""
    """The same as a piece of a CDK app in Python, of L1 constructs."""

    @property
    def id(self) -> str:
        return self.problems.__name__.replace("_", "-")

    @property
    def title(self) -> str:
        """What is wrong, one sentence."""
        return self._doc.partition("\n")[0]

    @property
    def why(self) -> str:
        return self._doc.partition("\n")[2].strip()

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """Threshold -> default, as the function's signature states them."""
        keyword = inspect.Parameter.KEYWORD_ONLY
        return {p.name: p.default for p in self._signature.parameters.values() if p.kind is keyword}

    @cached_property
    def wants_view(self) -> bool:
        keyword = inspect.Parameter.KEYWORD_ONLY
        return sum(p.kind is not keyword for p in self._signature.parameters.values()) > 1

    def judge(self, resource: R, view: View, parameters: Mapping[str, Any] | None = None) -> Problems:
        args = (resource, view) if self.wants_view else (resource,)
        return self.problems(*args, **(parameters or {}))

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.problems)

    @property
    def _doc(self) -> str:
        return inspect.getdoc(self.problems) or ""


def check(  # noqa: PLR0913 (a declaration names its parts)
    resource: type[R],
    *,
    severity: Severity,
    category: Category,
    fix: str,
    also: tuple[type[Resource], ...] = (),
    measures: tuple[Metric, ...] = (),
    refs: tuple[str, ...] = (),
    maps: tuple[str, ...] = (),
    equivalent: tuple[str, ...] = (),
    was: tuple[str, ...] = (),
    cli: tuple[str, ...] = (),
    cdk: str = "",
) -> Callable[[Callable[Concatenate[R, ...], Problems]], Check[R]]:
    """Declare a check: its id is the function's name, its prose the docstring, its thresholds the keywords.

    The function takes the resource, and a `View` when it needs more than the resource. `cdk` may be indented.
    """

    def declare(problems: Callable[Concatenate[R, ...], Problems]) -> Check[R]:
        return Check(
            resource,
            severity,
            category,
            fix,
            problems,
            also,
            measures,
            refs,
            maps,
            equivalent,
            was,
            cli,
            inspect.cleandoc(cdk),
        )

    return declare
