from __future__ import annotations

import pytest
from tests.lab import Lab

from amlocal.errors import NotFoundError
from amlocal.plan import DataAsset


def test_a_registered_name_is_a_place(lab: Lab) -> None:
    table = lab.write("iris.csv", "a,b\n")
    lab.client.data.create_or_update(DataAsset(name="irises", path=str(table), type="uri_file"))
    place = lab.services.locations.place("azureml:irises@latest")
    assert place.read_text() == "a,b\n"
    with pytest.raises(NotFoundError, match="no version of data irises named '7'"):
        lab.services.locations.place("azureml:irises:7")


def test_an_unknown_name_may_be_that_of_data_or_of_a_model(lab: Lab) -> None:
    table = lab.write("iris.csv", "a,b\n")
    lab.client.data.create_or_update(DataAsset(name="irises", path=str(table), type="uri_file"))
    with pytest.raises(NotFoundError, match="no data asset or model named 'iriss'") as caught:
        lab.services.locations.place("azureml:iriss@latest")
    assert caught.value.hint == (
        "did you mean 'irises'?; or register it: aml data create -n iriss --path PATH"
    )
