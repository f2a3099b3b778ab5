"""What botocore makes for each client, or each connection, though it is the same for all: once per process.

Measured with OpenSSL 3.0: a connection takes 50 ms of CPU, of which 48 go into reading 140 authorities.
A client of EC2 takes 37 ms, of which 30 go into the class with its hundreds of methods. Of a warm worker,
6% of the CPU went into naming itself to AWS, twice a request, and 2% into old names of events.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from botocore import hooks
from botocore.client import ClientCreator
from botocore.context import get_context
from botocore.hooks import EventAliaser, NodeList
from botocore.httpsession import URLLib3Session


@cache
def classes_once() -> None:
    """From now on the class of a service's clients is built once.

    A class knows its service; who asks, and where, is known to the client alone.
    """
    name = "_create_client_class"
    build = vars(ClientCreator)[name]
    built: dict[str, type] = {}

    def built_once(self: Any, service: str, model: Any) -> type:
        if service not in built:
            built[service] = build(self, service, model)
        return built[service]

    # Threads make clients one at a time, see Clients.get; two that met here would build an equal class twice.
    setattr(ClientCreator, name, built_once)


@cache
def models_once() -> None:
    """From now on a service's model, and all that is worked out of it, is shared by its clients everywhere.

    What a call is and how its answer is read is the same in every region. Making the second region's client
    looks at all of a service's operations otherwise, and its answers' shapes are compiled once more.
    """
    name = "_load_service_model"
    load = vars(ClientCreator)[name]
    loaded: WeakKeyDictionary[Any, dict[tuple[str, str | None], Any]] = WeakKeyDictionary()

    def loaded_once(self: Any, service: str, version: str | None = None) -> Any:
        known = loaded.setdefault(self._loader, {})
        if (service, version) not in known:
            known[service, version] = load(self, service, version)
        return known[service, version]

    setattr(ClientCreator, name, loaded_once)


@cache
def authorities_once() -> None:
    """From now on connections that trust the same authorities share a TLS context, which reads them once.

    Whom a client trusts, and that it wants a certificate of the host's name, is botocore's to say, as ever.
    """
    name = "_get_ssl_context"
    make = vars(URLLib3Session)[name]
    made: dict[object, Any] = {}
    lock = Lock()

    def made_once(self: Any) -> Any:
        # A file of authorities, or True for those that botocore has; and what a client shows of itself.
        key = self._verify, self._cert_file, self._key_file
        with lock:
            if key not in made:
                made[key] = context = make(self)
                context.load_verify_locations = cache(context.load_verify_locations)
            return made[key]

    setattr(URLLib3Session, name, made_once)


@cache
def aliases_once() -> None:
    """From now on each name of an event is looked up once among a hundred old ones, for all clients."""
    name = "_alias_event_name"
    look_up = vars(EventAliaser)[name]
    known: dict[str, str] = {}

    def look_up_once(self: Any, event: str) -> str:
        if event not in known:
            known[event] = look_up(self, event)
        return known[event]

    setattr(EventAliaser, name, look_up_once)


@cache
def listeners_copied_at_once() -> None:
    """From now on who listens to events, which each client gets a copy of, is copied without detours.

    A thousand nodes: `copy.copy` and a look at every type took half of what making a client takes.
    """

    def copied(self: Any, node: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in node.items():
            if type(value) is dict:
                made[name] = copied(self, value)
            elif type(value) is NodeList:
                first, middle, last = value
                made[name] = NodeList(first[:], middle[:], last[:])
            else:
                made[name] = value
        return made

    vars(hooks)["_PrefixTrie"]._recursive_copy = copied  # noqa: SLF001 (there is no other way to it)


def agent_once(client: Any) -> None:
    """From now on the client writes its user agent once for each set of features that a call makes use of."""
    agent = client._user_agent_creator  # noqa: SLF001 (there is no other way to it)
    write, written = agent.to_string, dict[frozenset[str], str]()

    def write_once() -> str:
        context = get_context()
        used = frozenset(context.features) if context else frozenset()
        if used not in written:
            written[used] = write()
        return written[used]

    agent.to_string = write_once
