"""The adapter that answers instead of sending, asked directly."""

from __future__ import annotations

import io

import pytest
import requests

from amlocal.azure.recorder import Recorder
from amlocal.azure.workspace import WorkspaceId
from amlocal.errors import TargetError

WORKSPACE = WorkspaceId("s", "g", "w")
ARM = f"https://management.azure.com{WORKSPACE.arm_id}"
BLOB = "https://dryrun.blob.core.windows.net/c"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(WORKSPACE)


@pytest.fixture
def session(recorder: Recorder) -> requests.Session:
    session = requests.Session()
    session.mount("https://", recorder)
    return session


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://example.com/"),
        ("GET", "https://other.blob.core.windows.net/c/file"),
        ("GET", f"{BLOB}/file"),
        ("DELETE", f"{ARM}/jobs/j"),
        ("PATCH", f"{ARM}/jobs/j"),
        ("GET", f"{ARM}/jobs"),
        ("GET", f"{ARM.replace('/workspaces/w', '/workspaces/another')}/computes/c"),
        ("POST", "https://login.microsoftonline.com/common/oauth2/token"),
    ],
)
def test_what_is_not_known_is_refused(
    session: requests.Session, recorder: Recorder, method: str, url: str
) -> None:
    with pytest.raises(TargetError, match=f"no workspace to ask: {method} ") as caught:
        session.request(method, f"{url}?sig=secret")
    assert "secret" not in str(caught.value)
    assert recorder.requests == ()


def test_only_changes_are_kept(session: requests.Session, recorder: Recorder) -> None:
    assert session.get(f"{ARM}/computes/c").json()["name"] == "c"
    assert session.head(f"{BLOB}/f").status_code == 404
    assert session.post(f"{ARM}/datastores/d/listSecrets").json()["sasToken"] == "sig=none"
    answer = session.put(f"{ARM}/jobs/j?api-version=1", json={"properties": {"jobType": "Command"}})
    assert answer.json()["properties"] == {"jobType": "Command", "status": "NotStarted"}
    (kept,) = recorder.requests
    assert (kept.method, kept.path) == ("PUT", f"{WORKSPACE.arm_id}/jobs/j?api-version=1")
    assert kept.body == {"properties": {"jobType": "Command"}}


def test_uploads_come_in_order_of_name_between_other_requests(
    session: requests.Session, recorder: Recorder
) -> None:
    body = {"properties": {}}
    session.put(f"{BLOB}/z", data=b"z")
    session.put(f"{BLOB}/a", data=io.BytesIO(b"a"))
    session.put(f"{ARM}/codes/c/versions/1", json=body)
    session.put(f"{BLOB}/b", data=b"")
    names = [request.path.rsplit("/", 1)[-1] for request in recorder.requests]
    assert names == ["a", "z", "1", "b"]
    assert [request.body.get("bytes") for request in recorder.requests] == [1, 1, None, 0]
