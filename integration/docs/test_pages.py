"""What the documents say is so: each shell block runs, each link leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urldefrag

import pytest

from integration.docs.pages import ROOT, Page, PageError, page_paths, read_page
from integration.docs.programs import make_programs
from integration.docs.session import run_page, script_of

PAGES = [read_page(path) for path in page_paths()]
SHELL_WORDS = frozenset({"make", "pip", "docker", "zkbridge", "etcdcore", "etcdctl", "apt-get"})


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the commands that pages call."""
    folder = tmp_path_factory.mktemp("programs") / "bin"
    make_programs(folder)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_run], ids=lambda page: page.name)
def test_what_a_reader_would_type_works_from_top_to_bottom(page: Page, programs: Path, tmp_path: Path) -> None:
    """The whole page is one session, in a network of its own."""
    folder = tmp_path / "session"
    folder.mkdir()
    outcome = run_page(page, folder, programs)
    assert outcome.status == 0, f"{page.name} ended with {outcome.status}:\n{outcome.output[-6000:]}"
    assert outcome.output.rstrip().endswith(":: end") or "\n:: end\n" in outcome.output


def test_a_page_whose_command_fails_is_told_with_its_place(programs: Path, tmp_path: Path) -> None:
    """The runner itself can fail: a wrong command, a program with an error, a server that never listens."""
    path = tmp_path / "page.md"
    path.write_text("```sh\ntrue\n```\n\n```sh\nfalse\n```\n")
    page = read_page(path)
    folder = tmp_path / "session"
    folder.mkdir()
    outcome = run_page(Page(ROOT / "page.md", page.blocks, (), frozenset()), folder, programs)
    assert outcome.status == 1
    assert outcome.output.splitlines()[-1] == ":: page.md:5"


def test_a_block_without_a_language_and_an_indented_one_are_refused(tmp_path: Path) -> None:
    """Nothing is passed over in silence."""
    path = tmp_path / "page.md"
    for text in ("```\nmake\n```\n", "a\n\n    make run\n", "```console\n$ make\n```\n"):
        path.write_text(text)
        with pytest.raises(PageError, match=r"page\.md:"):
            read_page(path)


def test_blocks_that_are_not_run_say_why_and_files_reach_the_session(tmp_path: Path) -> None:
    """The two comments do what the package's docstring says."""
    path = tmp_path / "page.md"
    path.write_text("<!-- not run: it stays -->\n```sh\nrm x\n```\n\n<!-- file: a/b.cfg -->\n```text\nx=1\n```\n")
    page = read_page(path)
    assert [(block.is_run, block.reason_not_run, block.file_name) for block in page.blocks] == [
        (False, "it stays", ""),
        (False, "", "a/b.cfg"),
    ]
    script = script_of(Page(ROOT / "page.md", page.blocks, (), frozenset()))
    assert "x=1" in script
    assert "rm x" not in script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_text_blocks_hide_no_commands(page: Page) -> None:
    """A command that a reader would copy stands in a block that is run, or is marked as not to be."""
    for block in page.blocks:
        if block.language == "text" and not block.file_name:
            words = {line.split()[0] for line in block.text.splitlines() if line.strip()}
            assert not words & SHELL_WORDS, f"{page.name}:{block.line}: {words & SHELL_WORDS} in a text block"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page: Page) -> None:
    """Links outside of the repository are not followed; the documents need none to be understood."""
    anchors = {other.path: other.anchors for other in PAGES}
    for target, line in page.links:
        if "://" in target or target.startswith("mailto:"):
            continue
        name, anchor = urldefrag(target)
        path = (page.path.parent / name).resolve() if name else page.path
        assert path.exists(), f"{page.name}:{line}: {target}: no such file"
        assert not anchor or anchor in anchors.get(path, ()), f"{page.name}:{line}: {target}: no such heading"


def test_every_page_of_docs_is_in_the_table_of_contents() -> None:
    """docs/README.md lists all, and README leads to it."""
    contents = read_page(ROOT / "docs" / "README.md")
    linked = {(contents.path.parent / urldefrag(target)[0]).resolve() for target, _ in contents.links}
    assert {page.path for page in PAGES if page.path.parent == ROOT / "docs"} - {contents.path} <= linked
    readme = read_page(ROOT / "README.md")
    assert "docs/README.md" in {urldefrag(target)[0] for target, _ in readme.links}
