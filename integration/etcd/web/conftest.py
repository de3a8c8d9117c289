"""Both servers side by side for a whole module, and clients of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from integration.etcd.web.http_client import HttpClient
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd


@dataclass(frozen=True, slots=True)
class Pair:
    ours: HttpClient
    real: HttpClient

    def same(self, method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None) -> object:
        """Asks both; their answers have to be equal. Returns what they said."""
        ours = self.ours.request(method, path, body, headers).comparable()
        real = self.real.request(method, path, body, headers).comparable()
        assert ours == real, f"{method} {path} {body!r}"
        return real


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One for all tests of a module: each leaves both as it leaves the other."""
    folder = tmp_path_factory.mktemp("pair")
    with OurEtcd(folder / "ours") as ours, RealEtcd(folder / "real") as real:
        yield Pair(HttpClient(ours), HttpClient(real))


@pytest.fixture
def http(etcd: EtcdServer) -> HttpClient:
    """A client of each target in turn."""
    return HttpClient(etcd)
