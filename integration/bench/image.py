"""The container image's size, and the time from `docker run` to kazoo's first answer.

python -m integration.bench.image [--image zkbridge:dev] [--rounds 5]     DOCKER_HOST says which engine has the image

With ZooKeeper's own image beside it: --image zookeeper:3.9.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import time

from kazoo.client import KazooClient
from kazoo.handlers.threading import KazooTimeoutError

ANSWER_LIMIT_S = 120.0
POLL_S = 0.005
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def docker(*arguments: str) -> str:
    """What the command printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def time_to_answer(image: str) -> float:
    """Seconds from the command to the first answer of a new session, on a fresh volume."""
    began_s = time.monotonic()
    container = docker("run", "--detach", "--rm", image)
    try:
        host = docker("inspect", "--format", ADDRESS, container)
        while time.monotonic() - began_s < ANSWER_LIMIT_S:
            try:
                # The port first: kazoo's own retries would be measured otherwise.
                socket.create_connection((host, 2181), timeout=1).close()
            except OSError:
                time.sleep(POLL_S)
                continue
            client = KazooClient(f"{host}:2181", connection_retry={"delay": POLL_S, "backoff": 1})
            try:
                client.start(timeout=10)
                client.get_children("/")
                return time.monotonic() - began_s
            except KazooTimeoutError:
                continue
            finally:
                client.stop()
                client.close()
        raise SystemExit(f"{image} did not answer within {ANSWER_LIMIT_S:.0f} s")
    finally:
        docker("rm", "--force", "--volumes", container)


def main() -> int:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(prog="python -m integration.bench.image")
    parser.add_argument("--image", default="zkbridge:dev")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    size = int(docker("image", "inspect", "--format", "{{.Size}}", options.image))
    print(f"{options.image}: {size / 1e6:.0f} MB")
    times = [time_to_answer(options.image) for _ in range(options.rounds)]
    shown = ", ".join(f"{seconds:.2f}" for seconds in times)
    print(f"from docker run to kazoo's first answer: {statistics.median(times):.2f} s in the median of {shown}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
