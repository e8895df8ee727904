"""The networks once more, in numpy and float64, written from their formulas and not from the package.

``x`` is (batch, steps, features), a state (batch, size), ``weights`` the list of a network's arrays in the order in
which its layers stand. Row vectors throughout: a layer computes ``x @ kernel + bias``.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def simple_rnn_step(x, states, weights):
    """Elman (1990): h' = tanh(x W + h U + b)."""
    kernel, recurrent, bias = weights
    (h,) = states
    return [np.tanh(x @ kernel + h @ recurrent + bias)]


def lstm_step(x, states, weights):
    """Hochreiter & Schmidhuber (1997) with forget gates; the columns are the gates i, f, c, o one after the other."""
    kernel, recurrent, bias = weights
    h, c = states
    i, f, candidate, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(x, states, weights):
    """Cho et al. (2014), the reset gate behind the recurrent product; columns z, r, h; two rows of biases."""
    kernel, recurrent, biases = weights
    (h,) = states
    xz, xr, xh = np.split(x @ kernel + biases[0], 3, axis=1)
    hz, hr, hh = np.split(h @ recurrent + biases[1], 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xh + r * hh)]


STEPS = {"SimpleRNN": (simple_rnn_step, 1), "LSTM": (lstm_step, 2), "GRU": (gru_step, 1)}


def layer(cell, x, weights):
    """The outputs at every step (batch, steps, size) and the final states."""
    step, n_states = STEPS[cell]
    states = [np.zeros((len(x), weights[1].shape[0]))] * n_states
    outputs = []
    for t in range(x.shape[1]):
        states = step(x[:, t], states, weights)
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states


def bidirectional_layer(cell, x, forward, backward):
    """One layer reads from the first step, one from the last; their outputs at the same step stand side by side."""
    ahead, ahead_states = layer(cell, x, forward)
    back, back_states = layer(cell, x[:, ::-1], backward)
    states = [np.concatenate(pair, axis=1) for pair in zip(ahead_states, back_states, strict=True)]
    return np.concatenate([ahead, back[:, ::-1]], axis=2), states


def segments(x, length, kernel, bias):
    """Each `length` steps, written behind each other, become one of `hidden_size` numbers >= 0."""
    batch, steps, features = x.shape
    folded = np.empty((batch, steps // length, length * features))
    for s in range(steps // length):
        for k in range(length):
            folded[:, s, k * features : (k + 1) * features] = x[:, s * length + k]
    return np.maximum(folded @ kernel + bias, 0)


def dense_decoder(states, weights):
    kernel, bias = weights
    return states[0] @ kernel + bias


def parallel_decoder(cell, states, weights):
    """One step of a cell for each future segment: its position is the input, the final state its state."""
    positions, *cell_weights, kernel, bias = weights
    step, _ = STEPS[cell]
    decoded = []
    for position in positions:
        x = np.repeat(position[None], len(states[0]), axis=0)
        decoded.append(step(x, states, cell_weights)[0] @ kernel + bias)
    return np.concatenate(decoded, axis=1)


PLAIN = {"n_layers": 1, "bidirectional": False, "segment_length": 1, "decoder": "dense"}


def network(cell, x, weights, **variant):
    """The outputs (batch, n_outputs) of a whole network for windows (batch, lookback, n_features)."""
    variant = PLAIN | variant
    rest = [np.asarray(w, dtype=np.float64) for w in weights]
    x = np.asarray(x, dtype=np.float64)

    def take(count):
        taken, rest[:count] = rest[:count], []
        return taken

    if variant["segment_length"] > 1:
        x = segments(x, variant["segment_length"], *take(2))
    states = []
    for _ in range(variant["n_layers"]):
        if variant["bidirectional"]:
            x, states = bidirectional_layer(cell, x, take(3), take(3))
        else:
            x, states = layer(cell, x, take(3))
    return dense_decoder(states, take(2)) if variant["decoder"] == "dense" else parallel_decoder(cell, states, rest)


def loss(name, outputs, targets, weights):
    """The weighted mean over the samples of the mean over the outputs."""
    errors = outputs - targets
    if name == "mse":
        each = errors**2
    elif name == "mae":
        each = np.abs(errors)
    else:
        each = np.where(np.abs(errors) < 1, errors**2 / 2, np.abs(errors) - 0.5)
    return np.sum(weights * each.mean(axis=1)) / np.sum(weights)


def gradients(function, weights, step=1e-5):
    """Central differences of `function(weights)` with respect to every single weight."""
    weights = [np.array(w, dtype=np.float64) for w in weights]
    found = []
    for w in weights:
        gradient = np.empty_like(w)
        for place in np.ndindex(w.shape):
            value = w[place]
            w[place] = value + step
            above = function(weights)
            w[place] = value - step
            below = function(weights)
            w[place] = value
            gradient[place] = (above - below) / (2 * step)
        found.append(gradient)
    return found
