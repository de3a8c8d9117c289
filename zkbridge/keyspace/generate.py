"""Makes `pb/` from proto/zkbridge/keyspace.proto: `python -m zkbridge.keyspace.generate`, in a checkout.

Not used by the server, which reads and writes the records by hand (`records`): the generated classes are for tools, and
for the tests that hold both to the same bytes. They live in protobuf's default pool under a package and file name of
our own.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_PB: Final = "zkbridge/keyspace/pb"


def generate(output: Path) -> None:
    """Writes the generated modules below `output`, as they lie below the repository."""
    output.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{_PB}=proto/zkbridge",
            f"--python_out={output}",
            f"--pyi_out={output}",
            f"{_PB}/keyspace.proto",
        ],
        cwd=REPOSITORY,
        check=True,
    )


if __name__ == "__main__":
    generate(REPOSITORY)
