"""How far mean readings are from a straight line, and how results stand beside doing nothing."""

from __future__ import annotations

import pytest

from mien.metrics.bench import Measured


def measured(columns: dict[str, list[float]], names: list[str]) -> Measured:
    return Measured(["a"] * len(names), names, columns, {})


def test_mean_readings_are_those_of_both_judges_at_each_intensity() -> None:
    from mien.bench.edits.intensity import rising

    names = ["happy"] * 5 + ["sad"] * 4
    columns = {
        "asked": [0.25, 0.25, 0.5, 0.75, 1.0, 0.25, 0.5, 0.75, 1.0],
        "read_a": [0.1, 0.3, 0.4, 0.6, 0.8, 0.0, 0.0, 0.2, 0.4],
        "read_b": [0.3, 0.5, 0.4, 0.8, 1.0, 0.0, 0.2, 0.2, 0.4],
    }
    found = rising(measured(columns, names))
    assert found["happy"] == pytest.approx([0.0, 0.3, 0.4, 0.7, 0.9])
    assert found["sad"] == pytest.approx([0.0, 0.0, 0.1, 0.2, 0.4])


def test_a_straight_rise_has_no_bend_however_low_it_ends() -> None:
    from mien.bench.edits.intensity import bend

    assert bend([[0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.1, 0.2, 0.3, 0.4]]) == 0
    late = bend([[0.0, 0.0, 0.5, 0.75, 1.0]])
    assert late == pytest.approx((0.25**2 / 3) ** 0.5, abs=1e-4)
    assert bend([[0.0, 0.0, 0.25, 0.375, 0.5]]) == pytest.approx(late)


def test_results_beside_doing_nothing() -> None:
    from mien.bench.edits.smiles import beside

    def one(psnr: list[float], ms_ssim: list[float], happy: list[float]) -> Measured:
        columns = {
            "psnr": psnr, "ms_ssim": ms_ssim, "face_psnr": [p + 1 for p in psnr],
            "emotion_a": happy, "emotion_b": [1.0, 1.0], "units_a": [0.1, 0.3],
            "units_b": [0.2, 0.2], "identity": [0.2, 0.4],
        }  # fmt: skip
        return measured(columns, ["happy", "happy"])

    before = one([20.0, 20.0], [0.8, 0.8], [0.0, 0.0])
    found = beside(one([21.0, 22.0], [0.9, 0.7], [1.0, 0.0]), before)
    assert found == {
        "above_nothing": 0.5, "face_gain": 1.5, "unit_error": 0.2, "judged_happy": 0.75,
        "identity_median": 0.3,
    }  # fmt: skip
