"""What botocore makes for each client, or each connection, though it is the same for all: once per process.

Measured with OpenSSL 3.0: a connection takes 50 ms of CPU, of which 48 go into reading 140 authorities.
A client of EC2 takes 37 ms, of which 30 go into the class with its hundreds of methods. Of a warm worker,
6% of the CPU went into naming itself to AWS, twice a request, and 2% into old names of events. Fifty clients
of one more region took 250 ms, half of them for the model, the rules of endpoints and the listeners, which
are the same everywhere; and what 200 clients had of their own was half of all objects of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, wraps
from threading import Lock
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from botocore import hooks, regions
from botocore.client import ClientCreator
from botocore.context import get_context
from botocore.endpoint_provider import EndpointProvider
from botocore.hooks import EventAliaser, NodeList
from botocore.httpsession import URLLib3Session

MOST_RULES = 256
"""Services whose rules are kept; there are more only where somebody makes one loader after the other."""


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
                # OpenSSL looks at the certificate's names itself; in Python it takes as long as the rest.
                context.check_hostname = bool(self._verify)
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
def listeners_shared() -> None:
    """From now on clients share who listens to events, of which each would get a copy: a thousand nodes.

    A node is never changed for one that has it: whoever begins or ceases to listen gets nodes of its own.
    """
    trie = vars(hooks)["_PrefixTrie"]

    def shared(self: Any) -> Any:
        made = type(self)()
        made.__dict__.update(self.__dict__)
        return made

    def changing(change: Callable[..., None]) -> Callable[..., None]:
        @wraps(change)
        def changed(self: Any, key: str, *args: Any, **more: Any) -> None:
            self._root = _own(self._root, key.split("."))
            change(self, key, *args, **more)

        return changed

    trie.__copy__ = shared
    for name in ("append_item", "remove_item"):
        setattr(trie, name, changing(vars(trie)[name]))


def _own(node: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """The same, whose nodes along the path nobody else has."""
    own, values = dict(node), node["values"]
    own["values"] = values and NodeList(*(each[:] for each in values))
    own["children"] = children = dict(node["children"])
    if path and path[0] in children:
        children[path[0]] = _own(children[path[0]], path[1:])
    return own


@cache
def rules_once() -> None:
    """From now on a service's rules for its endpoints are taken apart once, not in every region."""
    make = EndpointProvider
    made: dict[tuple[int, int, object], tuple[Any, ...]] = {}

    def made_once(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        key = id(ruleset_data), id(partition_data), excluded_params and frozenset(excluded_params)
        if key not in made:
            if len(made) >= MOST_RULES:
                made.clear()
            # With what they were made of: as long as it is there, no other thing has its address.
            provider = make(ruleset_data, partition_data, excluded_params)
            made[key] = provider, ruleset_data, partition_data
        return made[key][0]

    regions.EndpointProvider = made_once  # type: ignore[attr-defined] # the name by which it is asked for


@cache
def listeners_asked_once() -> None:
    """From now on a function is asked once whether it can listen, not again for every client."""
    ask = hooks.accepts_kwargs
    asked: Callable[[Any], Any] = lru_cache(maxsize=1024)(ask)

    def ask_once(listener: Any) -> Any:
        function = getattr(listener, "__func__", listener)
        return asked(function) if type(function) is FunctionType else ask(listener)

    hooks.accepts_kwargs = ask_once  # type: ignore[assignment] # as good as a bool


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
