"""docs/settings.md is made from the tables, and has all of them."""

from pathlib import Path

from zkbridge.flags import FLAGS
from zkbridge.settings_page import settings_page
from zkbridge.zoo_keys import KEYS

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_what_the_code_says() -> None:
    """If not: python -m zkbridge.settings_page > docs/settings.md"""
    assert PAGE.read_text(encoding="utf-8") == settings_page()


def test_every_flag_and_every_key_is_on_the_page() -> None:
    text = settings_page()
    for flag in FLAGS:
        assert f"| `--{flag.name}`" in text
        assert f"`{flag.variable}`" in text
    for key in KEYS:
        assert f"`{key.name}`" in text


def test_flags_name_keys_of_the_table() -> None:
    names = {key.name for key in KEYS}
    assert {key for flag in FLAGS for key in flag.zoo_keys} <= names
