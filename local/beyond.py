"""What the embedded AWS cannot hold: operations that moto lacks, or answers without what AWS says.

A module of `local.faults` names such operations in its `ABSENT`, each with what it answers where nothing is
planted; a scenario plants other answers with `Place.answers`. The answers take the place of moto's own.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from moto.core.errors import ErrorShape
from moto.core.exceptions import ServiceException
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

Result: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = "Result | Refused | Callable[[Result], Result | None]"
"""What is answered, or what makes it of the parameters; None: the embedded AWS answers itself."""


class Refused(Exception):
    """AWS's answer is an error: what `Place.answers` is given instead of a result."""

    def __init__(self, code: str, message: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(code)
        self.code, self.status = code, status
        self.members = {**more, "Code": code, "Message": message}


@dataclass(frozen=True, slots=True)
class Written:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Beyond:
    """`absent`: 'service:Operation' -> what it answers where nothing was planted."""

    absent: Mapping[str, Answer] = field(default_factory=dict)
    _planted: dict[tuple[str, str, str], list[tuple[Result, Answer]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def plant(self, account: str, region: str, call: str, result: Answer, parameters: Result) -> None:
        """From now on the call answers so, if it is made with these parameters among others.

        What was planted last is asked first. KeyError: no module says that the call is absent.
        """
        if call not in self.absent:
            raise KeyError(f"{call} is in no module's ABSENT")
        self._planted[account, region, call].insert(0, (parameters, result))

    def result(self, account: str, region: str, call: str, asked: Result) -> Result | Refused | None:
        """None: the call is the embedded AWS's own."""
        planted = self._planted.get((account, region, call), ())
        fitting = (result for parameters, result in planted if parameters.items() <= asked.items())
        answer = next(fitting, self.absent.get(call))
        return answer(asked) if callable(answer) else answer

    def write(self, account: str, region: str, call: str, asked: Result) -> Written | None:
        """The same, as AWS writes it."""
        result = self.result(account, region, call, asked)
        return None if result is None else write(call, result)


def write(call: str, result: object) -> Written:
    """As moto writes it in the protocol that botocore speaks to the service."""
    if isinstance(result, Refused):
        return _write_error(call, result)
    answer = _serializer(call).serialize(result)
    return Written(answer["status_code"], answer["headers"], _bytes(answer["body"]))


def _write_error(call: str, refused: Refused) -> Written:
    """Not by `serialize`, which warns of every code that the service's model does not name."""
    serializer = _serializer(call)
    known = serializer.service_model.shape_for_error_code(refused.code)
    name = known.name if known else refused.code
    shape = ErrorShape(name, {"type": "structure", "exception": True, "error": {"code": refused.code}})
    told = ServiceException(refused.code, refused.members["Message"])
    written = dict(refused.members)
    serializer._serialize_error_metadata(written, told, shape)
    empty = serializer._create_default_response()
    answer = serializer._serialized_error_to_response(empty, told, shape, written)
    return Written(refused.status, answer["headers"], _bytes(answer["body"]))


def _serializer(call: str) -> Any:
    service, _, operation = call.partition(":")
    model = get_service_model(service)
    serializer = get_serializer_class(service, model.resolved_protocol)(model.operation_model(operation))
    serializer._timestamp_serializer._timestamp_unixtimestamp = _seconds
    return serializer


def _seconds(moment: datetime) -> float:
    """To the microsecond: moto's own serializer cuts off what is less than a millisecond."""
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
