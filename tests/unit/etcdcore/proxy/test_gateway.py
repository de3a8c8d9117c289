from collections import Counter

from etcdcore.proxy.discovery import FoundEndpoint
from etcdcore.proxy.gateway import Server, Servers


def _endpoint(port: int, priority: int = 0, weight: int = 0) -> FoundEndpoint:
    return FoundEndpoint("host", port, priority, weight, False)


def _picked(servers: Servers, count: int) -> Counter[int]:
    found = [servers.pick() for _ in range(count)]
    return Counter(server.endpoint.port for server in found if server is not None)


def test_servers_without_weights_take_turns() -> None:
    servers = Servers([_endpoint(1), _endpoint(2), _endpoint(3)])
    assert _picked(servers, 9) == {1: 3, 2: 3, 3: 3}


def test_weights_are_kept_in_proportion_and_spread_evenly() -> None:
    servers = Servers([_endpoint(1, weight=1), _endpoint(2, weight=3)])
    assert _picked(servers, 4) == {1: 1, 2: 3}
    assert _picked(servers, 40) == {1: 10, 2: 30}


def test_only_the_lowest_priority_that_is_active_is_used() -> None:
    servers = Servers([_endpoint(1, priority=0), _endpoint(2, priority=1)])
    assert _picked(servers, 5) == {1: 5}
    servers.all[0].is_active = False
    assert _picked(servers, 5) == {2: 5}
    servers.all[0].is_active = True
    assert _picked(servers, 5) == {1: 5}


def test_without_an_active_server_there_is_none() -> None:
    servers = Servers([_endpoint(1)])
    servers.all[0].is_active = False
    assert servers.pick() is None
    assert servers.inactive == servers.all
    assert isinstance(servers.inactive[0], Server)
