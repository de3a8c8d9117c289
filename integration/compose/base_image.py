"""The base image from Debian's packages, for where no registry is reached: debootstrap into `docker import`.

What this machine needs to reach its package indexes (a certificate authority of its own, an apt proxy, pip's settings)
is laid over the image, so that Dockerfiles stay as a user builds them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from integration.peers.requirements import cache_dir, refuse, require_program

DEBOOTSTRAP_TIMEOUT_S = 1200
COMMAND_TIMEOUT_S = 300
# Slim images come without.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")
# Read by pip and by apt in every image above this one.
AUTHORITIES = Path("etc/machine-authorities.crt")
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "timeout")


def base_tarball(codename: str) -> Path:
    """A tar file of a minimal Debian, made once: half a minute and 100 MB."""
    overlay = _overlay()
    digest = hashlib.sha256("".join(f"{path}\n{text}" for path, text in sorted(overlay.items())).encode())
    tarball = cache_dir() / "docker" / f"{codename}-{digest.hexdigest()[:12]}.tar"
    tarball.parent.mkdir(exist_ok=True)
    with open(tarball.with_name(f"{codename}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tarball.exists():
            _make(codename, overlay, tarball)
    return tarball


def _make(codename: str, overlay: dict[str, str], tarball: Path) -> None:
    program = require_program("debootstrap", "debootstrap")
    root = tarball.with_name(f"{codename}.root{os.getpid()}")
    command = [program, "--variant=minbase", codename, str(root)]
    if mirror := _mirror(codename):
        command.append(mirror)
    print(f"making a minimal Debian {codename} with debootstrap (half a minute and 100 MB, once)", flush=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEBOOTSTRAP_TIMEOUT_S, check=False)
        if done.returncode != 0:
            refuse(f"debootstrap could not make Debian {codename}: {(done.stdout + done.stderr)[-2000:]}")
        for path in LEFT_OUT:
            shutil.rmtree(root / path, ignore_errors=True)
        for path in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
            (root / path).mkdir(parents=True)
        for name, text in overlay.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        part = tarball.with_name(f"{tarball.name}.part{os.getpid()}")
        # Without the devices, which Docker makes by itself.
        pack = ["tar", "--numeric-owner", "--exclude=./dev/*", "-C", str(root), "-cf", str(part), "."]
        subprocess.run(pack, timeout=COMMAND_TIMEOUT_S, check=True)
        part.rename(tarball)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _mirror(codename: str) -> str | None:
    """Where this machine's apt takes that release from; none if it has another one."""
    if shutil.which("apt-get") is None:
        return None
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    found = [line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith(f"{codename} ")]
    return found[0] if found else None


def _overlay() -> dict[str, str]:
    """Files of the image, by path, that this machine's way to its package indexes asks for."""
    overlay: dict[str, str] = {}
    pip = {name: value for name in PIP_SETTINGS if (value := _pip_setting(name))}
    if authorities := _authorities():
        overlay[str(AUTHORITIES)] = authorities
        overlay["etc/apt/apt.conf.d/90authorities"] = f'Acquire::https::CaInfo "/{AUTHORITIES}";\n'
        pip["cert"] = f"/{AUTHORITIES}"
    if pip:
        overlay["etc/pip.conf"] = "[global]\n" + "".join(f"{name} = {value}\n" for name, value in pip.items())
    if proxies := _apt_proxies():
        overlay["etc/apt/apt.conf.d/91proxies"] = proxies
    return overlay


def _authorities() -> str | None:
    """The certificates that this machine's pip trusts, if they are not the ones that pip brings along."""
    path = _pip_setting("cert") or os.environ.get("SSL_CERT_FILE")
    return Path(path).read_text() if path and Path(path).is_file() else None


def _pip_setting(name: str) -> str | None:
    if value := os.environ.get(f"PIP_{name.replace('-', '_').upper()}"):
        return value
    for path in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"):
        if path.is_file() and (found := re.search(rf"^{name}\s*=\s*(.+)$", path.read_text(), re.MULTILINE)):
            return found[1].strip()
    return None


def _apt_proxies() -> str:
    if shutil.which("apt-config") is None:
        return ""
    command = ["apt-config", "dump"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    proxies = [line for line in done.stdout.splitlines() if re.match(r"Acquire::https?::Proxy[ :]", line)]
    return "".join(f"{line}\n" for line in proxies)
