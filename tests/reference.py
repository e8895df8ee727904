"""The networks once more, in numpy and float64, written from their formulas and not from the package.

``x`` is (batch, steps, features), a state (batch, size). ``weights`` is a dict from a variable's path, such as
"recurrent_0_backward/gru_cell/bias", to its array. Row vectors throughout: a layer computes ``x @ kernel + bias``.
"""

import numpy as np


def by_path(variables, arrays):
    """The dict of weights that belongs to a model's variables."""
    named = {v.path: np.asarray(array, dtype=np.float64) for v, array in zip(variables, arrays, strict=True)}
    assert len(named) == len(arrays)
    return named


def part(weights, layer, names=("kernel", "bias")):
    """The arrays of a layer by their names, those of the layers inside it as well."""
    inside = {path.rsplit("/")[-1]: w for path, w in weights.items() if path.startswith(f"{layer}/")}
    return [inside[name] for name in names]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.log(1 + np.exp(a))


# --- cells ---


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
CELL = ("kernel", "recurrent_kernel", "bias")


# --- recurrence ---


def layer(cell, x, weights, held=lambda _t, states: states):
    """The outputs at every step (batch, steps, size) and the final states; `held` may replace those before a step."""
    step, n_states = STEPS[cell]
    states = [np.zeros((len(x), weights[1].shape[0]))] * n_states
    outputs = []
    for t in range(x.shape[1]):
        states = step(x[:, t], held(t, states), weights)
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states


def holding(a, name, held):
    """Take states from the dict `held`, which the first pass fills, every `truncation` steps before the end.

    Differences between later passes do not see how those states depend on the weights: a truncated gradient.
    """

    def states_before(t, states):
        if held is None or a.truncation is None or t == 0 or (a.n_segments - t) % a.truncation:
            return states
        return held.setdefault((name, t), states)

    return states_before


def recurrent_layer(a, x, weights, number, held):
    """Read from the first step and, where asked for, from the last; outputs at the same step stand side by side."""
    name = f"recurrent_{number}"
    outputs, states = layer(a.cell, x, part(weights, name, CELL), holding(a, name, held))
    if not a.bidirectional:
        return outputs, states
    name = f"{name}_backward"
    back, back_states = layer(a.cell, x[:, ::-1], part(weights, name, CELL), holding(a, name, held))
    both = [np.concatenate(pair, axis=1) for pair in zip(states, back_states, strict=True)]
    return np.concatenate([outputs, back[:, ::-1]], axis=2), both


def ends(a, x):
    """What each direction has to say at its last step."""
    if not a.bidirectional or x.shape[2] != 2 * a.hidden_size:
        return x[:, -1]
    return np.concatenate([x[:, -1, : a.hidden_size], x[:, 0, a.hidden_size :]], axis=1)


def layer_norm(x, weights):
    """Ba, Kiros & Hinton (2016), over the last axis."""
    gamma, beta = weights
    variance = x.var(axis=-1, keepdims=True)
    return gamma * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + 1e-3) + beta


def behind(a, x, below, weights, name):
    """Add the layer's input where it is as wide, then normalise."""
    if "residual" in a.between_layers and x.shape[-1] == below.shape[-1]:
        x = x + below
    if "layer_norm" in a.between_layers:
        x = layer_norm(x, part(weights, f"layer_norm{name}", ("gamma", "beta")))
    return x


def recurrence(a, x, weights, held=None):
    """The outputs at every step, and the final states with the output first."""
    wants_all = a.attention is not None or a.decoder in ("sequence", "attention")
    for number in range(a.n_layers):
        below = x
        x, states = recurrent_layer(a, below, weights, number, held)
        if number < a.n_layers - 1 or wants_all:
            x = behind(a, x, below, weights, f"_{number}")
            output = ends(a, x)
        else:
            output = behind(a, states[0], ends(a, below), weights, "")
    return x, [output, *states[1:]]


# --- before and behind the recurrence ---


def convolution(x, weights):
    """At each step the sum over it and the steps before it, zeros before the first; then no less than zero."""
    kernel, bias = weights
    size, steps = len(kernel), x.shape[1]
    padded = np.concatenate([np.zeros((len(x), size - 1, x.shape[2])), x], axis=1)
    return np.maximum(sum(padded[:, k : k + steps] @ kernel[k] for k in range(size)) + bias, 0)


def segments(x, length, weights):
    """Each `length` steps, written behind each other, become one of `hidden_size` numbers >= 0."""
    kernel, bias = weights
    batch, steps, features = x.shape
    folded = np.empty((batch, steps // length, length * features))
    for s in range(steps // length):
        for k in range(length):
            folded[:, s, k * features : (k + 1) * features] = x[:, s * length + k]
    return np.maximum(folded @ kernel + bias, 0)


def softmax(a, axis):
    powers = np.exp(a - a.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def additive_attention(states, query, weights, name):
    """Bahdanau et al. (2015): score each state for the question, and mix the weighted mean with the question."""
    (of_states,) = part(weights, f"{name}/of_states", ("kernel",))
    of_query, bias = part(weights, f"{name}/of_query")
    (score,) = part(weights, f"{name}/score", ("kernel",))
    kernel, offset = part(weights, f"{name}/answer")
    question = query @ of_query + bias
    scores = np.stack([np.tanh(states[:, t] @ of_states + question) @ score[:, 0] for t in range(states.shape[1])], 1)
    context = np.einsum("bt,bts->bs", softmax(scores, axis=1), states)
    return np.tanh(np.concatenate([context, query], axis=1) @ kernel + offset)


def transformer(x, weights, *, causal):
    """Vaswani et al. (2017): heads, sum, norm; feed-forward, sum, norm."""
    (query, b_query), (key, b_key), (value, b_value), (out, b_out) = (
        part(weights, f"transformer/heads/{name}") for name in ("query", "key", "value", "attention_output")
    )
    steps, (_, n_heads, size) = x.shape[1], query.shape
    seen = np.zeros_like(x) + b_out
    for head in range(n_heads):
        q, k, v = (x @ w[:, head] + b[head] for w, b in ((query, b_query), (key, b_key), (value, b_value)))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(size)
        if causal:
            scores = np.where(np.tri(steps, dtype=bool), scores, -np.inf)
        seen = seen + softmax(scores, axis=2) @ v @ out[head]
    x = layer_norm(x + seen, part(weights, "transformer/norm_heads", ("gamma", "beta")))
    wide, narrow = part(weights, "transformer/wide"), part(weights, "transformer/narrow")
    fed = np.maximum(x @ wide[0] + wide[1], 0) @ narrow[0] + narrow[1]
    return layer_norm(x + fed, part(weights, "transformer/norm_feed", ("gamma", "beta")))


# --- decoders ---


def dense_decoder(output, weights):
    kernel, bias = part(weights, "decoder")
    return output @ kernel + bias


def sequence_decoder(sequence, weights):
    return np.concatenate([dense_decoder(sequence[:, t], weights) for t in range(sequence.shape[1])], axis=1)


def parallel_decoder(a, states, weights):
    """One step of a cell for each future segment: its position is the input, the final state its state."""
    kernel, bias = part(weights, "decoder/values")
    decoded = []
    for position in weights["decoder/positions"]:
        x = np.repeat(position[None], len(states[0]), axis=0)
        decoded.append(STEPS[a.cell][0](x, states, part(weights, "decoder/cell", CELL))[0] @ kernel + bias)
    return np.concatenate(decoded, axis=1)


def recurrent_decoder(a, sequence, states, weights):
    """Segment after segment, each the next one's input, the first one's zero; with attention, a look back at each."""
    kernel, bias = part(weights, "decoder/values")
    segment, decoded = np.zeros((len(states[0]), len(bias))), []
    for _ in range(a.n_outputs // a.segment_length):
        states = STEPS[a.cell][0](segment, states, part(weights, "decoder/cell", CELL))
        output = states[0]
        if a.decoder == "attention":
            output = additive_attention(sequence, output, weights, "decoder/attention")
        segment = output @ kernel + bias
        decoded.append(segment)
    return np.concatenate(decoded, axis=1)


def head(a, outputs):
    """The outputs as they are, or (batch, n_outputs, n_values): rising quantiles, or mean and deviation."""
    if a.head == "point":
        return outputs
    values = outputs.reshape(len(outputs), a.n_outputs, a.n_values)
    first, rest = values[..., :1], softplus(values[..., 1:])
    if a.head == "gaussian":
        return np.concatenate([first, rest + 1e-3], axis=2)
    return np.concatenate([first, first + np.cumsum(rest, axis=2)], axis=2)


def network(a, x, weights, held=None):
    """The outputs of the architecture `a` for windows (batch, lookback, n_features)."""
    x = np.asarray(x, dtype=np.float64)
    if a.convolution is not None:
        x = convolution(x, part(weights, "convolution"))
    if a.segment_length > 1:
        x = segments(x, a.segment_length, part(weights, "segments"))
    sequence, states = recurrence(a, x, weights, held)
    if a.attention == "additive":
        states = [additive_attention(sequence, states[0], weights, "attention"), *states[1:]]
    elif a.attention == "transformer":
        sequence = transformer(sequence, weights, causal=not a.bidirectional)
        states = [ends(a, sequence), *states[1:]]
    if a.decoder == "dense":
        return head(a, dense_decoder(states[0], weights))
    if a.decoder == "sequence":
        return head(a, sequence_decoder(sequence, weights))
    if a.decoder == "parallel":
        return head(a, parallel_decoder(a, states, weights))
    return head(a, recurrent_decoder(a, sequence, states, weights))


# --- losses and gradients ---


def pinball(outputs, targets, quantiles):
    errors = targets[..., None] - outputs
    return np.where(errors >= 0, np.multiply(quantiles, errors), np.multiply(np.subtract(quantiles, 1), errors))


def normal(outputs, targets):
    """Minus the logarithm of the normal density."""
    mean, deviation = outputs[..., 0], outputs[..., 1]
    return -np.log(np.exp(-(((targets - mean) / deviation) ** 2) / 2) / (np.sqrt(2 * np.pi) * deviation))


LOSSES = {
    "mse": lambda outputs, targets: (outputs - targets) ** 2,
    "mae": lambda outputs, targets: np.abs(outputs - targets),
    "huber": lambda outputs, targets: np.where(
        np.abs(outputs - targets) < 1, (outputs - targets) ** 2 / 2, np.abs(outputs - targets) - 0.5
    ),
    "log_cosh": lambda outputs, targets: np.log(np.cosh(outputs - targets)),
    "gaussian": normal,
    "cross_entropy": lambda outputs, targets: -targets * np.log(softmax(outputs, axis=1)) * targets.shape[1],
}


def losses(name, outputs, targets, quantiles=()):
    """The loss of each sample: the mean over its outputs, of classes the sum."""
    each = pinball(outputs, targets, quantiles) if name == "quantile" else LOSSES[name](outputs, targets)
    return each.reshape(len(each), -1).mean(axis=1)


def loss(name, outputs, targets, weights):
    """The weighted mean over the samples."""
    return np.sum(weights * losses(name, outputs, targets)) / np.sum(weights)


def gradients(function, weights, step=1e-5):
    """Central differences of `function(weights)` with respect to every single number in the dict `weights`."""
    weights = {path: np.array(w, dtype=np.float64) for path, w in weights.items()}
    found = {path: np.empty_like(w) for path, w in weights.items()}
    for path, w in weights.items():
        for place in np.ndindex(w.shape):
            value = w[place]
            w[place] = value + step
            above = function(weights)
            w[place] = value - step
            below = function(weights)
            w[place] = value
            found[path][place] = (above - below) / (2 * step)
    return found
