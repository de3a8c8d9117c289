"""What the container image makes of a command, an environment and a mounted file."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from zkbridge import image
from zkbridge.config import build_config
from zkbridge.image import Start, health, plan
from zkbridge.zoo_cfg import read_zoo_cfg

SERVER = ("zkServer.sh", "start-foreground")


def _keys(start: Start) -> dict[str, str]:
    assert start.config is not None
    return read_zoo_cfg(start.config).settings


def test_without_any_setting_it_is_the_official_image_s_configuration() -> None:
    start = plan(SERVER, {}, None)
    assert start.command == ("zkbridge", "serve")
    assert start.config is not None
    assert start.config.splitlines() == [
        "dataDir=/data",
        "dataLogDir=/datalog",
        "tickTime=2000",
        "initLimit=5",
        "syncLimit=2",
        "autopurge.snapRetainCount=3",
        "autopurge.purgeInterval=0",
        "maxClientCnxns=60",
        "standaloneEnabled=true",
        "admin.enableServer=true",
        "server.1=localhost:2888:3888;2181",
    ]
    assert (start.my_id, start.data_dir, start.notes) == ("1", "/data", ())


def test_the_configuration_that_it_makes_starts_a_server_on_every_interface() -> None:
    config = build_config({}, read_zoo_cfg(plan(SERVER, {}, None).config or ""), "zoo.cfg")
    assert (str(config.data_dir), config.client_port, config.tick_time_ms) == ("/data", 2181, 2000)
    assert config.client_host in ("", "0.0.0.0")


def test_each_setting_of_the_official_image_has_its_key() -> None:
    environment = {
        "ZOO_TICK_TIME": "3000",
        "ZOO_INIT_LIMIT": "7",
        "ZOO_SYNC_LIMIT": "3",
        "ZOO_MAX_CLIENT_CNXNS": "0",
        "ZOO_STANDALONE_ENABLED": "false",
        "ZOO_ADMINSERVER_ENABLED": "false",
        "ZOO_AUTOPURGE_PURGEINTERVAL": "1",
        "ZOO_AUTOPURGE_SNAPRETAINCOUNT": "5",
        "ZOO_4LW_COMMANDS_WHITELIST": "srvr, ruok",
        "ZOO_CFG_EXTRA": "jute.maxbuffer=2000000 extendedTypesEnabled=true",
        "ZOO_DATA_DIR": "/elsewhere",
        "ZOO_MY_ID": "3",
        "ZOO_SERVERS": "server.3=zoo:2888:3888;2182",
    }
    start = plan(SERVER, environment, None)
    keys = _keys(start)
    assert {key: keys[key] for key in ("tickTime", "maxClientCnxns", "4lw.commands.whitelist", "jute.maxbuffer")} == {
        "tickTime": "3000",
        "maxClientCnxns": "0",
        "4lw.commands.whitelist": "srvr, ruok",
        "jute.maxbuffer": "2000000",
    }
    assert start.data_dir == "/elsewhere" and start.my_id == "3"
    assert read_zoo_cfg(start.config or "").members == {"server.3": "zoo:2888:3888;2182"}


def test_an_older_image_s_port_is_taken() -> None:
    start = plan(SERVER, {"ZOO_PORT": "2300"}, None)
    assert build_config({}, read_zoo_cfg(start.config or ""), "zoo.cfg").client_port == 2300


def test_java_s_flags_name_server_settings_and_what_means_nothing_is_said() -> None:
    flags = "-Xmx512m -Dzookeeper.4lw.commands.whitelist=* -Djute.maxbuffer=4194304 -Dsome.thing=1"
    start = plan(SERVER, {"JVMFLAGS": flags, "SERVER_JVMFLAGS": "-Dzookeeper.extendedTypesEnabled=true"}, None)
    keys = _keys(start)
    assert (keys["4lw.commands.whitelist"], keys["jute.maxbuffer"], keys["extendedTypesEnabled"]) == (
        "*",
        "4194304",
        "true",
    )
    assert [note.split(" has")[0] for note in start.notes] == ["JVMFLAGS: -Xmx512m", "JVMFLAGS: -Dsome.thing"]


def test_a_mounted_file_is_taken_as_it_is_and_counts_more_than_java_s_flags() -> None:
    mounted = "dataDir=/mine\nclientPort=2200\njute.maxbuffer=1\n"
    start = plan(SERVER, {"ZOO_TICK_TIME": "9", "JVMFLAGS": "-Djute.maxbuffer=5"}, mounted)
    keys = _keys(start)
    assert start.config is not None and start.config.endswith(mounted)
    assert (keys["jute.maxbuffer"], keys.get("tickTime"), start.data_dir) == ("1", None, "/mine")


def test_variables_of_other_images_are_named() -> None:
    start = plan(SERVER, {"ZOOKEEPER_CLIENT_PORT": "2181", "ALLOW_ANONYMOUS_LOGIN": "yes"}, None)
    assert start.notes[0].startswith("ALLOW_ANONYMOUS_LOGIN, ZOOKEEPER_CLIENT_PORT: no effect")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ((), ("zkbridge", "serve")),
        (("zkServer.sh",), ("zkbridge", "serve")),
        (("/usr/local/bin/zkServer.sh", "start-foreground"), ("zkbridge", "serve")),
        (("--log-level", "debug"), ("zkbridge", "serve", "--log-level", "debug")),
        (("etcd", "--name", "n1"), ("etcdcore", "--name", "n1")),
        (("/usr/local/bin/etcd", "--name=n1"), ("etcdcore", "--name=n1")),
        (("etcdcore", "snapshot", "status", "f"), ("etcdcore", "snapshot", "status", "f")),
        (("zkbridge", "config", "check", "f"), ("zkbridge", "config", "check", "f")),
        (("sh", "-c", "true"), ("sh", "-c", "true")),
    ],
)
def test_a_command_becomes(words: tuple[str, ...], command: tuple[str, ...]) -> None:
    start = plan(words, {}, None)
    assert start.command == command
    assert (start.config is not None) == (command[:2] == ("zkbridge", "serve"))


@pytest.mark.parametrize(
    ("number", "cure"),
    [(errno.EACCES, "chown"), (errno.EROFS, "read-only"), (errno.ENOSPC, "make room"), (errno.EIO, "volume")],
)
def test_a_directory_that_can_t_be_used_is_told_with_its_cure(number: int, cure: str) -> None:
    assert cure in image._cure(OSError(number, os.strerror(number)))


def test_the_data_directory_gets_its_id_once_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if os.geteuid() != 0:  # root hands the directory over and gives up its rights, which no test process may
        image._prepare(Start((), "", "4", str(folder)))
        image._prepare(Start((), "", "5", str(folder)))
        assert [path.name for path in folder.iterdir()] == ["myid"]
        assert (folder / "myid").read_text() == "4\n"


@pytest.fixture
def answering() -> Iterator[int]:
    """A port that answers `srvr` once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                if connection.recv(4) == b"srvr":
                    connection.sendall(b"Mode: standalone\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_server_that_answers_is_healthy(answering: int, tmp_path: Path) -> None:
    config = tmp_path / "zoo.cfg"
    config.write_text(f"dataDir={tmp_path}\nclientPort={answering}\n")
    assert health({}, "self", ["python", "/bin/zkbridge", "serve", "--config", str(config)]) == 0


def test_a_port_that_nobody_answers_is_not_healthy(tmp_path: Path) -> None:
    config = tmp_path / "zoo.cfg"
    config.write_text(f"dataDir={tmp_path}\nclientPort=1\n")
    assert health({}, "self", ["zkbridge", "serve", f"--config={config}"]) == 1
    assert health({"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:1"}, "self", ["python", "/bin/etcdcore"]) == 1
