"""What is the same for all calls of one of a client's operations, worked out once. Part of `road`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import getrandbits
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode, urlsplit
from uuid import UUID
from zlib import crc32

from botocore.awsrequest import AWSResponse, prepare_request_dict
from botocore.client import BaseClient
from botocore.compat import get_current_datetime
from botocore.retries.standard import RetryContext

from orgscan.signature import Signature, SignatureOfS3

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

PLAIN_METHODS = ("GET", "POST", "PUT", "DELETE")
"""Answers to others have no body."""
WITHOUT_BODY = ("GET", "DELETE")
PORTS = {"http": 80, "https": 443}
LINE = re.compile("[\r\n]")
ACCOUNT = "AWS::Auth::AccountId"
"""A part of some endpoints that depends on whose keys sign."""

KNOWN: Mapping[str, frozenset[str]] = {
    "before-call": frozenset(
        {
            "botocore.handlers.add_recursion_detection_header",
            "botocore.handlers.inject_api_version_header_if_needed",
            "botocore.handlers.add_expect_header",
            "botocore.utils.S3ExpressIdentityResolver.apply_signing_cache_key",
        }
    ),
    "request-created": frozenset(
        {
            # Says in the user agent that Powertools are there.
            "aws_lambda_powertools.shared.user_agent._create_feature_function.<locals>.add_powertools_feature",
            "botocore.handlers.add_retry_headers",
            "botocore.retries.standard.MaxAttemptsSeeder.seed_max_attempts",
            "botocore.signers.RequestSigner.handler",
            "botocore.useragent.UserAgentString.rebuild_and_replace_user_agent_handler",
            "orgscan.session._remember_token",
            "orgscan.session._turn",
        }
    ),
    "choose-signer": frozenset(
        {
            "botocore.handlers._set_auth_scheme_preference_signer",
            "botocore.handlers.set_operation_specific_signer",
            # Of links; Way asks the signer itself.
            "botocore.client.ClientCreator._default_s3_presign_to_sigv2",
        }
    ),
    "before-sign": frozenset(
        {
            # Of buckets whose name is an ARN; of requests that are not signed; of S3 Express.
            "botocore.handlers.remove_arn_from_signing_path",
            "botocore.handlers._set_extra_headers_for_unsigned_request",
            "botocore.utils.S3ExpressIdentityResolver.resolve_s3express_identity",
        }
    ),
    "before-send": frozenset(
        {
            "botocore.retries.adaptive.ClientRateLimiter.on_sending_request",
            "orgscan.road.deliver",
        }
    ),
    "response-received": frozenset(),
    "before-parse": frozenset(
        {
            "botocore.handlers._handle_200_error",
            "botocore.handlers.handle_expires_header",
        }
    ),
    "needs-retry": frozenset(
        {
            "botocore.retries.adaptive.ClientRateLimiter.on_receiving_response",
            "botocore.retries.standard.RetryHandler.needs_retry",
            # Of errors that came with a good status, and of buckets elsewhere.
            "botocore.handlers._update_status_code",
            "botocore.utils.S3RegionRedirectorv2.redirect_from_error",
            "orgscan.session._again",
            "orgscan.session._whole",
        }
    ),
    "after-call-error": frozenset(),
}
"""Event -> who may listen to it: what each of them does to a good call is done here, or is nothing."""
TOLD = ("provide-client-params", "before-parameter-build", "before-call", "after-call")
"""Events whose listeners are told here as botocore tells them."""
ANYBODY = ("provide-client-params", "before-parameter-build", "before-endpoint-resolution", "after-call")
"""Of these, and of those that botocore tells itself here, whoever they are."""
SIGNED: Mapping[str, type[Signature]] = {"v4": Signature, "s3v4": SignatureOfS3}
MOST_KEPT, SHORT = 8, 2048
"""Requests of an operation that are kept as they were written, and bytes of the body of each at most: lists
are asked for in the same words in every account."""
MOST_HOSTS = 256
"""Whose signatures are remembered: a bucket has one of its own."""
SEEDS, LIMITER = "MaxAttemptsSeeder.seed_max_attempts", "ClientRateLimiter"
RETRIES = "standard.RetryHandler.needs_retry"
WHOLE = "orgscan.session._whole"

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, and how it is signed for that."""

    url: str
    headers: Mapping[str, str]
    """What the endpoint wants besides."""
    origin: str
    host: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Asked:
    """A request without what the moment adds to it."""

    request: dict[str, Any]
    """Botocore's."""
    place: Place


class Way:
    """One operation of a client; safe to share between threads and callers."""

    def __init__(self, client: Any, model: Any, heard: Mapping[str, Sequence[Handler]]) -> None:
        """`heard`: event -> who listens. Raises what botocore raises where there is no endpoint."""
        # Most parts of a client have no public name.
        self.region: str = client.meta.region_name
        self.call = f"{model.service_model.service_name}:{model.name}"
        self._client = client
        self._model = model
        self._serializer = client._serializer
        self._agent = client._user_agent_creator
        self._parser = client._endpoint._response_parser_factory.create_parser(
            model.service_model.resolved_protocol
        )
        self._context = _context(client, model)
        self._signatures: dict[tuple[str, ...], Signature] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        # A bucket's depends on its name, and on where it was found to be; a table's on whose it is.
        self.depends = bool(
            model.context_parameters or heard["before-endpoint-resolution"] or _of_account(client)
        )
        self.place = None if self.depends else self._found({}, self._context)
        self._heard = heard
        self._events = {each: f"{each}.{_service(model)}.{model.name}" for each in TOLD}
        self._attempts = _attempts(heard["request-created"])
        self._before_send = [each for each in heard["before-send"] if LIMITER in name_of(each)]
        self._received = [each for each in heard["needs-retry"] if LIMITER in name_of(each)]
        self._whole = [each for each in heard["needs-retry"] if name_of(each) == WHOLE]
        self._retries = [
            each.__self__._retry_policy  # type: ignore[attr-defined] # a bound method
            for each in heard["needs-retry"]
            if name_of(each).endswith(RETRIES)
        ]

    def _found(self, params: dict[str, Any], context: dict[str, Any]) -> Place | None:
        """Adds to the context what botocore adds. None: it is signed in no way that is known here."""
        url, headers, properties = self._client._resolve_endpoint_ruleset(self._model, params, context)
        if properties:
            context["endpoint_properties"] = properties
        signer = self._client._request_signer
        version = signer._choose_signer(self._model.name, "standard", context)
        signing = context.get("signing", {})
        if version not in SIGNED or signing.keys() - {"region", "signing_name", "disableDoubleEncoding"}:
            return None
        parts = urlsplit(url)
        host = _host(parts)
        service = signing.get("signing_name") or signer.signing_name
        key = service, signing.get("region") or signer.region_name, host
        if key not in self._signatures:
            if len(self._signatures) >= MOST_HOSTS:
                self._signatures.clear()
            self._signatures[key] = SIGNED[version](*key)
        return Place(url, headers, f"{parts.scheme}://{parts.netloc}", host, self._signatures[key])

    def asked(self, params: dict[str, Any]) -> Asked | None:
        """None: it is not plain."""
        context = dict(self._context)
        told = {"model": self._model, "context": context}
        event = self._events["provide-client-params"]
        given = [
            tell(params=params, event_name=event, **told) for tell in self._heard["provide-client-params"]
        ]
        original, params = params, next((each for each in given if each is not None), params)
        event = self._events["before-parameter-build"]
        for tell in self._heard["before-parameter-build"]:
            tell(params=params, event_name=event, **told)
        # By which AWS knows that it was asked before: should botocore ask again, it is to be the same.
        original.update((name, params[name]) for name in self._model.idempotent_members if name in params)
        place = self.place or self._found(params, context)
        if place is None:
            return None
        request = self._request(params, place, context)
        headers, body = request["headers"], request["body"]
        told["request_signer"], event = self._client._request_signer, self._events["before-call"]
        for tell in self._heard["before-call"]:
            tell(params=request, event_name=event, **told)
        if request["method"] not in PLAIN_METHODS or (body and request["method"] in WITHOUT_BODY):
            return None
        # A line within a line would be a header that somebody else has written.
        odd = any(map(LINE.search, (request["url"], *headers, *headers.values())))
        return None if odd else Asked(request, place)

    def _request(self, params: dict[str, Any], place: Place, context: dict[str, Any]) -> dict[str, Any]:
        """Botocore's, with the body as it is sent."""
        words = repr(params) if self.place else ""
        kept = self._kept.get(words)
        if kept is None:
            kept = self._serializer.serialize_to_request(params, self._model)
            prepare_request_dict(kept, endpoint_url=place.url, context={})
            kept["body"] = _body(kept["body"])
            if words and len(kept["body"]) <= SHORT and len(self._kept) < MOST_KEPT:
                self._kept[words] = kept
        headers = {**kept["headers"], **place.headers, "User-Agent": self._agent.to_string()}
        return {**kept, "headers": headers, "context": context}

    def written(self, asked: Asked, credentials: ReadOnlyCredentials) -> bytes:
        """As it goes over the wire, now."""
        request, place = asked.request, asked.place
        method, body, headers = request["method"], request["body"], request["headers"]
        path, mark, query = request["url"][len(place.origin) :].partition("?")
        path = path or "/"
        signed = place.signature.sign(
            method, path, query, headers, body, credentials=credentials, now=get_current_datetime()
        )
        lines = [
            f"{method} {path}{mark}{query} HTTP/1.1",
            f"Host: {place.host}",
            "Accept-Encoding: identity",
            *(f"{name}: {value}" for name, value in headers.items()),
            *(f"{name}: {value}" for name, value in signed.items()),
            f"amz-sdk-invocation-id: {UUID(int=getrandbits(128), version=4)}",
            f"amz-sdk-request: attempt=1{self._attempts}",
        ]
        if method not in WITHOUT_BODY:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode()
        return b"".join((head, b"\r\n\r\n", body))

    def sending(self) -> None:
        """Returns at once, unless the client has been throttled."""
        for tell in self._before_send:
            tell(request=None)

    def parsed(self, http: AWSResponse, asked: Asked) -> Any:
        """What the caller gets of a good answer. None: botocore is to look at it. Raises what it raises."""
        checksum = http.headers.get("x-amz-crc32")
        if checksum is not None and int(checksum) != crc32(http.content):
            return None  # what DynamoDB sent was another answer
        _, parsed = self._read(http)
        if "Error" in parsed:
            return None
        for tell in self._whole:
            tell(response=(http, parsed))
        for tell in self._received:
            tell(**self._received_told(http, parsed, asked))
        self._told(http, parsed, asked)
        return parsed

    def missing(self, http: AWSResponse, asked: Asked) -> Exception | None:
        """What the caller is to be told of what there is not. None: botocore is to look at it."""
        answer, parsed = self._read(http)
        code = parsed.get("Error", {}).get("Code")
        if not code:
            return None
        self._client._endpoint._add_modeled_error_fields(answer, parsed, self._model, self._parser)
        told = self._received_told(http, parsed, asked)
        context = RetryContext(
            attempt_number=1,
            operation_model=self._model,
            parsed_response=parsed,
            http_response=http,
            request_context=asked.request["context"],
        )
        if any(policy.should_retry(context) for policy in self._retries):
            return None
        endpoint = self._client._endpoint
        said = [tell(endpoint=endpoint, **told) for tell in self._heard["needs-retry"]]
        if any(each is not None for each in said):
            return None
        self._told(http, parsed, asked)
        error: Exception = self._client.exceptions.from_code(code)(parsed, self._model.name)
        return error

    def _read(self, http: AWSResponse) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answer as botocore's parsers want it, and what they make of it."""
        answer = {
            "headers": http.headers,
            "status_code": http.status_code,
            "context": {"operation_name": self._model.name},
            "body": http.content,
        }
        more: dict[str, Any] = {}
        for tell in self._heard["before-parse"]:
            tell(operation_model=self._model, response_dict=answer, customized_response_dict=more)
        parsed: dict[str, Any] = self._parser.parse(answer, self._model.output_shape)
        parsed.update(more)
        return answer, parsed

    def _received_told(self, http: AWSResponse, parsed: dict[str, Any], asked: Asked) -> dict[str, Any]:
        return {
            "response": (http, parsed),
            "operation": self._model,
            "attempts": 1,
            "request_dict": asked.request,
            "caught_exception": None,
        }

    def _told(self, http: AWSResponse, parsed: dict[str, Any], asked: Asked) -> None:
        """Whoever waits for the end of calls is told."""
        if "ResponseMetadata" in parsed:
            parsed["ResponseMetadata"]["RetryAttempts"] = 0
        for tell in self._heard["after-call"]:
            tell(
                http_response=http,
                parsed=parsed,
                model=self._model,
                context=asked.request["context"],
                event_name=self._events["after-call"],
            )


def wrapped() -> bool:
    """Whether somebody listens to botocore's calls without its events, as X-Ray and OpenTelemetry do."""
    # A wrapper passes for what it wraps, but for its type.
    return type(vars(BaseClient)["_make_api_call"]) is not FunctionType


def way(client: Any, emitter: Any, name: str) -> Way | None:
    """None: calls of this operation are not plain."""
    model = client.meta.service_model.operation_model(name)
    proxies = client._endpoint.http_session._proxy_config
    if not _plain(model):
        return None
    heard = {event: _heard(client, emitter, event, model) for event in (*KNOWN, *ANYBODY)}
    if any(name_of(each) not in known for event, known in KNOWN.items() for each in heard[event]):
        return None
    found = Way(client, model, heard)
    proxied = proxies.proxy_url_for(client.meta.endpoint_url)
    return None if proxied or not (found.place or found.depends) else found


def _plain(model: Any) -> bool:
    return not (
        model.has_streaming_input
        or model.has_streaming_output
        or model.has_event_stream_input
        or model.has_event_stream_output
        or model.http_checksum
        or model.http_checksum_required
        or model.request_compression
        or _prefixed(model)
        or model.auth
        or model.unsigned_payload
    )


def _prefixed(model: Any) -> bool:
    """Whether the host's name has something before it that is not in the endpoint.

    S3 Control's is: botocore takes the prefix out of the model with the parameters of the first call.
    """
    prefix = (model.endpoint or {}).get("hostPrefix", "")
    return bool(prefix) and (model.service_model.service_name, prefix) != ("s3control", "{AccountId}.")


def _of_account(client: Any) -> bool:
    resolver = client._ruleset_resolver
    return bool(resolver) and any(each.builtin == ACCOUNT for each in resolver._param_definitions.values())


def _heard(client: Any, emitter: Any, event: str, model: Any) -> Sequence[Handler]:
    """In the order in which botocore tells them."""
    # Names that changed are services'; so the operation is left out, and a name looked up but once for all.
    of_service = client.meta.events._alias_event_name(f"{event}.{_service(model)}")
    return tuple(emitter._handlers.prefix_search(f"{of_service}.{model.name}"))


def name_of(handler: Any) -> str:
    function = handler.func if isinstance(handler, partial) else handler
    return f"{function.__module__}.{getattr(function, '__qualname__', '?')}"


def _service(model: Any) -> str:
    return str(model.service_model.service_id.hyphenize())


def _context(client: Any, model: Any) -> dict[str, Any]:
    """What botocore's `_make_api_call` begins with."""
    return {
        "client_region": client.meta.region_name,
        "client_config": client.meta.config,
        "has_streaming_input": False,
        "auth_type": model.resolved_auth_type,
        "unsigned_payload": model.unsigned_payload,
        "auth_options": client.meta.service_model.metadata.get("auth"),
    }


def _attempts(heard: Iterable[Handler]) -> str:
    """How often botocore would try, as it tells AWS; nothing, where it does not."""
    for each in heard:
        if name_of(each).endswith(SEEDS):
            return f"; max={each.__self__._max_attempts}"  # type: ignore[attr-defined]
    return ""


def _host(parts: SplitResult) -> str:
    """As the header has it, which is signed: without a port that its scheme implies."""
    name = (parts.hostname or "").lower()
    name = f"[{name}]" if ":" in name else name
    return name if parts.port in (None, PORTS.get(parts.scheme)) else f"{name}:{parts.port}"


def _body(body: Any) -> bytes:
    """Form fields or bytes, as botocore's serializers make them."""
    if isinstance(body, dict):
        return urlencode(body, doseq=True).encode()
    return body if isinstance(body, bytes) else str(body).encode()
