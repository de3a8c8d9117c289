"""What the container image runs: the environment of ZooKeeper's and etcd's official images becomes a start of ours.

    nothing, zkServer.sh start-foreground, -flags    zkbridge serve, on /conf/zoo.cfg or on what ZOO_… and JVMFLAGS say
    etcd …, /usr/local/bin/etcd …, etcdcore …        etcdcore with the same words; ETCD_… is etcdcore's own environment
    health, zkServer.sh status                       whether the server of this container answers; no shell is needed
    anything else                                    is run as it is

`plan` decides and touches nothing; `main` does. A configuration that the environment makes lies in memory only, so the
root file system may be read-only. Source: the entrypoint of the official image, whose defaults are in the Dockerfile.
"""

import errno
import os
import re
import shlex
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zkbridge.zoo_cfg import read_zoo_cfg
from zkbridge.zoo_keys import find_key

CONF_DIR_DEFAULT: Final = "/conf"
DATA_DIR_DEFAULT: Final = "/data"
SERVER_DEFAULT: Final = "server.1=localhost:2888:3888;2181"
HEALTH_TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 1 << 16
ETCD_WORDS: Final = frozenset({"etcd", "etcdcore"})
USER_ID: Final = 1000
"""Of ZooKeeper's image too, so that a volume changes hands without a chown."""
# In the order in which the official image writes them.
_KEYS: Final = (
    ("ZOO_DATA_DIR", "dataDir", DATA_DIR_DEFAULT),
    ("ZOO_DATA_LOG_DIR", "dataLogDir", "/datalog"),
    ("ZOO_TICK_TIME", "tickTime", "2000"),
    ("ZOO_INIT_LIMIT", "initLimit", "5"),
    ("ZOO_SYNC_LIMIT", "syncLimit", "2"),
    ("ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount", "3"),
    ("ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval", "0"),
    ("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"),
    ("ZOO_STANDALONE_ENABLED", "standaloneEnabled", "true"),
    ("ZOO_ADMINSERVER_ENABLED", "admin.enableServer", "true"),
)
_WITHOUT_EFFECT: Final = {
    "ZOO_LOG_DIR": "the log goes to standard error",
    "ZOO_LOG4J_PROP": "there is no log4j here; ZKBRIDGE_LOG_LEVEL sets the level",
    "CLIENT_JVMFLAGS": "there is no Java client in this image",
}
_FOREIGN: Final = re.compile(
    r"ALLOW_ANONYMOUS_LOGIN|ZOOKEEPER_(CLIENT_PORT|TICK_TIME|SERVER_ID|SERVERS|INIT_LIMIT|SYNC_LIMIT)"
)
"""Of Confluent's and Bitnami's images."""
_JVM_VARIABLES: Final = ("JVMFLAGS", "SERVER_JVMFLAGS")


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be run. `config`: the text of a configuration file that `--config` is given, or None.

    `my_id` is written to the data directory unless one is there; `notes` are told first, a line each.
    """

    command: tuple[str, ...]
    config: str | None = None
    my_id: str = ""
    data_dir: str = ""
    notes: tuple[str, ...] = ()


def plan(words: Sequence[str], environment: Mapping[str, str], mounted: str | None) -> Start:
    """`words`: the container's command. `mounted`: the text of a configuration file that is mounted, or None."""
    first = Path(words[0]).name if words else ""
    if first in ETCD_WORDS:
        return Start(("etcdcore", *words[1:]))
    is_server = first == "zkServer.sh" and tuple(words[1:2]) in ((), ("start-foreground",))
    if words and not words[0].startswith("-") and not is_server:
        return Start(tuple(words))
    flags = tuple(words) if words and words[0].startswith("-") else ()
    properties, notes = _jvm_properties(environment)
    text = mounted if mounted is not None else _config_of(environment)
    # Later lines count, as in ZooKeeper the file's keys count more than a property of the command line.
    config = "".join(f"{name}={value}\n" for name, value in properties.items()) + text
    notes += [f"{name}: no effect, {why}" for name, why in _WITHOUT_EFFECT.items() if environment.get(name)]
    foreign = sorted(name for name in environment if _FOREIGN.fullmatch(name))
    if foreign:
        notes.append(f"{', '.join(foreign)}: no effect, another image's; here they are ZOO_PORT, ZOO_TICK_TIME, …")
    data_dir = read_zoo_cfg(config).settings.get("dataDir") or DATA_DIR_DEFAULT
    return Start(("zkbridge", "serve", *flags), config, environment.get("ZOO_MY_ID") or "1", data_dir, tuple(notes))


def _config_of(environment: Mapping[str, str]) -> str:
    lines = [f"{key}={environment.get(name) or default}" for name, key, default in _KEYS]
    port = environment.get("ZOO_PORT", "")
    servers = environment.get("ZOO_SERVERS", "").split()
    if port:
        lines.append(f"clientPort={port}")
    if not servers and not port:
        servers = [SERVER_DEFAULT]
    lines += servers
    if whitelist := environment.get("ZOO_4LW_COMMANDS_WHITELIST"):
        lines.append(f"4lw.commands.whitelist={whitelist}")
    lines += environment.get("ZOO_CFG_EXTRA", "").split()
    return "\n".join(lines) + "\n"


def _jvm_properties(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Server settings among Java's flags, and a line for each flag that means nothing here."""
    properties: dict[str, str] = {}
    notes: list[str] = []
    for variable in _JVM_VARIABLES:
        try:
            flags = shlex.split(environment.get(variable, ""))
        except ValueError as error:
            notes.append(f"{variable}: not read, {error}")
            continue
        for flag in flags:
            name, _, value = flag.removeprefix("-D").partition("=")
            if flag.startswith("-D") and (name.startswith("zookeeper.") or find_key(name) is not None):
                properties[name] = value.replace("\\", "\\\\")
            else:
                notes.append(f"{variable}: {flag.split('=')[0]} has no effect, there is no Java here")
    return properties, notes


# --- doing it ---


def main() -> int:
    """Returns only for `health` and `zkServer.sh status`, or with an error; else another program is in our place."""
    words, environment = sys.argv[1:], os.environ
    if words == ["health"] or words == ["zkServer.sh", "status"]:
        return health(environment, *_server_process())
    try:
        start = plan(words, environment, _mounted(words, environment))
        if start.config is not None:
            _prepare(start)
    except OSError as error:
        return _tell(f"{error.filename or 'the configuration'}: {error.strerror or error}; {_cure(error)}")
    except ValueError as error:
        return _tell(f"zoo.cfg: {error}")
    for note in start.notes:
        _tell(note)
    command = list(start.command)
    if start.config is not None:
        command += ["--config", _in_memory(start.config)]
    try:
        os.execvp(command[0], command)
    except OSError as error:
        _tell(f"{command[0]}: {error.strerror}")
        return 127


def _tell(text: str) -> int:
    print(f"zkbridge image: {text}", file=sys.stderr, flush=True)
    return 1


def _mounted(words: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The configuration file that was mounted, or is named behind `zkServer.sh start-foreground`."""
    folder = Path(environment.get("ZOO_CONF_DIR") or CONF_DIR_DEFAULT)
    path = folder / (words[2] if len(words) > 2 and Path(words[0]).name == "zkServer.sh" else "zoo.cfg")
    return path.read_text(encoding="utf-8", errors="replace") if len(words) > 2 or path.exists() else None


def _prepare(start: Start) -> None:
    """The data directory takes writes and has its `myid`; root, as in ZooKeeper's image, hands it to the image's user.

    Raises OSError.
    """
    folder = Path(start.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "myid").exists():
        (folder / "myid").write_text(f"{start.my_id}\n")
    probe = folder / f".zkbridge-image-{os.getpid()}"
    probe.write_bytes(b"room")
    probe.unlink()
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER_ID, USER_ID, follow_symlinks=False)
        os.setgroups([])
        os.setgid(USER_ID)
        os.setuid(USER_ID)


def _cure(error: OSError) -> str:
    """What somebody has to do about a directory or file that can't be used."""
    if error.errno in (errno.EACCES, errno.EPERM):
        user = os.geteuid()
        return f"this container runs as uid {user}: give it the path (chown -R {user}), or run it as its owner"
    if error.errno == errno.EROFS:
        return "the volume is mounted read-only: mount it for writing"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the volume is full: make room and start again"
    return "give the container a volume that it can read and write"


def _in_memory(text: str) -> str:
    """A path of the text for the program that takes our place."""
    descriptor = os.memfd_create("zoo.cfg", 0)
    os.write(descriptor, text.encode())
    os.set_inheritable(descriptor, True)
    return f"/proc/self/fd/{descriptor}"


# --- the health check ---


def _server_process() -> tuple[str, list[str]]:
    """Number and command line of the container's server: the first process, or with an init in front the next."""
    for number in sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1]
        except OSError:
            continue
        if number != os.getpid() and any(Path(word).name in ("zkbridge", "etcdcore") for word in words[:3]):
            return str(number), words
    return "self", []


def health(environment: Mapping[str, str], process: str, server: Sequence[str]) -> int:
    """0 if the container's server answers. `server`: its command line, which tells etcd from ZooKeeper."""
    if any(Path(word).name == "etcdcore" for word in server[:3]):
        return _etcd_health(environment, server)
    host, port = _client_address(environment, process, server)
    try:
        with socket.create_connection((host, port), timeout=HEALTH_TIMEOUT_S) as connection:
            connection.sendall(b"srvr")
            answer = b""
            while len(answer) < ANSWER_BYTES_MAX and (piece := connection.recv(4096)):
                answer += piece
    except OSError as error:
        print(f"{host}:{port}: {error}")
        return 1
    print(answer.decode("utf-8", "replace"))
    return 0 if b"Mode: " in answer else 1


def _client_address(environment: Mapping[str, str], process: str, server: Sequence[str]) -> tuple[str, int]:
    """Where the server listens, as its own configuration says."""
    from zkbridge.config import ConfigError, load_config

    flags: dict[str, str | None] = {}
    for name in ("client-addr", "data-dir"):
        value = _flag(server, name) or environment.get(f"ZKBRIDGE_{name.upper().replace('-', '_')}")
        if value:
            flags[name.replace("-", "_")] = value
    # The server's own configuration file, which may lie in its memory alone.
    config = _flag(server, "config") or environment.get("ZKBRIDGE_CONFIG")
    if config:
        flags["config"] = config.replace("/proc/self/", f"/proc/{process}/")
    try:
        found = load_config(flags)
    except ConfigError:
        return "127.0.0.1", 2181
    return found.client_host if found.client_host not in ("", "0.0.0.0", "::") else "127.0.0.1", found.client_port


def _etcd_health(environment: Mapping[str, str], server: Sequence[str]) -> int:
    urls = _flag(server, "listen-client-urls") or environment.get("ETCD_LISTEN_CLIENT_URLS") or "http://localhost:2379"
    url = urls.split(",")[0]
    scheme, _, address = url.partition("://")
    host, _, port = address.rpartition(":")
    host = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host.strip("[]")
    try:
        if scheme == "https":
            # Whether our certificate suffices is the clients' matter; that the port is open must do.
            socket.create_connection((host, int(port)), timeout=HEALTH_TIMEOUT_S).close()
            return 0
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=HEALTH_TIMEOUT_S) as answer:
            print(answer.read(ANSWER_BYTES_MAX).decode("utf-8", "replace"))
            return 0 if answer.status == 200 else 1
    except (OSError, ValueError, urllib.error.URLError) as error:
        print(f"{url}: {error}")
        return 1


def _flag(words: Sequence[str], name: str) -> str:
    """The value of `--name value` or `--name=value`."""
    for place, word in enumerate(words):
        if word in (f"--{name}", f"-{name}") and place + 1 < len(words):
            return words[place + 1]
        for prefix in (f"--{name}=", f"-{name}="):
            if word.startswith(prefix):
                return word.removeprefix(prefix)
    return ""


if __name__ == "__main__":
    sys.exit(main())
