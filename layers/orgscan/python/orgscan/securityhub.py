"""Findings into AWS Security Hub: imported, kept up to date, and archived once they are truly resolved.

It runs with the credentials of whoever asks for it, who needs `securityhub:BatchImportFindings`; no role that
orgscan deploys has that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orgscan.errors import EXPIRED, NO_ANSWER, code_of, gap, throttled
from orgscan.line import Line
from orgscan.model import Blindness
from orgscan.pace import Pace
from orgscan.present.asff import Product, finding
from orgscan.present.exported import Checks, Summary, compact
from orgscan.present.text import REASONS

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient

CALL = "securityhub:BatchImportFindings"
MOST = 100
"""Findings in a call."""
LARGEST = 5 * 1024 * 1024
"""Bytes in a call; Security Hub takes 6 MB."""
NOT_THERE = "InvalidAccessException"
TRANSIENT = frozenset({"InternalError", "InternalException", "InternalFailure", "ServiceUnavailable"})
NO_ENTRY = (Blindness.DENIED, Blindness.DENIED_BY_SCP, Blindness.REGION_OFF, Blindness.UNREACHABLE)
"""What the next call would be told too."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A finding that Security Hub did not take."""

    id: str
    """In Security Hub."""
    code: str
    message: str


@dataclass(slots=True)
class Outcome:
    """What Security Hub took."""

    imported: int = 0
    """New or updated; it does not say which."""
    archived: int = 0
    failed: list[Failed] = field(default_factory=list)


class CannotPush(Exception):
    """Security Hub is not there, or lets nobody in. The message, one line, says what to do.

    `outcome`: what it took before.
    """

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Hub:
    """Security Hub of one account in one region."""

    client: SecurityHubClient
    product: Product
    pace: Pace

    def push(self, summary: Summary, lines: Iterable[Line], checks: Checks) -> Outcome:
        """`lines`: open and suppressed findings, and those that the scan closed, which alone are archived.

        A finding that merely was not seen is neither: it is not among them, and stays in Security Hub as it
        is. An older scan changes nothing that a newer one told: each finding says when its scan ended.
        Raises CannotPush.
        """
        outcome = Outcome()
        for batch in batches(finding(summary, line, checks, self.product) for line in lines):
            again = self._send(batch, outcome, last=False)
            if again:
                self._send(again, outcome, last=True)
        return outcome

    def _send(
        self, batch: Sequence[Mapping[str, Any]], outcome: Outcome, *, last: bool
    ) -> Sequence[Mapping[str, Any]]:
        """Returns those to send once more; `last`: none."""
        refused = self._import(batch, outcome)
        again = [each for each in batch if not last and _transient(refused.get(each["Id"]))]
        retried = {each["Id"] for each in again}
        for each in batch:
            if failed := refused.get(each["Id"]):
                if each["Id"] not in retried:
                    outcome.failed.append(failed)
            elif each["RecordState"] == "ARCHIVED":
                outcome.archived += 1
            else:
                outcome.imported += 1
        return again

    def _import(self, batch: Sequence[Mapping[str, Any]], outcome: Outcome) -> Mapping[str, Failed]:
        """Id -> why it was not taken."""
        self.pace.wait(self.product.region, CALL)
        told: Sequence[Any]
        try:
            told = self.client.batch_import_findings(Findings=[*batch])["FailedFindings"]  # type: ignore[list-item] # they are made by botocore's model
        except NO_ANSWER as error:
            return self._refusal(error, batch, outcome)
        return {each["Id"]: Failed(each["Id"], each["ErrorCode"], each["ErrorMessage"]) for each in told}

    def _refusal(
        self, error: Exception, batch: Sequence[Mapping[str, Any]], outcome: Outcome
    ) -> Mapping[str, Failed]:
        code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
        where = f"{self.product.region} of account {self.product.account}"
        if code == NOT_THERE:
            raise CannotPush(
                f"Security Hub is not enabled in {where}: enable it (aws securityhub enable-security-hub "
                f"--no-enable-default-standards --region {self.product.region}), or choose another region",
                outcome,
            ) from error
        why = gap("securityhub", error)
        if why.reason in NO_ENTRY or code in EXPIRED:
            raise CannotPush(
                f"Security Hub in {where} lets nobody in: {REASONS[why.reason]}: {why.detail}", outcome
            ) from error
        return {each["Id"]: Failed(each["Id"], code, why.detail) for each in batch}


def _transient(failed: Failed | None) -> bool:
    return failed is not None and (failed.code in TRANSIENT or throttled(failed.code))


def batches(findings: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """As many in a call as Security Hub takes."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for each in findings:
        length = len(compact(each))
        if batch and (len(batch) == MOST or size + length > LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += length
    if batch:
        yield batch
