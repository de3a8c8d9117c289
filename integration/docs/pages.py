"""Markdown pages as the tests see them: blocks with what is to become of them, links, and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
RUN_LANGUAGES = frozenset({"sh", "python", "java"})
TEXT_LANGUAGES = frozenset({"text", "yaml", "properties", "json", "toml", "proto", "ini", "dockerfile"})
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
FILE = re.compile(r"<!-- file: (\S+) -->")


class PageError(Exception):
    """A page breaks the rules in the package's docstring; says where."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `line` is that of its fence, from 1."""

    language: str
    text: str
    line: int
    file_name: str = ""
    """Where its text is put before the blocks behind it run; empty if it is no file."""
    reason_not_run: str = ""

    @property
    def is_run(self) -> bool:
        """Whether a session executes it."""
        return self.language in RUN_LANGUAGES and not self.file_name and not self.reason_not_run


@dataclass(frozen=True, slots=True)
class Page:
    """One document. `links`: targets with their lines; `anchors`: what a link to a heading may name."""

    path: Path
    blocks: tuple[Block, ...]
    links: tuple[tuple[str, int], ...]
    anchors: frozenset[str]

    @property
    def name(self) -> str:
        """The path in the repository."""
        return str(self.path.relative_to(ROOT))

    @property
    def is_run(self) -> bool:
        """Whether a session has something to do."""
        return any(block.is_run for block in self.blocks)


def page_paths() -> list[Path]:
    """README, the other documents at the top, and all of docs/."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read_page(path: Path) -> Page:
    """Raises PageError."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    blocks: list[Block] = []
    links: list[tuple[str, int]] = []
    anchors: list[str] = []
    comment = ""
    for place, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            blocks.append(_block(token, comment, f"{path.name}:{line}"))
        elif token.type == "code_block":
            raise PageError(f"{path.name}:{line}: an indented block has no language; fence it")
        elif token.type == "heading_open":
            anchors.append(_anchor(tokens[place + 1].content, anchors))
        links += [(str(child.attrs["href"]), line) for child in token.children or () if child.type == "link_open"]
        comment = token.content.strip() if token.type == "html_block" else ""
    return Page(path, tuple(blocks), tuple(links), frozenset(anchors))


def _block(token: Token, comment: str, place: str) -> Block:
    language = token.info.strip()
    if language not in RUN_LANGUAGES | TEXT_LANGUAGES:
        known = ", ".join(sorted(RUN_LANGUAGES | TEXT_LANGUAGES))
        raise PageError(f"{place}: language {language!r}; expected one of {known}")
    assert token.map is not None, "a block has lines"
    not_run, file = NOT_RUN.fullmatch(comment), FILE.fullmatch(comment)
    return Block(
        language, token.content, token.map[0] + 1, file[1] if file else "", not_run[1] if not_run else ""
    )


def _anchor(heading: str, taken: list[str]) -> str:
    """What GitHub makes of a heading; a second one of the same text gets a number."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    anchor = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))
    count = sum(1 for other in taken if other == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", other))
    return f"{anchor}-{count}" if count else anchor
