"""Source: grpc-go http2_server.go, handlePing."""

from etcdcore.rpc.keepalive import IDLE_PING_INTERVAL_MS, PingPolicy


def test_the_third_ping_too_early_is_one_too_many() -> None:
    policy = PingPolicy(5000)
    assert [policy.ping_received(now_ms, True) for now_ms in (0, 100, 200, 300)] == [True, True, True, False]


def test_pings_as_seldom_as_allowed_go_on_for_ever() -> None:
    policy = PingPolicy(5000)
    assert all(policy.ping_received(now_ms, True) for now_ms in range(0, 500_000, 5000))


def test_without_calls_two_hours_lie_between_pings() -> None:
    policy = PingPolicy(5000)
    seldom = range(0, 3 * IDLE_PING_INTERVAL_MS, IDLE_PING_INTERVAL_MS)
    assert all(policy.ping_received(now_ms, False) for now_ms in seldom)
    often = range(10 * IDLE_PING_INTERVAL_MS, 10 * IDLE_PING_INTERVAL_MS + 40_000, 10_000)
    assert [policy.ping_received(now_ms, False) for now_ms in often] == [True, True, True, False]


def test_an_answer_in_between_makes_a_ping_a_good_one() -> None:
    policy = PingPolicy(5000)
    for now_ms in range(1000):
        policy.has_responded = True
        assert policy.ping_received(now_ms, True)


def test_an_interval_of_nothing_allows_any_number() -> None:
    policy = PingPolicy(0)
    assert all(policy.ping_received(0, False) for _ in range(100))
