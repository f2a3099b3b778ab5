"""Hot spots of moto and of what it stands on. Nothing here changes what is answered."""

from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any

import boto3
import pytest
import xmltodict
from botocore import hooks
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import Loader
from moto.core import models, responses
from moto.core.base_backend import BackendDict
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker
from moto.core.utils import MISSING, get_value
from moto.eks import utils as eks


def install(patch: pytest.MonkeyPatch) -> None:
    _find_accounts_plainly(patch)
    _build_classes_once(patch)
    _list_services_once(patch)
    _alias_events_once(patch)
    _look_at_handlers_once(patch)
    _name_partitions_once(patch)
    _name_members_once(patch)
    # For those who call AWS through the library `requests`, which is nobody here, it sets up 1,288 answers
    # whenever a test begins.
    patch.setattr(models, "RESPONSES_METHODS", ())
    # Of each element that is written, each letter is asked whether it is a space. Names are few.
    patch.setattr(xmltodict, "_validate_name", cache(xmltodict._validate_name))
    # It inspects every method of a service at every call.
    patch.setattr(responses, "method_names_from_class", cache(responses.method_names_from_class))


def _find_accounts_plainly(patch: pytest.MonkeyPatch) -> None:
    """Whoever looks up an account takes the one lock of all services, and compares ids of all those in use.

    One that is in use by accident, made by another one's reset, is not among them, and has to get there: the
    next reset would leave it as it is.
    """
    original = BackendDict.__getitem__

    def getitem(backends: BackendDict[Any], account_id: str) -> Any:
        known = backends.get(account_id)
        listed = known is not None and any(each is backends for each in BackendDict._instances)
        return known if listed else original(backends, account_id)

    patch.setattr(BackendDict, "__getitem__", getitem)


def _build_classes_once(patch: pytest.MonkeyPatch) -> None:
    """Botocore builds a class for every client; for EC2 that is 30 of the 37 ms that a client costs."""
    create = vars(ClientCreator)["_create_client_class"]
    made: dict[str, Any] = {}

    def create_once(self: Any, service: str, model: Any) -> Any:
        if service not in made:
            made[service] = create(self, service, model)
        return made[service]

    patch.setattr(ClientCreator, "_create_client_class", create_once)


def _list_services_once(patch: pytest.MonkeyPatch) -> None:
    """For each model that it reads moto makes a loader, and each looks into 400 folders for its own."""
    original = Loader.list_available_services
    listed: dict[tuple[str, ...], list[str]] = {}

    def list_available_services(loader: Loader, type_name: str) -> list[str]:
        key = (*loader.search_paths, type_name)
        if key not in listed:
            listed[key] = original(loader, type_name)
        return listed[key]

    patch.setattr(Loader, "list_available_services", list_available_services)


def _alias_events_once(patch: pytest.MonkeyPatch) -> None:
    """Each client looks each name of an event up among a hundred old ones, which are the same for all."""
    original = vars(EventAliaser)["_alias_event_name"]
    known: dict[str, str] = {}

    def alias_event_name(aliaser: EventAliaser, name: str) -> str:
        if name not in known:
            known[name] = original(aliaser, name)
        return known[name]

    patch.setattr(EventAliaser, "_alias_event_name", alias_event_name)


def _look_at_handlers_once(patch: pytest.MonkeyPatch) -> None:
    """Each session registers the same hundred functions, and looks whether each takes what it is given."""
    original = hooks.accepts_kwargs
    known: dict[FunctionType, bool] = {}

    def accepts_kwargs(handler: Any) -> bool:
        if not isinstance(handler, FunctionType):  # a method is of an object, which would be kept for ever
            return bool(original(handler))
        if handler not in known:
            known[handler] = bool(original(handler))
        return known[handler]

    patch.setattr(hooks, "accepts_kwargs", accepts_kwargs)


def _name_partitions_once(patch: pytest.MonkeyPatch) -> None:
    """For each cluster, moto makes a session that reads all endpoints, to ask which partitions exist."""
    asked = cache(lambda: boto3.Session().get_available_partitions())
    patch.setattr(eks, "Session", lambda: SimpleNamespace(get_available_partitions=asked))


def _name_members_once(patch: pytest.MonkeyPatch) -> None:
    """Under which of a dozen names an object may have a member of an answer, moto works out for each object.

    It depends on the object's class and the member's shape, which belongs to one structure and keeps it.
    """
    original = ResponseSerializer.get_value

    def pick(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        picker = serializer._value_picker
        if type(picker) is not XFormedAttributePicker:
            return original(serializer, value, key, shape)
        known: dict[Any, tuple[str, ...]] = vars(shape).setdefault("_names_by_class", {})
        which = (type(value), key, "parent" in vars(shape))
        if which not in known:
            known[which] = tuple(
                dict.fromkeys(picker.get_possible_keys(AttributePickerContext(value, key, shape)))
            )
        for name in known[which]:
            found = get_value(value, name, MISSING)
            if found is not MISSING:
                break
        else:
            found = None
        if picker.response_transformers:
            path = f"{'.'.join(serializer.path)}.{key}"
            for end, transform in picker.response_transformers.items():
                if path.endswith(end):
                    return transform(found)
        return found

    patch.setattr(ResponseSerializer, "get_value", pick)
