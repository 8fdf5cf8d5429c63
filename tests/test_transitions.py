"""Transitions: what is accepted, what is refused and how, and what comes back from a file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from seem_lab import Transitions

FIELDS = ("state", "action", "reward", "next_state", "terminal")


def good(n: int = 6, **changes: object) -> dict[str, object]:
    """Fields of valid transitions, some of them replaced."""
    generator = torch.Generator().manual_seed(1)
    fields = {
        "state": torch.randn(n, 3, generator=generator, dtype=torch.float64),
        "action": torch.randn(n, 2, generator=generator, dtype=torch.float64),
        "reward": torch.randn(n, generator=generator, dtype=torch.float64),
        "next_state": torch.randn(n, 3, generator=generator, dtype=torch.float64),
        "terminal": torch.arange(n) % 2,
    }
    return fields | changes


def same(a: Transitions, b: Transitions) -> bool:
    """Equal in every bit."""
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in FIELDS)


def test_lists_arrays_and_tensors_give_the_same() -> None:
    tensors = Transitions(**good())
    arrays = Transitions(**{name: np.asarray(value) for name, value in good().items()})
    lists = Transitions(**{name: value.tolist() for name, value in good().items()})
    assert same(tensors, arrays)
    assert same(tensors, lists)
    assert len(tensors) == 6
    assert {getattr(tensors, name).dtype for name in FIELDS} == {torch.float64}


def test_every_field_takes_the_dtype_of_the_state() -> None:
    t = Transitions(**good(state=torch.ones(6, 3, dtype=torch.float32)))
    assert {getattr(t, name).dtype for name in FIELDS} == {torch.float32}


def test_fields_are_copies() -> None:
    fields = good()
    array = np.ones(6)
    t = Transitions(**(fields | {"reward": array}))
    fields["state"].zero_()
    array[:] = 7
    assert t.state.abs().sum() > 0
    assert t.reward.tolist() == [1.0] * 6


def test_no_action_at_all_is_fine() -> None:
    assert Transitions(**good(action=torch.zeros(6, 0))).action.shape == (6, 0)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"state": torch.zeros(0, 3), "action": torch.zeros(0, 2)}, ValueError, "reward has 6 rows but state has 0"),
        ({"reward": torch.zeros(5)}, ValueError, "reward has 5 rows but state has 6; give one row a transition"),
        ({"action": torch.zeros(7, 2)}, ValueError, "action has 7 rows but state has 6"),
        ({"terminal": torch.zeros(6, 1)}, ValueError, r"terminal must have shape \(N,\), got \(6, 1\)"),
        ({"action": torch.zeros(6)}, ValueError, r"action must have shape \(N, dim\), got \(6,\)"),
        ({"state": torch.tensor(1.0)}, ValueError, r"state must have shape \(N, dim\), got \(\)"),
        ({"next_state": torch.zeros(6, 4)}, ValueError, r"next_state has shape \(6, 4\), state \(6, 3\)"),
        ({"reward": [0, 0, float("nan"), 0, 0, 0]}, ValueError, "reward is nan or infinite, first in row 2; drop such"),
        ({"next_state": torch.full((6, 3), torch.inf)}, ValueError, "next_state is nan or infinite, first in row 0"),
        ({"terminal": torch.full((6,), 0.5)}, ValueError, r"terminal must be 0 or 1"),
        ({"state": torch.zeros(6, 3, dtype=torch.int64)}, TypeError, "state has dtype torch.int64; give float64"),
        ({"state": torch.zeros(6, 3).half()}, TypeError, r"state has dtype torch.float16.*\.to\(torch.float32\)"),
        ({"reward": torch.zeros(6).bfloat16()}, TypeError, r"reward has dtype torch.bfloat16.*\.to\(torch.float32\)"),
        ({"reward": np.zeros(6, np.float16)}, TypeError, r"reward has dtype torch.float16"),
        ({"reward": torch.zeros(6, device="meta")}, ValueError, r"reward is on meta but state on cpu.*\.to\(device\)"),
    ],
)
def test_bad_input_is_refused_with_the_fix(changes: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Transitions(**good(**changes))


def test_empty_transitions_are_refused() -> None:
    with pytest.raises(ValueError, match="transitions are empty; give at least one row"):
        Transitions(**good(n=0))
    with pytest.raises(ValueError, match="transitions are empty"):
        Transitions(**good())[6:]


def test_too_large_for_the_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="reward is nan or infinite"):
        Transitions(**good(state=torch.zeros(6, 3), reward=torch.full((6,), 1e300, dtype=torch.float64)))


@pytest.mark.parametrize("rows", [slice(1, 4), torch.tensor([1, 2, 3]), torch.tensor([0, 1, 1, 1, 0, 0]).bool()])
def test_getitem_selects_rows_of_every_field(rows: object) -> None:
    t = Transitions(**good())
    part = t[rows]
    assert all(torch.equal(getattr(part, name), getattr(t, name)[1:4]) for name in FIELDS)


@pytest.mark.parametrize(("fraction", "kept"), [(1.0, 50), (0.5, 25), (0.1, 5), (1e-6, 1)])
def test_subset_keeps_its_share_in_the_old_order(fraction: float, kept: int) -> None:
    t = Transitions(**good(50, reward=torch.arange(50.0)))
    part = t.subset(fraction, seed=3)
    assert len(part) == kept
    rows = part.reward.long()
    assert (rows.diff() > 0).all()  # no row twice, old order
    assert torch.equal(part.state, t.state[rows])


def test_subset_is_the_same_for_the_same_seed_only_and_leaves_the_global_generator_alone() -> None:
    t = Transitions(**good(50))
    before = torch.get_rng_state()
    assert same(t.subset(0.5, seed=3), t.subset(0.5, seed=3))
    assert not same(t.subset(0.5, seed=3), t.subset(0.5, seed=4))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan")])
def test_subset_refuses_a_share_outside_0_to_1(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\]"):
        Transitions(**good()).subset(fraction)


def test_normalise_states_gives_mean_0_and_deviation_1_and_moves_next_states_along() -> None:
    t = Transitions(**good(50, state=5 + 3 * good(50)["state"]))
    scaled, mean, std = t.normalise_states()
    assert torch.allclose(scaled.state.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(scaled.state.square().mean(0), torch.ones(3, dtype=torch.float64))
    assert torch.allclose(scaled.next_state * std + mean, t.next_state)
    assert torch.equal(scaled.action, t.action)
    again, mean_again, std_again = t[:5].normalise_states(mean, std)
    assert torch.equal(again.state, scaled.state[:5])
    assert mean_again is mean
    assert std_again is std


def test_normalise_states_leaves_a_constant_column_unscaled() -> None:
    state = torch.cat([torch.full((50, 1), 0.1, dtype=torch.float64), good(50)["state"][:, :2]], dim=1)
    scaled, mean, std = Transitions(**good(50, state=state)).normalise_states()
    assert std[0] == 1
    assert scaled.state[:, 0].abs().max() < 1e-12
    assert mean[0] == pytest.approx(0.1)


def test_to_changes_the_dtype_of_every_field() -> None:
    t = Transitions(**good()).to(dtype=torch.float32)
    assert {getattr(t, name).dtype for name in FIELDS} == {torch.float32}
    assert {getattr(t.to("cpu"), name).device.type for name in FIELDS} == {"cpu"}


def test_to_refuses_half_precision() -> None:
    with pytest.raises(TypeError, match=r"float16.*\.to\(torch.float32\)"):
        Transitions(**good()).to(dtype=torch.float16)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_save_and_load_give_every_bit_back(dtype: torch.dtype, tmp_path: Path) -> None:
    t = Transitions(**good()).to(dtype=dtype)
    path = t.save(tmp_path / "six.npz")
    assert path == tmp_path / "six.npz"
    back = Transitions.load(path)
    assert same(t, back)
    assert back.state.dtype == dtype
    assert [file.name for file in tmp_path.iterdir()] == ["six.npz"]


def test_save_asks_for_the_ending(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"six\.csv: transitions are saved as \.npz; name it six\.npz"):
        Transitions(**good()).save(tmp_path / "six.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Transitions(**good())
    path = old.save(tmp_path / "six.npz")

    def half_way(file: Path, **arrays: np.ndarray) -> None:
        Path(file).write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", half_way)
    with pytest.raises(KeyboardInterrupt):
        Transitions(**good(9)).save(path)
    assert same(Transitions.load(path), old)
    assert [file.name for file in tmp_path.iterdir()] == ["six.npz"]


def test_load_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz: no such file"):
        Transitions.load(tmp_path / "nothing.npz")


def arrays() -> dict[str, np.ndarray]:
    """What `save` writes."""
    return {name: np.asarray(value, dtype=float) for name, value in good().items()}


def test_load_names_what_a_foreign_file_lacks(tmp_path: Path) -> None:
    fields = arrays()
    del fields["reward"], fields["terminal"]
    np.savez(tmp_path / "foreign.npz", **fields)
    with pytest.raises(ValueError, match=r"foreign\.npz: .*it lacks reward, terminal"):
        Transitions.load(tmp_path / "foreign.npz")


def test_load_refuses_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "sheet.npz", "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    with pytest.raises(ValueError, match=r"sheet\.npz: .*it lacks state, action"):
        Transitions.load(tmp_path / "sheet.npz")


@pytest.mark.parametrize("content", [b"", b"state,action\n1,2\n", b"PK\x03\x04 but no more", b"\x80\x04K\x01."])
def test_load_refuses_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"odd\.npz: .*it is not an \.npz archive, or cut short"):
        Transitions.load(tmp_path / "odd.npz")


def test_load_refuses_a_single_array_and_a_folder(tmp_path: Path) -> None:
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"one\.npz: .*it is not an \.npz archive"):
        Transitions.load(tmp_path / "one.npz")
    with pytest.raises(ValueError, match=str(tmp_path)):
        Transitions.load(tmp_path)


def test_load_never_unpickles(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)

    fields = arrays() | {"reward": np.array([Bomb()] * 6, dtype=object)}
    np.savez(tmp_path / "pickled.npz", **fields)
    with pytest.raises(ValueError, match=r"pickled\.npz: .*allow_pickle=False"):
        Transitions.load(tmp_path / "pickled.npz")
    assert not (tmp_path / "exploded").exists()


def test_load_passes_on_what_is_wrong_with_the_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", **(arrays() | {"reward": np.full(6, np.nan)}))
    with pytest.raises(ValueError, match=r"bad\.npz: .*reward is nan"):
        Transitions.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", **(arrays() | {"state": np.zeros((6, 3), np.float16)}))
    with pytest.raises(ValueError, match=r"bad\.npz: .*float16"):
        Transitions.load(tmp_path / "bad.npz")


def test_a_file_cut_anywhere_is_refused_by_name(tmp_path: Path) -> None:
    whole = Transitions(**good()).save(tmp_path / "six.npz").read_bytes()
    cut = tmp_path / "cut.npz"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.npz: "):
            Transitions.load(cut)


def test_a_damaged_byte_gives_the_same_numbers_or_a_named_error(tmp_path: Path) -> None:
    t = Transitions(**good())
    whole = t.save(tmp_path / "six.npz").read_bytes()
    damaged, draw, refused = tmp_path / "damaged.npz", np.random.default_rng(0), 0
    for position in range(0, len(whole), 2):
        content = bytearray(whole)
        content[position] ^= int(draw.integers(1, 256))
        damaged.write_bytes(content)
        try:
            assert same(Transitions.load(damaged), t)
        except ValueError as error:
            assert "damaged.npz: " in str(error)  # noqa: PT017
            refused += 1
    assert refused > 100
