from __future__ import annotations

import numpy as np

from analysis.pdf.artefacts import Faults, draw_faults, measured_f_q

Q = np.linspace(0.5, 25.0, 4000)
F_Q = np.sin(3.0 * Q)


def test_without_faults_nothing_changes() -> None:
    found = measured_f_q(F_Q, Q, Faults(0.0, 0.0, 0.0), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found, F_Q)


def test_noise_of_s_is_even_so_that_of_f_grows_with_q() -> None:
    noise = measured_f_q(F_Q, Q, Faults(0.01, 0.0, 0.0), rng=np.random.default_rng(1)) - F_Q
    low, high = Q < 5.0, Q > 20.0
    # a thousand points each tell a standard deviation to 2 %
    for part in (low, high):
        np.testing.assert_allclose(np.std(noise[part] / Q[part]), 0.01, rtol=0.1)


def test_slow_errors_are_slow() -> None:
    error = measured_f_q(F_Q, Q, Faults(0.0, 0.0, 0.05), rng=np.random.default_rng(2)) - F_Q
    spectrum = np.abs(np.fft.rfft((error / Q) * np.hanning(Q.size)))
    # six knots over the range: nothing beyond a few waves
    assert spectrum[20:].max() < 0.01 * spectrum.max()


def test_a_seed_repeats_its_faults() -> None:
    assert draw_faults(np.random.default_rng(5)) == draw_faults(np.random.default_rng(5))
