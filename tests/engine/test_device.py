from dataclasses import replace

import pytest
import torch

from kinsynth.engine.device import cuda_bytes, has_cuda, mixed_precision, require_device, torch_settings
from kinsynth.engine.sizing import TablePlan
from kinsynth.errors import SettingsError


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(SettingsError, match="no usable GPU") as error:
        require_device("cuda")
    assert error.value.code == "settings.no_cuda"
    assert cuda_bytes() == 0


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_other_devices_are_always_there(wanted):
    require_device(wanted)


def test_a_gpu_that_is_there_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (7, 8))
    require_device("cuda")
    assert cuda_bytes() == 7


def test_settings_of_torch_are_put_back():
    def settings():
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            torch.get_float32_matmul_precision(),
        )

    before = settings()
    with torch_settings(TablePlan(threads=1)):
        assert settings() == (1, True, False, before[3])
    assert settings() == before
    with torch_settings(replace(TablePlan(), device="cuda")):
        assert settings()[3] == "high"
    assert settings() == before


def test_products_are_short_only_when_asked():
    left, right = torch.ones(4, 4), torch.ones(4, 4)
    for enabled, kind in ((True, torch.bfloat16), (False, torch.float32)):
        with mixed_precision("cpu", enabled=enabled):
            assert (left @ right).dtype is kind
