from __future__ import annotations

from pathlib import Path

from amlocal.local.automl.folder import opened


def test_a_search_finds_what_an_interrupted_one_left(tmp_path: Path) -> None:
    place, other = tmp_path / "search", tmp_path / "other"
    with opened(place, job="first", other=other, goes_on=True) as folder:
        assert (folder.path, folder.earlier) == (place, "")
        (place / "state").mkdir()
        folder.events.write_text("{}\n")
        folder.model.mkdir()
    with opened(place, job="second", other=other, goes_on=True) as folder:
        assert folder.earlier == "first"
        assert (place / "state").is_dir()
        assert not folder.events.exists()
        assert not folder.model.exists()
    with opened(place, job="third", other=other, goes_on=False) as folder:
        assert folder.earlier == ""
        assert not (place / "state").exists()


def test_two_searches_never_share_a_folder(tmp_path: Path) -> None:
    place, other = tmp_path / "search", tmp_path / "other"
    with opened(place, job="first", other=other, goes_on=True) as first:
        with opened(place, job="second", other=other, goes_on=True) as second:
            assert (first.path, second.path, second.earlier) == (place, other, "")
            second.remove()
            second.remove()  # it may have gone with its job's folder
        assert first.path.exists()
