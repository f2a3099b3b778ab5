"""Every check on every resource of its kinds. What cannot be judged is a gap of that resource."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orgscan import metrics
from orgscan.aside import Aside
from orgscan.catalog import AnyCheck
from orgscan.check import Problem
from orgscan.errors import OutOfTime, gap, trace
from orgscan.metrics import Query
from orgscan.model import Blindness, Category, Finding, Gap, Resource, Series, Taggable, Unread
from orgscan.reconcile import place
from orgscan.secrets import hide
from orgscan.session import Clients, declared
from orgscan.sight import CheckView, Sight, Wanted
from orgscan.tagged import Count

STORING_S = 30.0
"""What is kept for storing at the end of an invocation."""
PATIENCE_S = 20.0
"""What a check may take for some hundred resources; one that takes longer hangs."""
QUERIES_AT_ONCE = 5_000
"""Metrics in memory at a time."""
PROBLEMS, LONGEST = 50, 500
"""Of a finding, and characters of each: DynamoDB refuses items above 400 KB."""

Judged: TypeAlias = Mapping[AnyCheck, Sequence[type[Resource]]]
"""Checks, each with the kinds it judges."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Verdict:
    """What one check came to on one resource."""

    resource: Resource
    problems: list[Problem] = field(default_factory=list)
    gap: Gap | None = None
    wanted: tuple[Query, ...] = ()
    """What must be measured before it can be judged."""


@dataclass
class Judge:
    sight: Sight
    clients: Clients | Gap
    """Of CloudWatch; or why nobody can ask it."""
    parameters: Mapping[str, Mapping[str, Any]]
    seconds_left: Callable[[], float]
    _waiting: dict[AnyCheck, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    _queries: dict[Query, None] = field(default_factory=dict)
    _hangs: set[AnyCheck] = field(default_factory=set)
    _tagged: Count = field(default_factory=Count)
    _aside: Aside[list[Sequence[Verdict]]] = field(default_factory=Aside)

    def run(self, checks: Judged, after: Callable[[], Judged] = dict) -> None:
        """`checks`: each with the kinds it judges here. The verdicts are kept in the spool.

        `after`: what to judge then, which depends on what those came to.
        """
        self.sight.spool.begin_judging()
        with closing(self._aside):
            self._run(checks)
            self._run(after())
        self.sight.spool.share(self._tagged)
        self.sight.spool.end_judging()

    def _run(self, checks: Judged) -> None:
        judges: dict[type[Resource], list[AnyCheck]] = defaultdict(list)
        for check, kinds in checks.items():
            for kind in kinds:
                judges[kind].append(check)
        for kind, those in judges.items():
            for after, resources in self.sight.spool.chunks(kind):
                if self._late():
                    for check in those:
                        self.sight.spool.lose_rest(check.id, kind, after, gap(check.id, OutOfTime()))
                    break
                self._judge_all(those, resources)
                if len(self._queries) >= QUERIES_AT_ONCE:
                    self._measure()
        while self._waiting:
            self._measure()

    def _judge_all(self, checks: Sequence[AnyCheck], resources: Sequence[Resource]) -> None:
        # Together: to hand each check over to another thread and back takes as long as to judge by it. If one
        # hangs, all are asked again, one by one; they are functions, so nothing comes of the first time.
        willing = [check for check in checks if check not in self._hangs]
        together = self._within(lambda: [self._verdicts(check, resources) for check in willing])
        told = dict(zip(willing, together or (), strict=False))
        for check in checks:
            if check in told:
                self._keep(check, told[check])
            else:
                self._judge(check, resources)
        if any(map(_of_tags, checks)):
            self._tagged.close((each.arn, self._asked(each)) for each in resources)

    def _asked(self, resource: Resource) -> Mapping[str, str] | None:
        """The tags of what people can be asked to tag."""
        asked = isinstance(resource, Taggable) and not resource.tags_optional
        return self.sight.tags(resource) if asked else None

    def _late(self) -> bool:
        return self.seconds_left() < STORING_S

    def _judge(self, check: AnyCheck, resources: Sequence[Resource]) -> None:
        """One check on some resources, aside, so that one that hangs costs only itself."""
        verdicts: Sequence[Verdict] | None = None
        if check not in self._hangs:
            (verdicts,) = self._within(lambda: [self._verdicts(check, resources)]) or (None,)
        if verdicts is None:
            self._hangs.add(check)
            hangs = Gap(check.id, Blindness.DEADLINE, "the check took too long")
            verdicts = [Verdict(each, gap=hangs) for each in resources]
        self._keep(check, verdicts)

    def _within(self, work: Callable[[], list[Sequence[Verdict]]]) -> list[Sequence[Verdict]] | None:
        return self._aside.within(min(PATIENCE_S, max(0.0, self.seconds_left() - STORING_S)), work)

    def _verdicts(self, check: AnyCheck, resources: Sequence[Resource]) -> Sequence[Verdict]:
        parameters = self.parameters.get(check.id, {})
        return [_verdict(check, each, self.sight, parameters) for each in resources]

    def _keep(self, check: AnyCheck, verdicts: Iterable[Verdict]) -> None:
        found: list[Finding] = []
        lost: dict[str, Gap] = {}
        for verdict in verdicts:
            if verdict.wanted:
                self._waiting[check].append(verdict.resource)
                self._queries |= dict.fromkeys(verdict.wanted)
                continue
            if _of_tags(check):
                faulty, unread = bool(verdict.problems), verdict.gap is not None
                self._tagged.verdict(verdict.resource.arn, faulty=faulty, unread=unread)
            if verdict.gap:
                lost[verdict.resource.arn] = verdict.gap
            found += self._findings(check, verdict)
        if found:
            self.sight.spool.find(found, place)
        if lost:
            self.sight.spool.lose(check.id, lost)

    def _measure(self) -> None:
        """Fetch what is waited for, of all checks together, and judge again."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        queries, self._queries = self._queries, {}
        known = self.sight.answers
        self.sight.answers = {**known, **self._answers(each for each in queries if each not in known)}
        for check, resources in waiting.items():
            self._judge(check, resources)
        # What was not enough for a check is billed once: it asks for that again, and for more.
        self.sight.answers = {
            each: told for each, told in self.sight.answers.items() if each in self._queries
        }

    def _answers(self, queries: Iterable[Query]) -> Mapping[Query, Series | Gap]:
        if isinstance(self.clients, Gap):
            return dict.fromkeys(queries, self.clients)
        self.clients.limit(lambda: self.seconds_left() - STORING_S)
        with declared(metrics.CALLS):
            cloudwatch = self.clients.get("cloudwatch", self.sight.target.api_region)
            return metrics.fetch(cloudwatch, queries, self.sight.now)

    def _findings(self, check: AnyCheck, verdict: Verdict) -> Iterator[Finding]:
        parts: dict[str, list[Problem]] = defaultdict(list)
        for problem in verdict.problems:
            parts[problem.key].append(problem)
        for key, of_part in parts.items():
            yield Finding(
                check=check.id,
                severity=max((p.severity or check.severity for p in of_part), key=lambda each: each.rank),
                category=check.category,
                target=self.sight.target,
                resource=verdict.resource.arn,
                problems=_told(of_part),
                key=key,
                saving=next((p.saving for p in of_part if p.saving), None),
                tags=self.sight.tags(verdict.resource),
            )


def _of_tags(check: AnyCheck) -> bool:
    return check.category is Category.TAGGING


def _verdict(check: AnyCheck, resource: Resource, sight: Sight, parameters: Mapping[str, Any]) -> Verdict:
    """Judge each resource alone, so that one odd resource cannot hide the others."""
    verdict = Verdict(resource)
    try:
        for problem in check.judge(resource, CheckView(check, sight), parameters):
            # Kept one by one: what was found before something unread is certain.
            verdict.problems.append(problem if isinstance(problem, Problem) else Problem(problem))
    except Wanted as wanted:
        return Verdict(resource, wanted=wanted.queries)
    except Unread as unread:
        verdict.gap = unread.gap
    except Exception as error:  # noqa: BLE001 (whatever it is costs this resource and nothing else)
        verdict.gap = gap(check.id, error)
        told = {"check": check.id, "resource": resource.arn, "trace": trace(error)}
        logger.error("check failed: %s", verdict.gap.detail, extra=told)  # noqa: TRY400 (its words may quote)
    return verdict


def _told(problems: Sequence[Problem]) -> tuple[str, ...]:
    texts = [hide(each.text) for each in problems[:PROBLEMS]]
    texts = [text if len(text) <= LONGEST else f"{text[:LONGEST]}..." for text in texts]
    more = len(problems) - len(texts)
    return (*texts, f"and {more:,} more") if more > 0 else tuple(texts)
