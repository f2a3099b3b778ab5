"""Secrets are found and hidden; what only speaks of them stays readable."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.secrets import RANK, Secret, find, find_named, hide, hide_named

# In parts, so that no scanner takes this file for a leak.
GITHUB = "ghp_" + "a1B2" * 9
GITHUB_FINE = "github_pat_" + "11ABCDEFG0" * 8
SLACK = "xoxb" + "-123456789012-" + "aBcD" * 6
WEBHOOK = "https://hooks.slack" + ".com/services/T00000000/B00000000/" + "xY1z" * 6
GOOGLE = "AIza" + "Sy_-D" * 7
STRIPE = "sk" + "_live_" + "4eC39HqL" * 3
NPM = "npm_" + "Zz09" * 9
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "dBjftJeZ4CVP-mB92K27"))
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA " + "PRIVATE KEY-----"
KEY_ID = "AKIA" + "IOSFODNN7" * 1 + "EXAMPLE"
AWS = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCY" + "EXAMPLEKEY"
HEX = "0123456789abcdef" * 2
UUID = "550e8400-e29b-41d4-a716-446655440000"

TOKENS = {
    "github-token": (GITHUB, GITHUB_FINE, *(f"gh{kind}_" + "a1B2" * 9 for kind in "ousr")),
    "slack-token": (SLACK, *(f"xox{kind}-" + "0123456789-abc" for kind in "aprs")),
    "google-api-key": (GOOGLE,),
    "stripe-key": (STRIPE, STRIPE.replace("sk", "rk")),
    "npm-token": (NPM,),
    "json-web-token": (JWT, JWT.rpartition(".")[0] + "."),
    "private-key": (PEM, PEM.replace("RSA ", ""), PEM.replace("RSA ", "EC ")),
}


def rules(text: str) -> list[str]:
    return [secret.rule for secret in find(text, location="here", salt="s")]


def named(name: str, value: str) -> list[str]:
    return [secret.rule for secret in find_named(name, value, location="here", salt="s")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((f"see {token} there", [rule]) for rule, tokens in TOKENS.items() for token in tokens),
        (f"ValueError: invalid literal for int() with base 10: '{GITHUB}'", ["github-token"]),
        (f"a_{GITHUB}, {NPM}", ["github-token", "npm-token"]),
        (WEBHOOK, ["slack-webhook"]),
        (PEM.partition("\n")[0], ["private-key"]),
        (PEM.replace("\n", "\\n").partition("-----END")[0], ["private-key"]),
        (f"{PEM}\n{GITHUB}", ["private-key", "github-token"]),
        (PEM.replace("KEY-----", "KEY BLOCK-----"), ["private-key"]),
        (f"{KEY_ID},{AWS}", ["aws-access-key"]),
        (f"{AWS} of {KEY_ID}", ["aws-access-key"]),
        (f'{{"AccessKeyId": "{KEY_ID}",\n "UserName": "ci",\n "x": "{AWS}"}}', ["aws-access-key"]),
        (f"aws_secret_access_key = {AWS}", ["aws-access-key"]),
        (f'"SecretAccessKey":"{AWS}"', ["aws-access-key"]),
        (f"export AWS_SECRET_ACCESS_KEY={AWS}", ["aws-access-key"]),
        ("postgres://app:tiger@db.internal:5432/app", ["basic-auth"]),
        ("redis://:tiger@cache", ["basic-auth"]),
        ("https://u:p@ss#1@host/x", ["basic-auth"]),
        ("cannot reach 'mysql://root:a,b;c@db'", ["basic-auth"]),
        ("DB_PASSWORD=hunter2", ["assignment"]),
        ("export DB_PASSWD='Tr0ub4dor&3 x'", ["assignment"]),
        ("pwd: Passw0rd", ["assignment"]),
        ('{"user": "a", "password": "Xk29!dkQ", "x": 1}', ["assignment"]),
        (r'"{\"clientSecret\":\"Xk29!dkQ\"}"', ["assignment"]),
        ("{'api_key': b'9f8e7d6c5b4a'}", ["assignment"]),
        (f"https://api.example.com/v1?apikey={HEX}&page=2", ["assignment"]),
        ("api-key => 9f8e7d6c5b4a", ["assignment"]),
        ("Server=db;User=sa;Password=Xk29!dkQ;Encrypt=true", ["assignment"]),
        ("AccountName=a;AccountKey=" + "aZ09+/kQ" * 10 + "==", ["assignment"]),
        ('{"Key": "Password", "Value": "Xk29!dkQ"}', ["assignment"]),
        ("ParameterKey=DbPassword,ParameterValue=Xk29!dkQ", ["assignment"]),
        ("token=abcdefghijklmnop", ["assignment"]),
        ("password=short password=Xk29!dkQ", ["assignment"]),
        ("password: 'no, token=Xk29!dkQ", ["assignment"]),
        ("secret=arn:aws:x:token=Xk29!dkQ", ["assignment"]),
        (f"token={GITHUB}", ["github-token"]),
        ("", []),
        ("nothing to see", []),
        (KEY_ID, []),
        (f"{KEY_ID} at commit " + "0a1b2c3d" * 5, []),
        (f"{KEY_ID} in " + "Directory" * 4 + "Then", []),
        (AWS, []),
        (f"{KEY_ID}{' ' * 300}{AWS}", []),
        (f"secret access key {AWS}0", []),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", []),
        ("-----BEGIN CERTIFICATE-----", []),
        ("ghp_short, xoxb-1, AIzaNo, sk_test_" + "4eC39HqL" * 3, []),
        ("eyJ.eyJ.x and eyJhbGciOiJIUzI1NiJ9", []),
        ("https://example.com:8080/a@b?x=c:d@e", []),
        ("https://user@example.com and mail me:you@example.com", []),
        ("https://host:80?mail=a@b", []),
        ("docker://app:3.19@sha256:" + HEX, []),
        ("postgres://app:${DB_PASSWORD}@db and postgres://app:<password>@db", []),
        ("postgres://app:****@db", []),
        ("password: required", []),
        ("password=AccessDenied, token: The security token is invalid", []),
        ('"secret": "my-app-prod-2"', []),
        ("token_ttl=3600; token: 1234567890; secret=2026-01-01T00:00:00Z", []),
        ("secret: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbC1dE", []),
        ("from arn:aws:secretsmanager:eu-west-1:111122223333:secret:reports-db-AbC1dE on", []),
        ("111122223333:token:Xk29!dkQ", ["assignment"]),
        ("Password: '{{resolve:secretsmanager:db:SecretString:password}}'", []),
        ("Password: '{{resolve:ssm-secure:/prod/db1:3}}'", []),
        ("Password: !Ref DbPassword1", []),
        ("password = ${var.db_password_2} token=${aws:x9}", []),
        ("password = var.db_password_2", []),
        ("password=<your-password-1>", []),
        ("password=$DB_PASSWORD_1 token=%TOKEN_1% secret=$(cat /x/y1)", []),
        ("password=****** token=xxxxxxxx secret=[REDACTED] api_key=(sensitive value)", []),
        ("password=abcabc1 secret=--------", []),
        ("token=/run/secrets/db1 secret=./a/b2/c secret=prod/app2/db secret=C:\\keys\\k1", []),
        ("private_key: server-1.pem", []),
        ("token=https://example.com/oauth2/v1", []),
        (f"ClientRequestToken={UUID}", []),
        ("password = os.environ['X9y8z7'], token=get_token(x9)", []),
        ("token = str(next_token1), token: _AccessToken, secret_key = keys_of['a'], token=[input_token]", []),
        ("secret_key=credentials['b'], password=Passw(rd123", ["assignment"]),
        ("api_key=" + KEY_ID, []),
        ("password={self.password_1} and token=%(token_1)s", []),
    ],
)
def test_a_text_holds(text: str, expected: list[str]) -> None:
    assert rules(text) == expected
    assert (hide(text) == text) == (not expected)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", "hunter2", ["secret-name"]),
        ("DB_PASSWORD", "changeme", ["secret-name"]),
        ("DB_PASSWORD", "password", ["secret-name"]),
        ("DB_PASSWORD", "correct horse battery staple", ["secret-name"]),
        ("DB_PASSWORD", "12345678", ["secret-name"]),
        ("db.passwd", "dragon", ["secret-name"]),
        ("DBPASS", "dragon", ["secret-name"]),
        ("DB_PWD", "dragon", ["secret-name"]),
        ("KeyPassphrase", "open sesame", ["secret-name"]),
        ("DB_PASSWORD_2", "dragon", ["secret-name"]),
        ("ClientSecret", "abcdefgh", ["secret-name"]),
        ("SECRET_KEY", "abcdefgh", ["secret-name"]),
        ("/prod/app/api-key", "abcdefgh", ["secret-name"]),
        ("API key", UUID, ["secret-name"]),
        ("ACCESS_TOKEN", "abcdefgh", ["secret-name"]),
        ("private-key", "abcdefgh", ["secret-name"]),
        ("ConnectionString", "LocalServer", ["secret-name"]),
        ("Credentials", "abcdefgh", ["secret-name"]),
        ("SECRET_KEY_BASE", HEX, ["secret-name"]),
        ("VAULT_SECRET_ID", UUID, ["secret-name"]),
        ("AWS_SECRET_ACCESS_KEY", AWS, ["aws-access-key"]),
        ("DB_URL", "postgres://app:tiger@db", ["basic-auth"]),
        ("Owner", GITHUB, ["github-token"]),
        ("DB_PASSWORD", GITHUB, ["github-token"]),
        ("OPTIONS", "--db password=Xk29!dkQ", ["assignment"]),
        ("DB_PASSWORD", "", []),
        ("DB_PASSWORD", "abc12", []),
        ("DB_PASSWORD", "${var.password_1}", []),
        ("DB_PASSWORD", "{{resolve:ssm-secure:/a/b1}}", []),
        ("DB_PASSWORD", "********", []),
        ("DB_PASSWORD", "REDACTED", []),
        ("DB_PASSWORD", "rotated", []),
        ("DB_PASSWORD", "xxxxxxxx", []),
        ("DB_PASSWORD", "(sensitive value)", []),
        ("DB_PASSWORD", "$(cat secret)", []),
        ("DB_PASSWORD", "!Ref DbPassword", []),
        ("DB_PASSWORD", "var.db_password", []),
        ("DB_PASSWORD", "ssm:/p2/k9xz3q", []),
        ("PRIVATE_KEY", "server.pem", []),
        ("DB_PASSWORD_FILE", "/run/secrets/db", []),
        ("PWD", "/var/task", []),
        ("DB_PASSWORD", "(hidden: secret-name, sha256 0123456789abcdef)", []),
        ("PasswordPolicy", "strict", []),
        ("PASSWORD_LENGTH", "123456", []),
        ("token_ttl", "3600", []),
        ("MAX_TOKEN", "1000000", []),
        ("SecretsManagerEnabled", "true", []),
        ("SecretRotation", "enabled", []),
        ("SecretRotationDays", "0000000030", []),
        ("SECRET_NAME", "my-app-prod-db-2", []),
        ("DB_SECRET", "prod/app/db", []),
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbC1dE", []),
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:reports-db-AbC1dE", []),
        ("API_KEY_HEADER", "X-Api-Key", []),
        ("CREDENTIAL_PROVIDER", "ContainerProvider", []),
        ("BYPASS", "abcdefgh", []),
        ("Compass", "abcdefgh", []),
        ("TOKEN_URL", "https://example.com/oauth2/token", []),
        ("SECRET", "https://example.com/oauth2/token", []),
        ("AccessKeyId", KEY_ID, []),
        ("Name", "hunter2", []),
        ("", "", []),
    ],
)
def test_a_named_value_holds(name: str, value: str, expected: list[str]) -> None:
    assert named(name, value) == expected
    assert (hide_named(name, value, salt="s") == value) == (not expected)


def test_a_secret_says_where_it_stands_and_never_what_it_is() -> None:
    (secret,) = find(f"one\ntwo\ntoken={GITHUB}\n", location="user data", salt="s")
    assert secret == Secret("github-token", "user data, line 3", secret.digest)
    assert GITHUB not in repr(secret)
    assert re.fullmatch(r"[0-9a-f]{16}", secret.digest)


@pytest.mark.parametrize("text", [GITHUB, f"{GITHUB}\n"])
def test_a_single_line_has_no_number(text: str) -> None:
    assert [secret.location for secret in find(text, location="tag Owner", salt="s")] == ["tag Owner"]


def test_secrets_come_in_the_order_of_the_text() -> None:
    text = f"{NPM}\npassword=hunter2\n{PEM}\n{GITHUB}"
    assert [(s.rule, s.location) for s in find(text, location="a", salt="s")] == [
        ("npm-token", "a, line 1"),
        ("assignment", "a, line 2"),
        ("private-key", "a, line 3"),
        ("github-token", "a, line 7"),
    ]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"ValueError: bad '{GITHUB}'", "ValueError: bad '(hidden: github-token)'"),
        (f"a\n{PEM}\nb", "a\n(hidden: private-key)\nb"),
        (PEM.partition("-----END")[0] + GITHUB, "(hidden: private-key)"),
        (WEBHOOK, "https://(hidden: slack-webhook)"),
        ("postgres://app:tiger@db/x", "postgres://app:(hidden: basic-auth)@db/x"),
        ("https://u:p@ss#1@host/x", "https://u:(hidden: basic-auth)@host/x"),
        (f"{KEY_ID} {AWS}", f"{KEY_ID} (hidden: aws-access-key)"),
        (r'{"password": "Xk29 \"b\" d7", "x": 1}', '{"password": "(hidden: assignment)", "x": 1}'),
        (f"password={GITHUB}.{'x9!Kq_7' * 400} z", "password=(hidden: github-token) z"),
        (f"token=x1y2z3{GITHUB}", "token=(hidden: github-token)"),
        (f"{JWT}.{JWT}", "(hidden: json-web-token)"),
        (f"{KEY_ID} {GITHUB}+{AWS[1:]}", f"{KEY_ID} (hidden: github-token)(hidden: aws-access-key)"),
    ],
)
def test_the_text_around_a_secret_stays(text: str, hidden: str) -> None:
    assert hide(text) == hidden


def test_a_hidden_value_can_be_recognized_by_its_digest() -> None:
    (secret,) = find_named("DB_URL", "postgres://app:tiger@db", location="here", salt="s")
    text = hide_named("DB_URL", "postgres://app:tiger@db", salt="s")
    assert text == f"(hidden: basic-auth, sha256 {secret.digest})"
    assert hide(text) == hide_named("DB_URL", text, salt="s") == text


def test_the_same_secret_has_the_same_digest_wherever_it_stands() -> None:
    texts = (GITHUB, f"a {GITHUB}", f"token={GITHUB}, x", f"\n\n'{GITHUB}'")
    assert len({secret.digest for text in texts for secret in find(text, location="a", salt="s")}) == 1


def test_half_a_character_is_no_obstacle() -> None:
    assert hide("password=Xk29!dkQ\ud800 b") == "password=(hidden: assignment) b"
    assert rules("password=Xk29!dkQ\ud800 b") == ["assignment"]


@settings(deadline=None)  # a busy machine is no fault
@given(
    st.text(min_size=6), st.text(min_size=6), st.sampled_from(["", "a", "b"]), st.sampled_from(["", "a", "b"])
)
def test_a_digest_differs_by_salt_and_by_value(value: str, other: str, salt: str, pepper: str) -> None:
    def digest(value: str, salt: str) -> set[str]:
        return {s.digest for s in find_named("a", GITHUB + value.encode().hex(), location="a", salt=salt)}

    assert digest(value, salt) == digest(value, salt) != set()
    assert (digest(value, salt) == digest(other, pepper)) == ((value, salt) == (other, pepper))


PIECES = [
    *(
        "password=",
        "password:'",
        'token="',
        "secret:",
        ', "Value": "',
        "secret_access_key",
        "AKIA",
        "ghp_",
        "eyJ",
    ),
    *(
        "://",
        ":a@",
        "@",
        "/",
        "+",
        ".",
        "=",
        " ",
        "\n",
        '"',
        "'",
        "\\",
        "${",
        "}",
        "{{",
        "***",
        "-----BEGIN ",
    ),
    *(
        "a1B2",
        "Xk29!dkQ",
        AWS,
        KEY_ID,
        WEBHOOK,
        "(hidden: ",
        "(hidden: github-token)",
        "(hidden: assignment)",
    ),
    *(token for tokens in TOKENS.values() for token in tokens),
]
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map("".join)
"""Texts of halves, keys, quotes and borders, as no human writes them."""

SURROUNDINGS = st.one_of(HOSTILE, st.text(alphabet="aA0_-./+= '\"\n"), st.text())


@pytest.mark.parametrize("rule", TOKENS)
@settings(deadline=None)  # a busy machine is no fault
@given(data=st.data(), before=SURROUNDINGS, after=SURROUNDINGS)
def test_no_surroundings_save_a_token_from_being_hidden(
    rule: str, data: st.DataObject, before: str, after: str
) -> None:
    token = data.draw(st.sampled_from(TOKENS[rule]))
    hidden = hide(before + token + after)
    assert token not in hidden
    assert "(hidden: " in hidden


@settings(deadline=None, max_examples=500)  # a busy machine is no fault
@given(SURROUNDINGS)
def test_hiding_twice_is_hiding_once_and_leaves_nothing_to_find(text: str) -> None:
    hidden = hide(text)
    assert hide(hidden) == hidden
    assert rules(hidden) == []
    assert (hidden == text) == (rules(text) == [])


@settings(deadline=None)  # a busy machine is no fault
@given(st.one_of(SURROUNDINGS, st.text(st.characters())), st.one_of(SURROUNDINGS, st.just("DB_PASSWORD")))
def test_any_text_can_be_searched(text: str, name: str) -> None:
    for secret in [*find(text, location="a", salt=name), *find_named(name, text, location="a", salt="s")]:
        assert secret.rule in RANK
    assert isinstance(hide_named(name, text, salt="s"), str)


def test_no_text_makes_the_work_explode() -> None:
    """Anything worse than linear would take minutes here."""
    for part in ("a", "password=", "eyJ", "-----BEGIN PRIVATE KEY-----", "://a:", "password='", "${", "\\"):
        text = part * (300_000 // len(part))
        assert len(hide("password='" + text)) <= len(text) * 3 + 50
        named("SECRET", text)
