import numpy as np
import pytest

from automlkit.kept import read_trial, write_trial


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "0.npz"


def test_what_is_written_is_read(file):
    facts = {"config": {"depth": 3}, "seconds": 0.25, "message": None}
    write_trial(file, facts, {"round_0": np.array([[0.5, 0.25]], np.float32)})
    found, arrays = read_trial(file)
    assert found == facts
    assert arrays["round_0"].dtype == np.float32
    assert arrays["round_0"].tolist() == [[0.5, 0.25]]
    assert list(arrays) == ["round_0"]


def test_a_trial_without_arrays_is_kept_too(file):
    write_trial(file, {"status": "Failed"}, {})
    assert read_trial(file) == ({"status": "Failed"}, {})


def test_what_is_not_there_is_none(file):
    assert read_trial(file) is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_torn_file_is_deleted(file, share):
    write_trial(file, {"seconds": 1.0}, {"predictions": np.arange(1000.0)})
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    assert read_trial(file) is None
    assert not file.exists()


def test_a_file_without_facts_is_deleted(file):
    file.parent.mkdir()
    np.savez(file, predictions=np.arange(3))
    assert read_trial(file) is None
    assert not file.exists()
