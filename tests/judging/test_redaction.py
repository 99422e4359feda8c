from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traceloc.errors import UsageError
from traceloc.judgement import JudgeError
from traceloc.judging.redaction import Pattern, Redactor, compile_patterns

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAKCAQEA\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "sk-proj-Abc123Def456Ghi789Jkl": "API_KEY",
    "AKIAIOSFODNN7EXAMPLE": "API_KEY",
    "ghp_abcdefghijklmnopqrst1234": "API_KEY",
    "xoxb-1234567890-abcdef": "API_KEY",
    "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc": "TOKEN",
    "ola.nordmann@example.org": "EMAIL",
    "4111 1111 1111 1111": "CARD",
    "DE89 3704 0044 0532 0130 00": "IBAN",
    "078-05-1120": "SSN",
    "+47 22 33 44 55": "PHONE",
    "(555) 123-4567": "PHONE",
    PEM: "PRIVATE_KEY",
}


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_and_personal_data_are_taken_out(secret: str) -> None:
    masked = Redactor().mask(f"It says {secret} here.")
    assert masked == f"It says <{SECRETS[secret]}_1> here."


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"password": "hunter22"}', '{"password": "<SECRET_1>"}'),
        ("api_key=abcd1234efgh", "api_key=<SECRET_1>"),
        ("DB_PASSWORD=correct-horse", "DB_PASSWORD=<SECRET_1>"),
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer <TOKEN_1>"),
        ("postgres://app:s3cr3t@db/x", "postgres://app:<PASSWORD_1>@db/x"),
    ],
)
def test_names_of_keys_give_values_away(text: str, masked: str) -> None:
    assert Redactor().mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "There are 1234567890123456 grains.",
        "Version 1.2.3, step 17, 2024-05-03, 10:45:00, 214.00 EUR",
        "max_tokens: 512",
        "the token was refused",
        "fare F-4471-B at TP757",
    ],
)
def test_other_things_stay(text: str) -> None:
    assert Redactor().mask(text) == text


def test_equal_values_stay_equal_and_others_differ() -> None:
    redactor = Redactor()
    one = redactor.mask("a@example.org wrote to b@example.org")
    two = redactor.mask("b@example.org answered a@example.org and c@example.org")
    assert one == "<EMAIL_1> wrote to <EMAIL_2>"
    assert two == "<EMAIL_2> answered <EMAIL_1> and <EMAIL_3>"


def test_patterns_of_the_user_count_too() -> None:
    redactor = Redactor(compile_patterns([r"Project \w+"]))
    assert redactor.mask("Project Lynx meets Project Lynx") == "<REDACTED_1> meets <REDACTED_1>"


@pytest.mark.parametrize("expression", ["(", "x*"])
def test_a_pattern_that_cannot_work_is_refused(expression: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_patterns([expression])
    assert caught.value.code == "TL605"


class Broken:
    def sub(self, *_: object) -> str:
        raise MemoryError("on purpose")

    finditer = sub


def test_a_failing_pattern_fails_closed() -> None:
    redactor = Redactor((Pattern("X", Broken()),))  # type: ignore[arg-type]
    with pytest.raises(JudgeError) as caught:
        redactor.mask("anything")
    assert caught.value.kind == "redaction"
    with pytest.raises(JudgeError) as caught:
        redactor.check("anything")
    assert caught.value.kind == "redaction"


def test_the_check_finds_what_was_not_masked_and_does_not_repeat_it() -> None:
    with pytest.raises(JudgeError) as caught:
        Redactor().check("write to ola@example.org")
    assert caught.value.kind == "redaction"
    assert "ola" not in caught.value.message


@given(st.text(alphabet=st.sampled_from("ab1 @.:=-_\"'<>\n+sktoken"), max_size=200))
@example("password=password=abcdefgh")
@example("token: token: token: abcdefgh")
def test_masking_twice_is_masking_once(text: str) -> None:
    redactor = Redactor()
    once = redactor.mask(text)
    twice = redactor.mask(once)
    redactor.check(twice)
    assert redactor.mask(twice) == twice


@given(st.text(max_size=300))
def test_never_crashes(text: str) -> None:
    masked = Redactor().mask(text)
    assert not re.search(r"\S+@[a-z]+\.[a-z]{2,}", masked) or "@" in text


@pytest.mark.parametrize(
    "unit", ["a", "1", " ", "://", "-----BEGIN PRIVATE KEY-----", "token=", "a@"]
)
def test_hostile_repetition_is_no_trap(unit: str) -> None:
    # A pattern that backtracks without bound would not come back from this.
    masked = Redactor().mask(unit * (60_000 // len(unit)))
    assert Redactor().mask(masked) == masked


def test_a_secret_is_known_again_without_its_name() -> None:
    redactor = Redactor()
    assert redactor.mask("password: hunter22") == "password: <SECRET_1>"
    assert redactor.mask("he typed hunter22 and left") == "he typed <SECRET_1> and left"


def test_more_secrets_than_any_run_has_fail_closed() -> None:
    redactor = Redactor()
    with pytest.raises(JudgeError) as caught:
        redactor.mask("\n".join(f"password: hunter{i:04}" for i in range(300)))
    assert caught.value.kind == "redaction"
