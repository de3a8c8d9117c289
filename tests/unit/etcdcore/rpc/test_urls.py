import pytest

from etcdcore.rpc.urls import ListenAddress, ListenUrlError, parse_listen_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:2379", ListenAddress("127.0.0.1", 2379, "", False)),
        ("https://[::1]:0", ListenAddress("::1", 0, "", True)),
        ("http://:2379", ListenAddress("", 2379, "", False)),
        ("unix:///run/etcd.sock", ListenAddress("", 0, "/run/etcd.sock", False)),
        ("unixs://localhost:1", ListenAddress("", 0, "localhost:1", True)),
    ],
)
def test_a_listen_url_is_a_host_and_port_or_a_path(url: str, address: ListenAddress) -> None:
    assert parse_listen_url(url) == address


@pytest.mark.parametrize(
    "url", ["127.0.0.1:2379", "ftp://h:1", "http://host", "unix://", "http://h:99999", "http://h:x"]
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ListenUrlError):
        parse_listen_url(url)
