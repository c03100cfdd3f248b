"""Certificates for tests, made by the openssl command: an authority, and servers' certificates good and bad."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A server's certificate with its key. ``fingerprint``: SHA-256 of the DER form, as people compare it."""

    certificate: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        """A server's TLS context with it."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate, self.key)
        return made

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest().upper()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


class Authority:
    """A certificate authority of the test's own, in a folder."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "ca.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key",
                  "-out", "ca.pem", "-days", "30", "-subj", "/CN=Uji CA")
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("01\n")
        (folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\nserial=serial\ncertificate=ca.pem\nprivate_key=ca.key\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )

    def _run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(
        self, name: str, *, since: datetime | None = None, until: datetime | None = None, alternative: str = "IP:127.0.0.1,DNS:localhost"
    ) -> Issued:
        """A server's certificate of this authority, valid from ``since`` to ``until`` (default: a day around now)."""
        now = datetime.now(UTC)
        stamps = [f"{moment:%Y%m%d%H%M%SZ}" for moment in (since or now - DAY, until or now + DAY)]
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                  "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._run("ca", "-batch", "-config", "ca.conf", "-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", stamps[0],
                  "-enddate", stamps[1], "-extfile", f"{name}.ext", "-notext")
        return Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def self_signed(self, name: str) -> Issued:
        """A certificate that nobody vouches for."""
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                  "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
        return Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")
