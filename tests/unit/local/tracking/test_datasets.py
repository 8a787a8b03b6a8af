from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from amlocal.local.tracking.datasets import describe
from amlocal.local.tracking.values import Dataset

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def table(tmp_path: Path) -> Path:
    place = tmp_path / "data ä.csv"
    place.write_text("a,b\n1,x\n2,y\n")
    return place


def described(path: Path, cache: Path, *, digest: str = DIGEST, kind: str = "uri_file") -> Dataset:
    return describe(path, name="train", digest=digest, kind=kind, cache=cache)


def test_a_table_is_a_data_set_with_schema_and_counts(table: Path, tmp_path: Path) -> None:
    found = described(table, tmp_path / "cache")
    assert (found.name, found.digest, found.source_type) == ("train", DIGEST[:36], "local")
    assert json.loads(found.source) == {"uri": str(table)}
    assert json.loads(found.schema or "") == {
        "mlflow_colspec": [
            {"name": "a", "type": "long", "required": True},
            {"name": "b", "type": "string", "required": True},
        ]
    }
    assert json.loads(found.profile or "") == {
        "sha256": DIGEST,
        "type": "uri_file",
        "num_rows": 2,
        "num_columns": 2,
        "num_elements": 4,
    }


def test_known_content_is_not_read_again(table: Path, tmp_path: Path) -> None:
    first = described(table, tmp_path / "cache")
    table.write_text("other\n1\n")
    assert described(table, tmp_path / "cache") == first
    other = described(table, tmp_path / "cache", digest="f" * 64)
    assert json.loads(other.profile or "")["num_columns"] == 1


def test_known_content_needs_no_pyarrow(table: Path, tmp_path: Path) -> None:
    described(table, tmp_path / "cache")
    script = (
        "import sys; from pathlib import Path\n"
        "from amlocal.local.tracking.datasets import describe\n"
        "table, cache, digest = sys.argv[1:]\n"
        "facts = {'name': 'n', 'digest': digest, 'kind': 'uri_file', 'cache': Path(cache)}\n"
        "assert describe(Path(table), **facts).schema\n"
        "print([name for name in ('pyarrow', 'yaml', 'mlflow') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, str(table), str(tmp_path / "cache"), DIGEST]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"[]\n"


def test_a_broken_memory_is_written_anew(table: Path, tmp_path: Path) -> None:
    first = described(table, tmp_path / "cache")
    (memory,) = (tmp_path / "cache").iterdir()
    memory.write_text('{"columns": 3')
    assert described(table, tmp_path / "cache") == first
    assert json.loads(memory.read_text())["rows"] == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.parquet", b"no parquet", "magic bytes"),
        ("t.csv", b"", "Empty CSV"),
        ("t.csv", b"a,b\n1\n2,3,4\n", "Expected 2 columns"),
        ("t.jsonl", b"{", "JSON"),
        ("t.txt", b"text", "no Parquet, CSV"),
    ],
)
def test_what_cannot_be_read_has_no_schema_and_says_why(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    found = described(tmp_path / name, tmp_path / "cache")
    assert found.schema is None
    assert reason in json.loads(found.profile or "")["schema"]
    assert not (tmp_path / "cache").exists()


def test_a_missing_file_does_not_fail(tmp_path: Path) -> None:
    assert described(tmp_path / "gone.csv", tmp_path / "cache").schema is None


def test_a_model_is_no_table(table: Path, tmp_path: Path) -> None:
    found = described(table, tmp_path / "cache", kind="mlflow_model")
    assert found.schema is None
    assert json.loads(found.profile or "") == {"sha256": DIGEST, "type": "mlflow_model"}


def test_more_columns_than_mlflow_keeps_are_left_out(tmp_path: Path) -> None:
    names = [f"column-{number:020}" for number in range(20_000)]
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n" + ",".join("1" * len(names)) + "\n")
    found = described(tmp_path / "wide.csv", tmp_path / "cache")
    assert found.schema is None
    profile = json.loads(found.profile or "")
    assert (profile["num_columns"], profile["schema"]) == (
        20_000,
        "more columns than MLflow can keep",
    )
