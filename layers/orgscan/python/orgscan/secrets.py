"""What looks secret in a text, and the text without it: rule, place and salted hash are all that leaves."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import log2
from typing import NamedTuple

SHORTEST = 6
"""Characters. Below, a value is a flag, a number or a unit far more often than a password."""

ENTROPY = 2.75
"""Bits per character: eight characters with one repetition, 'Passw0rd'. It rejects patterns, 'abab1212' and
rulers; other scanners need 3.5 because they have nothing else against words, which `WORDS` is for."""

SAMPLE = 256
"""Characters of a value that are judged; it is hidden whole. Bounds the work on texts that are all keys."""

N_LOG_N = (0.0, *(n * log2(n) for n in range(1, SAMPLE + 1)))

NEAR = 200
"""Characters between an access key's id and its secret: members of one JSON object, with others between."""

TOKENS = {
    "private-key": re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    ),
    "github-token": re.compile(r"gh[pousr]_[A-Za-z0-9_]{36,}|github_pat_[A-Za-z0-9_]{22,}"),
    "slack-token": re.compile(r"xox[abeprs]-[A-Za-z0-9-]{10,}"),
    "slack-webhook": re.compile(r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/+-]{20,}"),
    "google-api-key": re.compile(r"AIza[A-Za-z0-9_-]{35,}"),
    "stripe-key": re.compile(r"[sr]k_live_[A-Za-z0-9]{16,}"),
    "npm-token": re.compile(r"npm_[A-Za-z0-9]{36,}"),
    "json-web-token": re.compile(
        r"(?<![A-Za-z0-9_-])(?:(?!eyJ)[A-Za-z0-9_-])*+"
        r"(?P<value>eyJ[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]*+){2,})"
    ),
    "basic-auth": re.compile(r"""://[^\s/:@"'\[\]]*+:(?!\d{1,5}[?#])(?P<value>[^\s/"']+)@(?!sha256:)"""),
}
"""Rule -> what it looks like. No left border: letters may stand before a token. No upper limit: half a token
must not stay behind. All are linear: a failed attempt reads nothing that the next one reads again."""

AWS_ID = r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}"
AWS_SIGN = re.compile(rf"{AWS_ID}|(?i:secret[ _.-]?(?:access[ _.-]?)?key|aws[ _.-]?secret)")
AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")

KEY = re.compile(
    r"""(?i:pass(?:word|wd|phrase)|pwd|token|(?<!\d{12}:)secret(?:[_-]?(?:access[_-]?)?key|[_-]?string)?
        |(?:api|private|account|shared[_-]?access)[_-]?key)
    (?:\\{0,3}["'])?[ \t]{0,8}
    (?:,\s{0,40}(?:\\{0,3}["'])?(?i:Parameter)?(?i:Value)(?:\\{0,3}["'])?[ \t]{0,8})?
    (?::?={1,3}>?|:)[ \t]{0,8}
    (?:[bBfFrRuU]{0,2}(?P<quote>\\{0,3}["']))?""",
    re.VERBOSE,
)
"""'password=', '"apiKey": "', and AWS's own '"Key": "Password", "Value": "'.

Not the end of a secret's ARN, which names it: ':111122223333:secret:reports-db-AbCdEf'.
"""

BARE = re.compile(r"""[^\s"'`,;&]+""")
ESCAPED = re.compile(r"""[^"'\\\n]+""")
QUOTED = {'"': re.compile(r'(?:[^"\\\n]|\\.)++'), "'": re.compile(r"(?:[^'\\\n]|\\.)++")}

SECRET_NAME = re.compile(
    r"""(?ix)(?: (?P<password> pass(?:word|wd|phrase) | (?<!by)(?<!com)pass | pwd )
    | token | secret (?:[ _.-]?(?:access[ _.-]?)?key | [ _.-]?string)?
    | (?:api|private)[ _.-]?key | connection[ _.-]?string | credential ) s? (?:[ _.-]?\d{1,3})? \Z"""
)
"""The name says that the value is one. Bypass and compass end in pass too."""

MENTION = re.compile(r"(?i)secret|(?:api|private)[ _.-]?key|connection[ _.-]?string|credential")
"""The name speaks of one (SECRET_NAME, SecretRotation): the value must look random as well."""

WORD = r"(?:[A-Z]?[a-z]{1,15}(?:[A-Z][a-z]{2,15}){0,8}|[A-Z]{1,15})"
WORDS = re.compile(rf"{WORD}(?:[ _./:,'-]{{1,2}}(?:{WORD}\d{{0,2}}|\d{{1,4}}))*[.:)\]}}]{{0,3}}")
"""'required', 'AccessDenied', 'my-app-prod-2', a sentence. Sixteen small letters in a row are no word."""

NUMBER = re.compile(r"[-+]?\d[\dT.,:/+_-]*(?:s|m|h|d|ms|sec|min|[KMGT]i?B|Z|%)?")
UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
CODE = re.compile(
    r"(?s)_?[A-Za-z]+[._][A-Za-z_.]*[(\[].*|[A-Za-z_]+(?:\[|\([\w.]*\))|\[[A-Za-z_]+\]|_(?:[A-Z][a-z]+){1,8}"
)
"""'os.environ[...]', 'get_token(...)', 'keys[', 'str(token)', '[token]', '_AccessToken'."""

STATE = re.compile(
    r"(?i)true|false|(?:en|dis)abled|required|optional|un(?:set|defined|known)|missing|invalid|expired"
    r"|rotated|managed|encrypted|strict|bearer"
)
"""Of a setting, never of a secret. 'changeme' and 'password' are none of them: they are passwords in use."""

PLACEHOLDER = re.compile(
    r"\$\{[^{}]{0,200}(?:\}|\Z)|\{\{[^{}]{0,200}\}\}|\{[\w.]{0,100}\}|\$\([^()]{0,200}(?:\)|\Z)"
    r"|<[\w .:-]{1,100}>|\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]{0,99}%|%\(\w{1,100}\)s"
)

POINTER = re.compile(
    rf"""(?ix) arn:[\w-]*:.* | (?:ssm|ssm-secure|secretsmanager|resolve|vault):.*
    | !(?:Ref|Sub|GetAtt|ImportValue)\s.*
    | (?:var|local|data|module|each)\.[\w.\[\]"*-]+
    | [a-z][a-z0-9+.-]*://\S*
    | (?:[~.]{{0,2}}|[a-z]:)(?:[/\\][\w.@-]{{1,64}}){{2,}}[/\\]?
    | [\w.-]+\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt|env|ini|conf|csv)
    | [*x•\#._-]+ | .*\*\*\*.* | \W?(?:redacted|masked|filtered|sensitive(?:\ value)?)\W?
    | {AWS_ID}"""
)
"""Where the secret stands instead (reference, URL without credentials, file), a mask, an access key's id."""

RANK = {rule: rank for rank, rule in enumerate((*TOKENS, "aws-access-key", "assignment", "secret-name"))}
"""Where rules overlap, the first names the secret."""

HIDDEN = re.compile(rf"\(hidden: (?:{'|'.join(RANK)})(?:, sha256 [0-9a-f]{{16}})?\)")


@dataclass(frozen=True, slots=True)
class Secret:
    """That a secret stands somewhere; never the secret."""

    rule: str
    location: str
    digest: str
    """The first 16 hex digits of a salted SHA-256."""


class _Span(NamedTuple):
    start: int
    end: int
    rule: str


def find(text: str, *, location: str, salt: str) -> Iterator[Secret]:
    """Every secret in a text, in its order; of several lines, the location tells which."""
    yield from _find("", text, location, salt)


def find_named(name: str, value: str, *, location: str, salt: str) -> Iterator[Secret]:
    """The secrets in the value of a variable, tag or parameter; where no rule knows any, by its name."""
    found = False
    for secret in _find(name, value, location, salt):
        found = True
        yield secret
    if not found and _named(name, value):
        yield Secret("secret-name", location, _digest(value, salt))


def hide(text: str) -> str:
    """The text with '(hidden: <rule>)' for every secret. Hiding twice changes nothing."""
    while spans := _merged(_spans("", text)):
        parts: list[str] = []
        at = 0
        for span in spans:
            parts += (text[at : span.start], f"(hidden: {span.rule})")
            at = span.end
        text = "".join((*parts, text[at:]))
    return text


def hide_named(name: str, value: str, *, salt: str) -> str:
    """The value, or what may be said of it."""
    for secret in find_named(name, value, location=name, salt=salt):
        return f"(hidden: {secret.rule}, sha256 {secret.digest})"
    return value


def _find(name: str, text: str, location: str, salt: str) -> Iterator[Secret]:
    spans, taken = [], bytearray(len(text))
    for span in _spans(name, text):  # the most telling rule first
        if 1 not in taken[span.start : span.end]:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            spans.append(span)
    many, line, at = "\n" in text.strip(), 1, 0
    for span in sorted(spans):
        line, at = line + text.count("\n", at, span.start), span.start
        place = f"{location}, line {line}" if many else location
        yield Secret(span.rule, place, _digest(text[span.start : span.end], salt))


def _digest(value: str, salt: str) -> str:
    return sha256(f"{salt}\0{value}".encode(errors="surrogatepass")).hexdigest()[:16]


def _spans(name: str, text: str) -> Iterator[_Span]:
    """Where the rules match, in the order of RANK, each its own matches in the order of the text."""
    text = _open(text)
    for rule, pattern in TOKENS.items():
        for match in pattern.finditer(text):
            span = match.span("value" if pattern.groups else 0)
            if rule != "basic-auth" or not _ignored(text[slice(*span)], 1):
                yield _Span(*span, rule)
    for start, end in _aws_secrets(text, everywhere=bool(AWS_SIGN.search(name))):
        yield _Span(start, end, "aws-access-key")
    for start, end in _assigned(text):
        yield _Span(start, end, "assignment")


def _open(text: str) -> str:
    """What is hidden already is as good as a line break."""
    return HIDDEN.sub(lambda hidden: "\n" * len(hidden[0]), text)


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged.pop()
            rule = min(last.rule, span.rule, key=RANK.__getitem__)
            merged.append(_Span(last.start, max(last.end, span.end), rule))
        else:
            merged.append(span)
    return merged


def _aws_secrets(text: str, *, everywhere: bool) -> Iterator[tuple[int, int]]:
    """Forty characters, mixed as in a secret access key, near a sign that they are one."""
    signs = [sign.span() for sign in AWS_SIGN.finditer(text)]
    ends = [end for _, end in signs]
    for match in AWS_SECRET.finditer(text) if signs or everywhere else ():
        nearest = bisect_left(ends, match.start() - NEAR)
        near = nearest < len(signs) and signs[nearest][0] <= match.end() + NEAR
        value = match[0]
        mixed = not (value.isalpha() or value.islower() or value.isupper())
        if (near or everywhere) and mixed:
            yield match.span()


def _assigned(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while key := KEY.search(text, at):
        start = at = key.end()
        form = QUOTED.get(key["quote"], ESCAPED) if key["quote"] else BARE
        value = form.match(text, start, start + SAMPLE)
        if value and not UUID.fullmatch(value[0]) and _random(value[0]):
            at = form.match(text, start).end()  # type: ignore[union-attr]  # longer, never shorter
            yield start, at


def _named(name: str, value: str) -> bool:
    value = _open(value).strip()
    says = SECRET_NAME.search(name)
    if not says:
        return bool(MENTION.search(name)) and _random(value)
    number = NUMBER.fullmatch(value) and not says["password"]
    return not (number or STATE.fullmatch(value) or _ignored(value, SHORTEST))


def _random(value: str) -> bool:
    if len(value) < SHORTEST or any(kind.fullmatch(value) for kind in (WORDS, NUMBER, CODE)):
        return False
    return _entropy(value[:SAMPLE]) >= ENTROPY and not _ignored(value, SHORTEST)


def _ignored(value: str, shortest: int) -> bool:
    """Too short without its placeholders, a pointer to the secret, or words with slashes (a parameter)."""
    rest = PLACEHOLDER.sub("", value)
    return len(rest) < shortest or bool(POINTER.fullmatch(rest) or ("/" in rest and WORDS.fullmatch(rest)))


def _entropy(value: str) -> float:
    """Shannon's, in bits per character."""
    return log2(len(value)) - sum(map(N_LOG_N.__getitem__, map(value.count, set(value)))) / len(value)
