"""One page, typed from top to bottom: a bash script of its blocks, in a network and process space of its own.

There the documents' ports (2181, 2379, 9092) are free whatever else runs, and nothing outlives the page. A reader sees
that a server is up before going on; the script waits for a new listening port after a block that starts one with `&`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from integration.docs.pages import Block, Page
from integration.docs.programs import environment
from integration.peers.requirements import refuse

TIMEOUT_S = 280
LISTEN_TRIES = 1200
# Sockets are told apart by their inodes: a block may stop one server and start the next on the same port.
PRELUDE = f"""
listening() {{ cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" {{ print $10 }}' | sort -u; }}
wait_listening() {{
    tries=0
    while [ -z "$(listening | grep -vxF "${{1:-none}}")" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt {LISTEN_TRIES} ]; then echo "no server began to listen" >&2; exit 1; fi
        sleep 0.1
    done
}}
"""
LOOPBACK_UP = (
    "import fcntl, socket, struct; s = socket.socket(); "
    "fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', 0x49))"  # SIOCSIFFLAGS: up, loopback, running
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`output` is both streams; the last line that begins with `:: ` names the block that was reached."""

    status: int
    output: str


def script_of(page: Page) -> str:
    """Bash; ends at the first command that fails."""
    parts = ["set -eu -o pipefail", PRELUDE]
    for block in page.blocks:
        if block.file_name:
            parts.append(_here_document(block.file_name, block.text))
        elif block.is_run:
            parts += [f"echo {shlex.quote(f':: {page.name}:{block.line}')}", *_commands(block)]
    parts.append("echo ':: end'")
    return "\n".join(parts) + "\n"


def _commands(block: Block) -> list[str]:
    if block.language == "python":
        name = f"block_{block.line}.py"
        return [_here_document(name, block.text), f"python {name}"]
    if block.language == "java":
        name = f"Block{block.line}.java"
        return [_here_document(name, block.text), f"java-with-curator {name}"]
    starts_server = any(line.rstrip().endswith("&") for line in block.text.splitlines())
    if not starts_server:
        return [block.text]
    return ["before=$(listening)", block.text, 'wait_listening "$before"']


def _here_document(name: str, text: str) -> str:
    assert "END_OF_BLOCK" not in text
    folder, file = shlex.quote(os.path.dirname(name) or "."), shlex.quote(name)
    return f"mkdir -p {folder}; cat > {file} <<'END_OF_BLOCK'\n{text}END_OF_BLOCK"


def namespace_command() -> list[str]:
    """The words in front of a command that give it a network and process space; skips or fails where that can't be."""
    unshare = shutil.which("unshare")
    if unshare is None:
        refuse("unshare is not installed (apt-get install util-linux)")
    command = [unshare, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        refuse("this machine gives no network namespace (user namespaces are off; root has them)")
    return command


def run_page(page: Page, folder: Path, programs: Path) -> Outcome:
    """Types the page in `folder`, which is also the reader's home."""
    script = folder.with_name("script.sh")
    script.write_text(script_of(page))
    up = shlex.join(["python", "-c", LOOPBACK_UP])
    command = [*namespace_command(), "bash", "-c", f"{up} && exec bash {shlex.quote(str(script))}"]
    with folder.with_name("output").open("w+b") as output:
        try:
            status = subprocess.run(
                command,
                cwd=folder,
                env=environment(programs, folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = -1
        output.seek(0)
        return Outcome(status, output.read().decode("utf-8", "replace"))
