"""One script, two servers: status, headers and JSON are equal but for ids. Source: reference section 1.5."""

from __future__ import annotations

import json

from integration.etcd.web.conftest import Pair
from integration.etcd.web.http_client import b64

A, B, ALL = b64("a"), b64("b"), b64("\0")


def play(pair: Pair, script: list[tuple[str, object]]) -> None:
    for path, body in script:
        pair.same("POST", path, body if isinstance(body, str) else json.dumps(body))


def test_keys_and_transactions(pair: Pair) -> None:
    play(
        pair,
        [
            ("/v3/kv/range", {"key": A}),
            ("/v3/kv/put", {"key": A, "value": b64("1")}),
            ("/v3/kv/put", {"key": A, "value": b64("2"), "prev_kv": True}),
            ("/v3/kv/put", {"key": B}),
            ("/v3/kv/put", {"key": A, "prevKv": True, "ignoreValue": True}),
            ("/v3/kv/put", {"key": A, "value": "", "ignore_value": True, "ignore_lease": True}),
            ("/v3/kv/put", {"key": A, "value": A, "ignore_value": True}),
            ("/v3/kv/put", {"key": b64("none"), "ignore_value": True}),
            ("/v3/kv/put", {"key": A, "lease": "99"}),
            ("/v3/kv/put", {}),
            ("/v3/kv/range", {"key": A, "range_end": ALL}),
            ("/v3beta/kv/range", {"key": A, "rangeEnd": ALL, "limit": "1"}),
            ("/v3/kv/range", {"key": A, "range_end": ALL, "limit": 1, "sort_order": "DESCEND", "sort_target": "KEY"}),
            ("/v3/kv/range", {"key": A, "range_end": ALL, "keys_only": True, "sortTarget": 3, "sortOrder": 2}),
            ("/v3/kv/range", {"key": A, "range_end": ALL, "count_only": True}),
            ("/v3/kv/range", {"key": A, "revision": 2}),
            ("/v3/kv/range", {"key": A, "revision": 200}),
            ("/v3/kv/range", {"key": A, "sort_order": 9}),
            ("/v3/kv/range", {"key": A, "sort_order": "NOBODY"}),
            ("/v3/kv/range", {"key": A, "min_mod_revision": "100"}),
            (
                "/v3/kv/txn",
                {
                    "compare": [{"key": A, "target": "VALUE", "result": "NOT_EQUAL", "value": b64("9")}],
                    "success": [
                        {"request_put": {"key": A, "value": b64("3"), "prev_kv": True}},
                        {"requestRange": {"key": A}},
                        {"request_delete_range": {"key": B, "prev_kv": True}},
                        {"request_txn": {"failure": [{"request_range": {"key": A}}]}},
                    ],
                    "failure": [],
                },
            ),
            ("/v3/kv/txn", {"compare": [{"key": A, "target": "VERSION", "version": "77"}]}),
            ("/v3/kv/txn", {"compare": [{"key": A, "target": 2, "result": 2, "mod_revision": 10}]}),
            ("/v3/kv/txn", {"success": [{}]}),
            ("/v3/kv/txn", {"success": [{"request_put": {"key": A}}, {"request_put": {"key": A}}]}),
            ("/v3/kv/txn", {"success": [{"request_range": {"key": A}}] * 129}),
            ("/v3/kv/txn", {"compare": [{}]}),
            ("/v3/kv/txn", {}),
            ("/v3/kv/deleterange", {"key": A, "range_end": ALL, "prev_kv": True}),
            ("/v3/kv/deleterange", {"key": A}),
            ("/v3/kv/compaction", {"revision": "4", "physical": True}),
            ("/v3/kv/compaction", {"revision": "4"}),
            ("/v3/kv/compaction", {"revision": "400"}),
            ("/v3/kv/range", {"key": A, "revision": 2}),
        ],
    )


def test_json_is_read_as_leniently_and_refused_alike(pair: Pair) -> None:
    bodies = [
        "",
        " ",
        "{}",
        "{",
        '{"key"',
        '{"key":"YQ',
        "[]",
        "null",
        "true",
        "5",
        '"a"',
        '{"key":5}',
        '{"key":true}',
        '{"key":null}',
        '{"key":["YQ=="]}',
        '{"key":{}}',
        '{"key":"YQ=="} trailing',
        '{"key":"YQ==","key":"YQ=="}',
        '{"key":"YQ==","unknown":{"a":[1,{}]},"unknown":1}',
        '{"key":"YQ"}',
        '{"key":"YQ="}',
        '{"key":"YQ==="}',
        '{"key":"Y Q=="}',
        '{"key":"YR=="}',
        '{"key":"_-8="}',
        '{"key":"_-8"}',
        '{"key":"/+8="}',
        '{"key":"/-8="}',
        '{"key":"Y\\nQ=="}',
        '{"key":"YQ==","limit":"1"}',
        '{"key":"YQ==","limit":1.0}',
        '{"key":"YQ==","limit":"1.0"}',
        '{"key":"YQ==","limit":1e2}',
        '{"key":"YQ==","limit":10e-1}',
        '{"key":"YQ==","limit":1.5}',
        '{"key":"YQ==","limit":1e-1}',
        '{"key":"YQ==","limit":0e99}',
        '{"key":"YQ==","limit":""}',
        '{"key":"YQ==","limit":" 1"}',
        '{"key":"YQ==","limit":"1 "}',
        '{"key":"YQ==","limit":"+1"}',
        '{"key":"YQ==","limit":"01"}',
        '{"key":"YQ==","limit":-0}',
        '{"key":"YQ==","limit":9223372036854775807}',
        '{"key":"YQ==","limit":9223372036854775808}',
        '{"key":"YQ==","limit":1e400}',
        '{"key":"YQ==","limit":true}',
        '{"key":"YQ==","limit":[]}',
        '{"key":"YQ==","limit":{}}',
        '{"key":"YQ==","serializable":true}',
        '{"key":"YQ==","serializable":"true"}',
        '{"key":"YQ==","serializable":1}',
        '{"key":"YQ==","sort_order":1.0}',
        '{"key":"YQ==","sort_order":"1"}',
        '{"key":"YQ==","sort_order":1.5}',
        '{"key":"YQ==","sort_order":99999999999}',
        '{"key":"YQ==","sort_order":null}',
        '{"key":"YQ==","sort_order":true}',
        '{"key":"YQ==","sortorder":1}',
        '{"rangeEnd":"YQ==","range_end":"YQ==","key":"YQ=="}',
        '{"\\u006bey":"YQ=="}',
        '{"key":"YQ==",}',
        '{"key":"YQ=="',
        "{'key':1}",
        '{"key":NaN}',
        '{"x":"\\ud800"}',
        '{"x":"\x01"}',
        "\ufeff{}",
    ]
    differing = []
    for body in bodies:
        ours = pair.ours.request("POST", "/v3/kv/range", body.encode())
        real = pair.real.request("POST", "/v3/kv/range", body.encode())
        if ours.status != real.status or (real.status == 200 and ours.comparable() != real.comparable()):
            differing.append((body, ours.status, ours.body, real.status, real.body))
    assert not differing


def test_the_texts_of_refused_json(pair: Pair) -> None:
    for body in (
        "{",
        '{"key":5}',
        '{"key":"%"}',
        '{"limit":"x"}',
        '{"limit":1.5}',
        '{"serializable":"x"}',
        '{"limit":1,"limit":2}',
    ):
        pair.same("POST", "/v3/kv/range", body)
    pair.same("POST", "/v3/kv/txn", '{"compare":[{"version":"1","value":"YQ=="}]}')


def test_leases_and_their_older_paths(pair: Pair) -> None:
    play(
        pair,
        [
            ("/v3/lease/grant", {"ID": "7", "TTL": "100"}),
            ("/v3/lease/grant", {"ID": 7, "TTL": 100}),
            ("/v3/lease/grant", {"TTL": "9000000001"}),
            ("/v3/kv/put", {"key": A, "lease": "7"}),
            ("/v3/kv/range", {"key": A}),
            ("/v3/lease/leases", {}),
            ("/v3/kv/lease/leases", {}),
            ("/v3/lease/timetolive", {"ID": "8"}),
            ("/v3/kv/lease/timetolive", {"ID": "8", "keys": True}),
            ("/v3/kv/lease/revoke", {"ID": "7"}),
            ("/v3/lease/revoke", {"ID": "7"}),
            ("/v3/kv/range", {"key": A}),
        ],
    )


def test_paths_and_methods_that_are_not_there(pair: Pair) -> None:
    for method, path in (
        ("GET", "/v3/kv/range"),
        ("PUT", "/v3/kv/range"),
        ("GET", "/v3/kv/nope"),
        ("POST", "/v3/kv/nope"),
        ("POST", "/v3/kv/range/"),
        ("POST", "/v3/kv/range:x"),
        ("POST", "/v3/"),
        ("POST", "/v3"),
        ("GET", "/v3//kv/range"),
        ("GET", "/"),
        ("GET", "/nope"),
        ("OPTIONS", "/nope"),
        ("OPTIONS", "/v3/kv/range"),
        ("GET", "/v3alpha/kv/range"),
    ):
        pair.same(method, path)
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-HTTP-Method-Override": "GET"}
    pair.same("POST", "/v3/kv/range", "{}", form)
    pair.same("POST", "/v3/kv/range", json.dumps({"key": A}), {"Grpc-Timeout": "5S"})
    for timeout in ("xx", "5", "S", "1n"):
        pair.same("POST", "/v3/kv/range", json.dumps({"key": A}), {"Grpc-Timeout": timeout})


def test_health_and_version_pages(pair: Pair) -> None:
    for method, path in (
        ("GET", "/health"),
        ("GET", "/health?serializable=true"),
        ("GET", "/health?exclude=NOSPACE&exclude=CORRUPT"),
        ("POST", "/health"),
        ("HEAD", "/health"),
        ("GET", "/health/"),
        ("GET", "/livez"),
        ("GET", "/livez?verbose"),
        ("GET", "/livez?exclude=serializable_read&verbose"),
        ("GET", "/livez/serializable_read"),
        ("GET", "/livez/serializable_read?verbose"),
        ("GET", "/livez/"),
        ("GET", "/livez/linearizable_read"),
        ("POST", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/readyz?exclude=nothing"),
        ("GET", "/readyz/data_corruption?verbose"),
        ("GET", "/readyz/non_learner"),
        ("POST", "/readyz/non_learner"),
        ("GET", "/version"),
        ("POST", "/version"),
        ("POST", "/debug/vars"),
        ("GET", "/debug/pprof/"),
    ):
        pair.same(method, path)


def test_a_request_that_is_too_large(pair: Pair) -> None:
    for size in (1_572_000, 1_573_000, 2_200_000):
        pair_status = [
            client.post("/v3/kv/put", {"key": A, "value": b64(bytes(size))}).status for client in (pair.ours, pair.real)
        ]
        assert pair_status[0] == pair_status[1], size


def test_locks_and_elections(pair: Pair) -> None:
    name = b64("name")
    play(pair, [("/v3/lease/grant", {"ID": "21", "TTL": "600"}), ("/v3/lock/lock", {"name": name, "lease": "21"})])
    key = b64("name/15")
    play(
        pair,
        [
            ("/v3/kv/range", {"key": key}),
            ("/v3/lock/unlock", {"key": key}),
            ("/v3/lock/lock", {"name": name, "lease": "999"}),
            ("/v3/election/leader", {"name": b64("election")}),
            ("/v3/election/campaign", {"name": b64("election"), "lease": "21", "value": A}),
            ("/v3/election/leader", {"name": b64("election")}),
            ("/v3/election/proclaim", {"value": B}),
            ("/v3/election/proclaim", {"leader": {"key": b64("election/15"), "rev": "1", "lease": "21"}, "value": B}),
            ("/v3/election/resign", {}),
        ],
    )


def test_the_cluster_and_its_maintenance(pair: Pair) -> None:
    """Member ids and URLs differ, so only what is refused is compared whole."""
    play(
        pair,
        [
            ("/v3/cluster/member/add", {}),
            ("/v3/cluster/member/remove", {"ID": "5"}),
            ("/v3/cluster/member/update", {"ID": "5", "peerURLs": ["http://127.0.0.1:1"]}),
            ("/v3/cluster/member/promote", {"ID": "5"}),
            ("/v3/maintenance/alarm", {}),
            ("/v3/maintenance/alarm", {"action": "GET", "memberID": 0, "alarm": "CORRUPT"}),
            ("/v3/maintenance/alarm", {"action": "DEACTIVATE", "alarm": "NOSPACE"}),
            ("/v3/maintenance/defragment", {}),
            ("/v3/maintenance/hashkv", {}),
            ("/v3/maintenance/hashkv", {"revision": "100000"}),
            ("/v3/maintenance/transfer-leadership", {"targetID": "5"}),
            ("/v3/maintenance/downgrade", {}),
            ("/v3/maintenance/downgrade", {"action": "VALIDATE", "version": "3.1"}),
            ("/v3/maintenance/downgrade", {"action": "CANCEL"}),
        ],
    )
    for http in (pair.ours, pair.real):
        status = http.call("/v3/maintenance/status")
        assert status.keys() >= {"header", "version", "dbSize", "leader", "raftIndex", "dbSizeQuota", "storageVersion"}
        assert status["downgradeInfo"] == {}
        members = http.call("/v3/cluster/member/list")["members"]
        assert isinstance(members, list) and len(members) == 1
        assert members[0].keys() == {"ID", "name", "peerURLs", "clientURLs"}


def test_users_roles_and_tokens(pair: Pair) -> None:
    """Last of all, since it ends with authentication on and off again."""
    play(
        pair,
        [
            ("/v3/auth/status", {}),
            ("/v3/auth/enable", {}),
            ("/v3/auth/authenticate", {"name": "root", "password": "x"}),
            ("/v3/auth/user/add", {}),
            ("/v3/auth/user/add", {"name": "root", "password": "secret"}),
            ("/v3/auth/user/add", {"name": "root", "password": "secret"}),
            ("/v3/auth/user/add", {"name": "reader", "password": 'r\u00e9"\n\u20ac'}),
            ("/v3/auth/user/add", {"name": "nobody", "options": {"no_password": True}}),
            ("/v3/auth/role/add", {"name": "root"}),
            ("/v3/auth/role/add", {"name": "reading"}),
            ("/v3/auth/role/grant", {"name": "reading", "perm": {"key": A, "range_end": B}}),
            ("/v3/auth/role/grant", {"name": "reading", "perm": {"permType": "WRITE", "key": B}}),
            ("/v3/auth/role/grant", {"name": "reading"}),
            ("/v3/auth/role/get", {"role": "reading"}),
            ("/v3/auth/role/get", {"role": "none"}),
            ("/v3/auth/role/list", {}),
            ("/v3/auth/role/revoke", {"role": "reading", "key": B}),
            ("/v3/auth/role/revoke", {"role": "reading", "key": B}),
            ("/v3/auth/user/grant", {"user": "root", "role": "root"}),
            ("/v3/auth/user/grant", {"user": "reader", "role": "reading"}),
            ("/v3/auth/user/revoke", {"name": "reader", "role": "root"}),
            ("/v3/auth/user/get", {"name": "reader"}),
            ("/v3/auth/user/list", {}),
            ("/v3/auth/enable", {}),
            ("/v3/kv/range", {"key": A}),
            ("/v3/maintenance/status", {}),
            ("/v3/auth/authenticate", {"name": "root", "password": "wrong"}),
            ("/v3/auth/authenticate", {"name": "nobody", "password": "x"}),
        ],
    )
    tokens = {}
    for http in (pair.ours, pair.real):
        for name, password in (("root", "secret"), ("reader", 'r\u00e9"\n\u20ac')):
            found = http.call("/v3/auth/authenticate", {"name": name, "password": password})["token"]
            assert isinstance(found, str)
            tokens[name, http] = found
    reading: list[tuple[str, object]] = [
        ("/v3/kv/range", {"key": A}),
        ("/v3/kv/put", {"key": A}),
        ("/v3/kv/range", {"key": B}),
        ("/v3/auth/user/list", {}),
        ("/v3/maintenance/snapshot", {}),
        ("/v3/lease/keepalive", {"ID": "77"}),
        ("/v3/auth/status", {}),
    ]
    for prefix in ("", "Bearer "):
        for http in (pair.ours, pair.real):
            http.token = prefix + tokens["reader", http]
        play(pair, reading)
    for http in (pair.ours, pair.real):
        http.token = "no such token"
    play(pair, reading)
    for http in (pair.ours, pair.real):
        http.token = tokens["root", http]
    play(pair, [("/v3/auth/status", {}), ("/v3/auth/disable", {}), ("/v3/auth/status", {}), ("/v3/auth/disable", {})])
    for http in (pair.ours, pair.real):
        http.token = ""
    play(pair, [("/v3/kv/range", {"key": A}), ("/v3/auth/user/delete", {"name": "reader"})])
    play(pair, [("/v3/auth/role/delete", {"role": "reading"}), ("/v3/auth/role/delete", {"role": "reading"})])
    play(pair, [("/v3/auth/user/changepw", {"name": "none", "password": "x"})])
