"""What is sent, hidden, planted or altered to get in, and what must not get out: every door, in both directions."""

import pytest

from index.types import shown


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("https://user:pass@host.example/v1", "https://host.example/v1"),
        ("https://token@host.example/v1", "https://host.example/v1"),
        ("https://us%40er:p:a@ss@host.example", "https://host.example"),
        ("ftp://user:pa/s#s?@host.example/", "ftp://host.example/"),
        ("//user:pass@host.example", "//host.example"),
        ("no server at http://u:p@[::1]:8080/v1: start it", "no server at http://[::1]:8080/v1: start it"),
        ("https://h.example/f?a=b&api_key=k3y&c=d#x", "https://h.example/f?a=b&api_key=***&c=d#x"),
        ("https://h.example/?X-Amz-Signature=ab%2F&b=c", "https://h.example/?X-Amz-Signature=***&b=c"),
        ("https://h.example/#access_token=t", "https://h.example/#access_token=***"),
        *[(same, same) for same in (
            "https://social.example/@name and https://h.example:80/@name",
            "https://h.example/?keyword=a&tokens=2&monkey=b&author=c",
            "mail anna@harlow.example // who wrote",
        )],
    ],
)  # fmt: skip
def test_addresses_are_shown_without_their_secrets(said: str, seen: str) -> None:
    assert shown(said) == seen


def test_keys_of_the_environment_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    monkeypatch.setenv("COPYDESK_TOKEN", "anna:long-password")
    monkeypatch.setenv("SHORT_KEY", "the")
    assert shown("the key sk-0123456789 of anna:long-password") == "the key *** of ***"
