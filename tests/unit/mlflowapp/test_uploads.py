from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlflowapp.uploads import PATHS, ModelUploads, artifacts_folder, local_folder

CREATE = PATHS[0]
Ends = tuple[tuple[str, int], tuple[str, int]]


@pytest.fixture
def connection() -> Iterator[Ends]:
    """The ends of a connection whose client is this process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as client, listening.accept()[0]:
            yield client.getsockname(), address


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    return folder


class Registry:
    """Answers in MLflow's place, and keeps what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[tuple[dict[str, Any], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append((scope, (await receive())["body"]))
        if self.status == 0:
            raise RuntimeError("it broke")
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    @property
    def source(self) -> str:
        return json.loads(self.asked[-1][1])["source"]


def ask(
    app: ModelUploads,
    body: bytes,
    ends: tuple[tuple[str, int] | None, tuple[str, int]],
    path: str = CREATE,
) -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "client": ends[0],
        "server": ends[1],
        "headers": [(b"content-length", str(len(body)).encode()), (b"x", b"y")],
    }
    # In two parts, as a server may give it.
    parts = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def asking(source: str, **more: Any) -> bytes:
    return json.dumps({"name": "m", "source": source, **more}).encode()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", ["{}", "file://{}", "file:{}", "file://localhost{}"])
def test_a_model_is_copied_and_the_copy_is_the_source(
    model: Path, tmp_path: Path, connection: Ends, form: str, path: str
) -> None:
    registry = Registry()
    app = ModelUploads(registry, tmp_path / "artifacts")
    source = form.format(model if form == "{}" else str(model).replace(" ", "%20"))
    status, _ = ask(app, asking(source, run_id="r"), connection, path)
    assert status == 200
    address, _, name = registry.source.rpartition("/")
    assert address == "mlflow-artifacts:/uploaded-models"
    assert (tmp_path / "artifacts" / "uploaded-models" / name / "MLmodel").exists()
    scope, body = registry.asked[0]
    assert json.loads(body)["run_id"] == "r"
    assert dict(scope["headers"]) == {b"content-length": str(len(body)).encode(), b"x": b"y"}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"no json", b"[1]", b"{}"),
        *(asking("runs:/1/model"), asking("mlflow-artifacts:/1/2"), asking("a folder")),
        *(asking("file://elsewhere/model"), asking("s3://bucket/model")),
    ],
)
def test_all_else_passes_as_it_is(tmp_path: Path, connection: Ends, body: bytes) -> None:
    registry = Registry()
    app = ModelUploads(registry, tmp_path)
    ask(app, body, connection)
    assert registry.asked[0][1] == body
    assert list(tmp_path.iterdir()) == []


def test_other_calls_are_not_read(model: Path, tmp_path: Path, connection: Ends) -> None:
    registry = Registry()
    app = ModelUploads(registry, tmp_path / "artifacts")
    ask(app, asking(str(model)), connection, "/api/2.0/mlflow/model-versions/update")
    assert registry.asked[0][1] == asking(str(model))[:5]
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("status", [404, 0])
def test_a_version_that_is_refused_leaves_no_copy(
    model: Path, tmp_path: Path, connection: Ends, status: int
) -> None:
    app = ModelUploads(Registry(status), tmp_path / "artifacts")
    if status:
        assert ask(app, asking(str(model)), connection)[0] == status
    else:
        with pytest.raises(RuntimeError, match="it broke"):
            ask(app, asking(str(model)), connection)
    assert list((tmp_path / "artifacts" / "uploaded-models").iterdir()) == []


def test_a_folder_that_is_no_model_is_refused_as_mlflow_does(
    tmp_path: Path, connection: Ends
) -> None:
    registry = Registry()
    status, body = ask(ModelUploads(registry, tmp_path), asking("file:///etc"), connection)
    assert status == 400
    assert json.loads(body)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "'file:///etc': /etc is no folder of an MLflow model" in json.loads(body)["message"]
    assert registry.asked == []


def test_only_processes_of_the_same_user_have_folders_copied(
    model: Path, tmp_path: Path, connection: Ends
) -> None:
    registry = Registry()
    app = ModelUploads(registry, tmp_path / "artifacts")
    # Ports that no process of this user has connected: what another user's would look like.
    for client in (None, ("127.0.0.1", 1)):
        answers = [
            ask(app, asking(source), (client, connection[1])) for source in (str(model), "/none")
        ]
        assert [status for status, _ in answers] == [400, 400]
        told = [json.loads(body)["message"].partition(": ")[2] for _, body in answers]
        assert all("for processes of the user alone" in each for each in told)
    assert registry.asked == []
    assert not (tmp_path / "artifacts").exists()


def test_a_source_that_is_no_path_of_this_machine() -> None:
    assert local_folder("file:///a%20b#c") == Path("/a b#c")
    assert local_folder("/a%20b") == Path("/a%20b")
    for source in ("file:////a", "file:a", "file://", "models:/m/1", "/a\0b", "file:///a\0"):
        assert local_folder(source) is None


def test_artifacts_must_be_in_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION", "/some/folder")
    assert artifacts_folder("DESTINATION") == Path("/some/folder")
    for elsewhere in ("", "s3://bucket"):
        monkeypatch.setenv("DESTINATION", elsewhere)
        with pytest.raises(ValueError, match="must be a folder"):
            artifacts_folder("DESTINATION")
