"""A No-U-Turn sampler for smooth densities of some tens of variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planners.columns import Array

Density = Callable[[Array], tuple[float, Array]]
"""Takes a state, shape (n_variables,); gives minus the log density and its gradient."""

TARGET_ACCEPTANCE = 0.8
MAX_DEPTH = 5
"""Doublings of a trajectory: 31 steps at most."""

DIVERGED = 1000.0
"""Growth of the energy on a trajectory, in nats, at which it is given up."""


@dataclass(frozen=True, slots=True)
class _State:
    """Position, momentum, and minus the log density with its gradient at the position."""

    q: Array
    p: Array
    loss: float
    slope: Array


@dataclass(frozen=True, slots=True)
class _Tree:
    """A stretch of trajectory: its ends, a draw from it, and the logarithm of its weight."""

    left: _State
    right: _State
    draw: _State
    log_weight: float
    turned: bool
    acceptance: float
    n_steps: int


def sample(
    density: Density, start: Array, *, n_warmup: int, n_samples: int, rng: np.random.Generator
) -> Array:
    """Return draws from a density, one after another along the chain, shape (n_samples, n).

    Trajectories double until they turn back, with multinomial draws along them (Hoffman & Gelman
    2014, JMLR 15:1593; Betancourt 2017, arXiv:1701.02434). During the warm-up, which is thrown
    away, dual averaging finds the step, and the variances of its middle part scale the variables.

    Parameters
    ----------
    start : where the chain begins, best a mode, shape (n,).

    Raises
    ------
    ValueError
        The density is not finite at the start.
    """
    loss, slope = density(start)
    if not np.isfinite(loss):
        raise ValueError(
            f"minus the log density is {loss} where the chain starts; start at a point of finite "
            "density, such as its mode"
        )
    walker = _Walker(density, np.ones(len(start)), rng)
    state = _State(start, np.zeros(len(start)), loss, slope)
    step = _Step(walker.first_step(state))
    seen: list[Array] = []
    for i in range(n_warmup):
        state, acceptance = walker.move(state, step.trial)
        step.learn(acceptance)
        if i >= n_warmup // 4:
            seen.append(state.q)
        if i in (n_warmup // 2, (3 * n_warmup) // 4):
            walker.scale = _scales(np.array(seen))
            step = _Step(walker.first_step(state))
            seen = seen[len(seen) // 2 :]
    draws = np.empty((n_samples, len(start)))
    for i in range(n_samples):
        state, _ = walker.move(state, step.settled)
        draws[i] = state.q
    return draws


def _scales(seen: Array) -> Array:
    """Return variances shrunk towards 1, as few draws tell them badly."""
    n = len(seen)
    variance = (n * seen.var(axis=0) + 5.0) / (n + 5.0)
    return np.asarray(np.clip(variance, 1e-6, 1e6))


class _Step:
    """Dual averaging of the logarithm of the step (Hoffman & Gelman 2014, section 3.2)."""

    def __init__(self, first: float) -> None:
        self._centre = float(np.log(10.0 * first))
        self._error, self._count = 0.0, 0
        self._log, self._mean = float(np.log(first)), float(np.log(first))

    @property
    def trial(self) -> float:
        """The step to try next."""
        return float(np.exp(self._log))

    @property
    def settled(self) -> float:
        """The step averaged over the trials."""
        return float(np.exp(self._mean))

    def learn(self, acceptance: float) -> None:
        """Move the step after a trajectory."""
        self._count += 1
        share = 1.0 / (self._count + 10.0)
        self._error += share * (TARGET_ACCEPTANCE - acceptance - self._error)
        self._log = self._centre - np.sqrt(self._count) / 0.05 * self._error
        weight = self._count**-0.75
        self._mean += weight * (self._log - self._mean)


class _Walker:
    """Hamiltonian moves; `scale` holds the variance of each variable (the inverse mass)."""

    def __init__(self, density: Density, scale: Array, rng: np.random.Generator) -> None:
        self._density, self.scale, self._rng = density, scale, rng

    def move(self, state: _State, step: float) -> tuple[_State, float]:
        """Return the next state of the chain, and the mean acceptance on the way to it."""
        begin = self._kicked(state)
        energy = self._energy(begin)
        tree = _Tree(begin, begin, begin, 0.0, turned=False, acceptance=0.0, n_steps=0)
        for depth in range(MAX_DEPTH):
            onward = bool(self._rng.random() < 0.5)
            edge = tree.right if onward else tree.left
            grown = self._stretch(edge, depth, step if onward else -step, energy)
            draw = tree.draw
            if not grown.turned and self._takes(grown.log_weight - tree.log_weight):
                draw = grown.draw
            tree = _joined(tree, grown, draw, onward=onward)
            if tree.turned:
                break
        return tree.draw, tree.acceptance / tree.n_steps

    def first_step(self, state: _State) -> float:
        """Return a step at which one leap keeps about half of the density."""
        begin = self._kicked(state)
        energy, step = self._energy(begin), 0.1
        gain = energy - self._energy(self._leap(begin, step))
        factor = 2.0 if gain > np.log(0.5) else 0.5
        for _ in range(30):
            gain = energy - self._energy(self._leap(begin, step * factor))
            if (gain > np.log(0.5)) != (factor > 1.0):
                break
            step *= factor
        return step

    def _stretch(self, edge: _State, depth: int, step: float, energy: float) -> _Tree:
        """Return the 2^depth states that follow an edge; backwards in time if `step` < 0."""
        if depth == 0:
            new = self._leap(edge, step)
            gain = energy - self._energy(new)
            gain = gain if np.isfinite(gain) else -np.inf
            lost = bool(gain < -DIVERGED)
            return _Tree(new, new, new, gain, lost, float(np.exp(min(gain, 0.0))), 1)
        onward = step > 0
        near = self._stretch(edge, depth - 1, step, energy)
        if near.turned:
            return near
        far = self._stretch(near.right if onward else near.left, depth - 1, step, energy)
        total = np.logaddexp(near.log_weight, far.log_weight)
        draw = far.draw if self._takes(far.log_weight - total) else near.draw
        return _joined(near, far, draw, onward=onward)

    def _takes(self, log_chance: float) -> bool:
        return bool(np.log(self._rng.random()) < log_chance)

    def _kicked(self, state: _State) -> _State:
        p = self._rng.standard_normal(len(state.q)) / np.sqrt(self.scale)
        return _State(state.q, p, state.loss, state.slope)

    def _energy(self, state: _State) -> float:
        return float(state.loss + 0.5 * (self.scale * state.p) @ state.p)

    def _leap(self, state: _State, step: float) -> _State:
        p = state.p - 0.5 * step * state.slope
        q = state.q + step * self.scale * p
        loss, slope = self._density(q)
        return _State(q, p - 0.5 * step * slope, loss, slope)


def _joined(a: _Tree, b: _Tree, draw: _State, *, onward: bool) -> _Tree:
    """Return two neighbouring stretches as one; `onward` if b lies later in time."""
    left, right = (a.left, b.right) if onward else (b.left, a.right)
    way = right.q - left.q
    return _Tree(
        left,
        right,
        draw,
        float(np.logaddexp(a.log_weight, b.log_weight)),
        a.turned or b.turned or bool(way @ left.p < 0 or way @ right.p < 0),
        a.acceptance + b.acceptance,
        a.n_steps + b.n_steps,
    )
