"""Random choices: the same for good, independent by path, and uniform."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_trainables.data.draws import Draws


def test_the_stream_of_a_path_never_changes() -> None:
    draws = Draws(0, 1)
    assert [draws.below(100) for _ in range(8)] == [45, 98, 88, 89, 39, 39, 95, 80]
    assert draws.shuffled(range(6)) == [1, 0, 5, 4, 3, 2]
    assert draws.noise((4,), 10).tolist() == [10, 9, -8, -3]


def test_paths_have_streams_of_their_own() -> None:
    paths = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 1, 0), (0, 1, 0, 0, 0)]
    streams = set()
    for path in paths:
        draws = Draws(*path)
        streams.add(tuple(draws.below(10**6) for _ in range(3)))
    assert len(streams) == len(paths)


def test_choices_are_uniform() -> None:
    draws = Draws(3)
    counts = np.bincount([draws.below(5) for _ in range(5000)], minlength=5)
    # 1000 each, standard deviation 28.3.
    assert np.all(np.abs(counts - 1000) < 4 * 28.3)
    assert {draws.between(-1, 1) for _ in range(100)} == {-1, 0, 1}
    assert sum(draws.chance(0.3) for _ in range(1000)) == pytest.approx(300, abs=4 * 14.5)


def test_a_shuffle_has_every_choice_once_and_a_part_of_it_none_twice() -> None:
    draws = Draws(4)
    assert sorted(draws.shuffled(range(9))) == list(range(9))
    firsts = np.bincount([draws.shuffled(range(4), 2)[1] for _ in range(4000)], minlength=4)
    assert np.all(np.abs(firsts - 1000) < 4 * 27.4)
    assert all(len(set(draws.shuffled("abcd", 3))) == 3 for _ in range(20))


def test_noise_reaches_its_amplitude_on_both_sides() -> None:
    noise = Draws(5).noise((1000,), 3)
    assert set(noise.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    assert not Draws(5).noise((10,), 0).any()
