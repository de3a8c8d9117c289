"""etcdcore.member.authentication: logging in (reference 2.8)."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest

from etcdcore import ConfigError, Member, MemberConfig
from etcdcore.apply import admin_commands as commands
from etcdcore.errors import (
    AuthenticationFailed,
    AuthNotEnabled,
    InvalidAuthToken,
    NoPasswordUser,
    PasswordTooLong,
    TokenVerifyOnly,
    TooManyRequests,
)
from etcdcore.member import authentication as module
from tests.unit.etcdcore.auth.test_jwt_tokens import RSA
from tests.unit.etcdcore.member.fakes import on_loop, running

COST = 4


def _config(folder: Path, token: str = "simple") -> MemberConfig:
    return MemberConfig(folder, tick_ms=5, segment_bytes=1 << 16, bcrypt_cost=COST, auth_token=token)


async def _enable(member: Member) -> None:
    """root and u with passwords, and n without."""
    for name in ("root", "u"):
        await member.admin.decide(commands.user_add(name, await member.authentication.hash_password(f"{name}-secret")))
    await member.admin.decide(commands.user_add("n", b"", no_password=True))
    await member.admin.decide(commands.user_grant_role("root", "root"))
    await member.admin.decide(commands.auth_enable())


def _files_with(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


@on_loop
async def test_the_right_password_gives_a_token_that_names_its_user(tmp_path: Path) -> None:
    async with running(_config(tmp_path)) as (member, _):
        login = member.authentication.login
        with pytest.raises(AuthNotEnabled):
            await login("u", "u-secret")
        await _enable(member)
        token = await login("u", "u-secret")
        letters, dot, index = token.partition(".")
        assert (len(letters), dot, int(index)) == (16, ".", member.applied_index)
        assert member.authentication.identify(token) == ("u", member.admin_state.auth.revision)
        assert await login("u", "u-secret") != token
        for name, password in (("u", "wrong"), ("u", ""), ("nobody", "u-secret")):
            with pytest.raises(AuthenticationFailed):
                await login(name, password)
        with pytest.raises(NoPasswordUser):
            await login("n", "anything")
        for forged in ("", "x", "abcdefghijklmnop.1", token + "0"):
            assert member.authentication.identify(forged) == InvalidAuthToken()


@on_loop
async def test_a_token_given_before_the_first_tick_has_its_full_time(tmp_path: Path) -> None:
    """The clock is that of the machine, which has run for longer than a token lives."""
    config = replace(_config(tmp_path), tick_ms=10_000, auth_token_ttl_s=5)
    async with running(config) as (member, _):
        await _enable(member)
        token = await member.authentication.login("u", "u-secret")
        member.tick()
        assert member.authentication.identify(token) == ("u", member.admin_state.auth.revision)


@on_loop
async def test_passwords_are_neither_in_the_log_nor_in_the_store(tmp_path: Path) -> None:
    """CVE-2021-28235."""
    async with running(_config(tmp_path)) as (member, _):
        await _enable(member)
        await member.authentication.login("u", "u-secret")
    assert _files_with(tmp_path, b"$2a$") and not _files_with(tmp_path, b"u-secret")


@on_loop
async def test_a_password_verified_once_is_not_hashed_again_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    real = bcrypt.checkpw

    def counted(password: bytes, stored: bytes) -> bool:
        compared.append(threading.get_ident())
        return real(password, stored)

    async with running(_config(tmp_path)) as (member, _):
        await _enable(member)
        monkeypatch.setattr(bcrypt, "checkpw", counted)
        for _ in range(3):
            await member.authentication.login("u", "u-secret")
        assert len(compared) == 1
        assert threading.get_ident() not in compared, "never on the loop"
        changed = await member.authentication.hash_password("new")
        await member.admin.decide(commands.user_change_password("u", changed))
        with pytest.raises(AuthenticationFailed):
            await member.authentication.login("u", "u-secret")
        await member.authentication.login("u", "new")


@on_loop
async def test_a_change_of_users_while_a_password_is_compared_begins_the_login_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token must not stand for what was so before the change."""
    async with running(_config(tmp_path)) as (member, _):
        await _enable(member)
        compare = module._compare
        started, go_on = threading.Event(), threading.Event()

        def held(password: bytes, stored: bytes) -> bool:
            started.set()
            go_on.wait(10)
            return compare(password, stored)

        monkeypatch.setattr(module, "_compare", held)
        login = asyncio.get_running_loop().create_task(member.authentication.login("u", "u-secret"))
        await asyncio.to_thread(started.wait, 10)
        changed = bcrypt.hashpw(b"new", bcrypt.gensalt(COST))
        await member.admin.decide(commands.user_change_password("u", changed))
        go_on.set()
        with pytest.raises(AuthenticationFailed):
            await login


@on_loop
async def test_hashing_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PASSWORDS_WAITING_MAX", 2)
    async with running(_config(tmp_path)) as (member, _):
        hashing = [asyncio.ensure_future(member.authentication.hash_password("x")) for _ in range(3)]  # noqa: TID251
        results = await asyncio.gather(*hashing, return_exceptions=True)
        assert [type(result) for result in results] == [bytes, bytes, TooManyRequests]
        assert (await member.authentication.hash_password("x")).startswith(b"$2a$04$")
        with pytest.raises(PasswordTooLong):
            await member.authentication.hash_password("x" * 73)


@on_loop
async def test_signed_tokens_carry_the_auth_revision_and_need_no_memory(tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(RSA[0])
    (tmp_path / "private.pem").write_bytes(RSA[1])
    options = f"jwt,pub-key={tmp_path}/public.pem,sign-method=RS256"
    config = _config(tmp_path / "member", f"{options},priv-key={tmp_path}/private.pem")
    async with running(config) as (member, _):
        await _enable(member)
        token = await member.authentication.login("u", "u-secret")
        revision = member.admin_state.auth.revision
        await member.admin.decide(commands.role_add("r"))
        assert member.authentication.identify(token) == ("u", revision)
        assert len(member.admin_state.tokens) == 0
    async with running(_config(tmp_path / "member", options)) as (member, _):
        assert member.authentication.identify(token) == ("u", revision), "over a restart, with the public key alone"
        with pytest.raises(TokenVerifyOnly):
            await member.authentication.login("u", "u-secret")


@pytest.mark.parametrize("options", ["", "other", "jwt,sign-method=RS256,priv-key=/nowhere", "jwt,sign-method=RS256"])
def test_options_that_cannot_be_used_stop_the_start(tmp_path: Path, options: str) -> None:
    with pytest.raises(ConfigError):
        Member.open(_config(tmp_path, options))
