"""A small certificate authority, made at the start of a lab and gone with it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


class Flavor(StrEnum):
    """What is right or wrong with a server's TLS."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"


@dataclass(frozen=True, slots=True)
class Identity:
    """A server's side of TLS, and the hash of its certificate for channel binding (RFC 5929)."""

    context: ssl.SSLContext
    certificate_hash: bytes


class Authority:
    """Issues certificates. All servers share one key: making keys is what would take time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._server_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("fleetscan lab authority")
        self.ca_file = folder / "lab-ca.pem"
        """PEM file that clients must trust."""
        certificate = (
            self._builder(self._name, self._key, datetime.now(UTC) - _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def identity(
        self, host: str, address: str, flavor: Flavor = Flavor.GOOD, *, client_certificates: bool = False
    ) -> Identity:
        """Make what a server needs to be `host` at `address`, or to fail in the way of the flavor."""
        names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address(address))]
        if flavor is Flavor.WRONG_NAME:
            host, names = "elsewhere.example", [x509.DNSName("elsewhere.example")]
        certificate = self._issue(host, names, ExtendedKeyUsageOID.SERVER_AUTH, self._server_key, flavor)
        private = self._server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self._folder / f"server-{certificate.serial_number:x}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(path)
        path.unlink()
        if client_certificates:
            context.load_verify_locations(self.ca_file)
            context.verify_mode = ssl.CERT_OPTIONAL
        return Identity(context, certificate.fingerprint(hashes.SHA256()))

    def client_files(self, username: str, path: Path) -> None:
        """Write a certificate with which a user logs on, and its key, to one PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.RFC822Name("user@lab.example")]
        certificate = self._issue(username, names, ExtendedKeyUsageOID.CLIENT_AUTH, key, Flavor.GOOD)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.touch(mode=0o600)
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)

    def _issue(
        self,
        subject: str,
        names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        key: ec.EllipticCurvePrivateKey,
        flavor: Flavor,
    ) -> x509.Certificate:
        self_signed = flavor is Flavor.SELF_SIGNED
        issuer = _name(subject) if self_signed else self._name
        born = datetime.now(UTC) - (400 * _DAY if flavor is Flavor.EXPIRED else _DAY)
        builder = (
            self._builder(_name(subject), key, born, issuer)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if not self_signed:
            authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
            builder = builder.add_extension(authority, critical=False)
        return builder.sign(key if self_signed else self._key, hashes.SHA256())

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        born: datetime,
        issuer: x509.Name | None = None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(born)
            .not_valid_after(born + 365 * _DAY)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
