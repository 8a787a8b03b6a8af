"""Register components and environments under versions that are made of their content."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import amlocal
from amlocal.content import FROM_CONTENT
from amlocal.errors import AmlocalError
from amlocal.files import write_whole

#: Where the files of each kind are; environments first, since components may name them.
PATTERNS = {
    "environments": "environments/*/environment.yml",
    "components": "components/*/component.yml",
}


def package(client: Any, project: Path) -> dict[str, dict[str, str]]:
    """Register all of a project's environments and components; returns versions by name and kind.

    Raises:
        AmlocalError: A file is wrong, or the target did not do its part.
    """
    versions: dict[str, dict[str, str]] = {}
    for noun, pattern in PATTERNS.items():
        versions[noun] = {}
        for file in sorted(project.glob(pattern)):
            added = getattr(client, noun).create_or_update(file, version=FROM_CONTENT)
            versions[noun][added.name] = added.version
            print(f"{noun} {added.name}:{added.version}", flush=True)
    return versions


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Register, and write a JSON file with the versions; returns an exit code as `aml` does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path(), help="its folder; here")
    parser.add_argument("--versions", type=Path, required=True, help="the file to write")
    parser.add_argument("--target", choices=("local", "azure"), default="local")
    parser.add_argument("--dry-run", action="store_true", help="send nothing to Azure")
    args = parser.parse_args(argv)
    settings = os.environ if environ is None else environ
    try:
        client = amlocal.connect(args.target, environ=settings, dry_run=args.dry_run)
        versions = package(client, args.project)
    except AmlocalError as error:
        print(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)
        return error.exit_code
    document = {"target": args.target, "sent": not args.dry_run, **versions}
    write_whole(args.versions, json.dumps(document, indent=2).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
