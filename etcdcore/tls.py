"""TLS for the ports and for calls to others: contexts from `TlsConfig`, certificates that may change while we run.

As in etcd, the certificate of a port is read again when its files change, so rotation needs no restart; a revocation
list likewise. A CA file alone already makes clients show a certificate. What OpenSSL does not check (revoked serial
numbers, allowed names) is checked by `ServerTls.check_client`, right after the handshake and before any byte is read.
"""

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Final, final
from weakref import WeakKeyDictionary

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from etcdcore.config import CIPHER_SUITES, ConfigError, TlsConfig

_log = structlog.get_logger()

ALPN_PROTOCOLS: Final = ("h2", "http/1.1")
_VERSIONS: Final = {"TLS1.2": ssl.TLSVersion.TLSv1_2, "TLS1.3": ssl.TLSVersion.TLSv1_3}
_NAMES_ASKED: Final[ContextVar[list[str] | None]] = ContextVar("names asked", default=None)
"""Of the handshake in whose context we are: when it fails, its SSLObject is gone before anybody could ask it."""
_DAYS_PER_YEAR: Final = 365
_KEY_MODE: Final = 0o600


class TlsRefused(Exception):
    """A client whose certificate is good, but revoked or of no allowed name. The text is for the log."""


@final
class ServerTls:
    """One port's TLS. `context` is for the listener as it is; it stays the same while certificates change."""

    def __init__(self, tls: TlsConfig) -> None:
        """Raises ConfigError: a file is missing or is not what it should be."""
        self._tls: Final = tls
        self._names: Final[WeakKeyDictionary[ssl.SSLObject | ssl.SSLSocket, str]] = WeakKeyDictionary()
        self._files: Final = (Path(tls.cert_file), Path(tls.key_file))
        self._stamp = _stamp(*self._files)
        self._current = self._make_context()
        self._crl: Final = None if not tls.crl_file else _RevokedSerials(Path(tls.crl_file))
        self.context: Final = self._make_context()
        self.context.sni_callback = self._choose_certificate

    @property
    def wants_client_certificate(self) -> bool:
        return self._tls.client_cert_auth or bool(self._tls.trusted_ca_file)

    def check_client(self, ssl_object: ssl.SSLObject | ssl.SSLSocket) -> str:
        """The common name of the client's certificate, empty without one. Raises TlsRefused."""
        encoded = ssl_object.getpeercert(binary_form=True)
        if encoded is None:
            return ""
        certificate = x509.load_der_x509_certificate(encoded)
        name = common_name(certificate)
        if self._crl is not None and certificate.serial_number in self._crl.serials():
            raise TlsRefused(f"the certificate with serial number {certificate.serial_number} of {name!r} is revoked")
        tls = self._tls
        if tls.allowed_cns and name not in tls.allowed_cns:
            raise TlsRefused(f"common name {name!r} is none of the allowed {', '.join(tls.allowed_cns)}")
        if tls.allowed_hostnames and not any(_has_name(certificate, allowed) for allowed in tls.allowed_hostnames):
            raise TlsRefused(f"the certificate of {name!r} is for none of {', '.join(tls.allowed_hostnames)}")
        return name

    def handshake_began(self) -> list[str]:
        """For the task that awaits one handshake: gets the name that the client asks for."""
        names: list[str] = []
        _NAMES_ASKED.set(names)
        return names

    def server_name(self, ssl_object: ssl.SSLObject | ssl.SSLSocket) -> str:
        """The name that the client asked for; empty if it named none."""
        return self._names.get(ssl_object, "")

    def _choose_certificate(self, ssl_object: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Called in each handshake: hands it the certificate that the files hold now."""
        if name:
            self._names[ssl_object] = name
            asked = _NAMES_ASKED.get()
            if asked is not None:
                asked.append(name)
        stamp = _stamp(*self._files)
        if stamp != self._stamp:
            try:
                self._current = self._make_context()
                self._stamp = stamp
                _log.info("certificate read again", cert_file=self._tls.cert_file)
            except ConfigError as error:
                # In the middle of a rotation, say: the last good one goes on, and the next handshake tries again.
                _log.warning("certificate not readable, the last one is used on", error=str(error))
        ssl_object.context = self._current

    def _make_context(self) -> ssl.SSLContext:
        tls = self._tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _set_versions(context, tls)
        context.set_alpn_protocols(list(ALPN_PROTOCOLS))
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"certificate {tls.cert_file} with key {tls.key_file} can't be used: {error}") from error
        if self.wants_client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            _load_authorities(context, tls.trusted_ca_file)
        return context


@final
class _RevokedSerials:
    """Serial numbers of a revocation list, PEM or DER; read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._stamp = _stamp(path)
        self._serials = self._read()

    def serials(self) -> frozenset[int]:
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            try:
                self._serials = self._read()
                self._stamp = stamp
            except ConfigError as error:
                _log.warning("revocation list not readable, the last one is used on", error=str(error))
        return self._serials

    def _read(self) -> frozenset[int]:
        try:
            data = self._path.read_bytes()
            is_pem = b"-----BEGIN" in data
            revoked = x509.load_pem_x509_crl(data) if is_pem else x509.load_der_x509_crl(data)
        except (OSError, ValueError) as error:
            raise ConfigError(f"revocation list {self._path} can't be read: {error}") from error
        return frozenset(entry.serial_number for entry in revoked)


def _stamp(*paths: Path) -> tuple[tuple[int, int, int], ...]:
    """Changes when a file does. Zeros for one that is missing."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)


def _set_versions(context: ssl.SSLContext, tls: TlsConfig) -> None:
    context.minimum_version = _VERSIONS[tls.min_version or "TLS1.2"]
    if tls.max_version:
        context.maximum_version = _VERSIONS[tls.max_version]
    if tls.cipher_suites:
        context.set_ciphers(":".join(CIPHER_SUITES[suite] for suite in tls.cipher_suites))


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    if not path:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"trusted CA file {path} can't be used: {error}") from error


def common_name(certificate: x509.Certificate) -> str:
    """Of the subject; empty without one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _has_name(certificate: x509.Certificate, hostname: str) -> bool:
    """Whether the certificate is for that host: a DNS name (with wildcards of one label) or an address."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(hostname) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return any(_matches(pattern, hostname) for pattern in names.get_values_for_type(x509.DNSName))


def _matches(pattern: str, hostname: str) -> bool:
    pattern, hostname = pattern.lower().rstrip("."), hostname.lower().rstrip(".")
    if pattern.startswith("*."):
        return "." in hostname and hostname.partition(".")[2] == pattern[2:]
    return pattern == hostname


def self_signed(directory: Path, hosts: Sequence[str], tls: TlsConfig) -> TlsConfig:
    """The same with a certificate for those hosts, made in the directory unless it is there. Raises ConfigError."""
    cert_path, key_path = directory / "cert.pem", directory / "key.pem"
    if not (cert_path.exists() and key_path.exists()):
        if tls.validity_years < 1:
            raise ConfigError(f"--self-signed-cert-validity must be at least 1 year, got {tls.validity_years}")
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_certificate(cert_path, key_path, hosts, tls.validity_years)
        except OSError as error:
            raise ConfigError(f"no certificate can be made in {directory}: {error.strerror}") from error
        _log.info("self-signed certificate made", cert_file=str(cert_path), hosts=list(hosts))
    return TlsConfig(
        cert_file=str(cert_path),
        key_file=str(key_path),
        cipher_suites=tls.cipher_suites,
        min_version=tls.min_version,
        max_version=tls.max_version,
        auto_tls=True,
    )


def _write_certificate(cert_path: Path, key_path: Path, hosts: Sequence[str], years: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "etcd")])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS_PER_YEAR * years))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    key_path.touch(mode=_KEY_MODE)
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
