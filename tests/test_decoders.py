"""The decoders as Keras layers: what each output may depend on, and that they can be saved."""

import numpy as np
import pytest

from tsrnn import GRURegressor, networks
from tsrnn._decoders import AttentionDecoder, ParallelDecoder, RecurrentDecoder
from tsrnn.networks import Architecture

keras = pytest.importorskip("keras")

SIZE, COUNT, SEGMENT = 3, 6, 2
KINDS = [ParallelDecoder, RecurrentDecoder, AttentionDecoder]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_cell = pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])


def states_of(kind, cell, rng):
    """What the decoder of this kind is given: the final states, behind all of them where it looks back."""
    final = [rng.normal(size=(4, SIZE)).astype(np.float32) for _ in range(2 if cell == "LSTM" else 1)]
    every = [rng.normal(size=(4, 5, SIZE)).astype(np.float32)] if kind is AttentionDecoder else []
    return [*every, *final]


def made(kind, cell, rng):
    """A decoder of random weights and what it is given."""
    decoder, states = kind(cell, COUNT, SEGMENT), states_of(kind, cell, rng)
    decoder.build([state.shape for state in states])
    for variable in decoder.trainable_variables:
        variable.assign(rng.normal(scale=0.5, size=variable.shape))
    return decoder, states


def weight(decoder, *names):
    """The variable at the end of these names."""
    (found,) = [v for v in decoder.trainable_variables if v.path.split("/")[-len(names) :] == list(names)]
    return found


@every_kind
@every_cell
def test_a_decoder_gives_its_values_for_every_sample_alone(kind, cell):
    decoder, states = made(kind, cell, np.random.default_rng(0))
    whole = np.asarray(decoder(states))
    assert whole.shape == (4, COUNT) == (4, decoder.compute_output_shape([state.shape for state in states])[1])
    assert len(np.unique(whole)) == whole.size
    for i in range(4):
        alone = decoder([state[i : i + 1] for state in states])
        np.testing.assert_allclose(alone, whole[i : i + 1], rtol=0, atol=1e-6)


@every_cell
def test_a_parallel_segment_depends_on_its_own_position_alone(cell):
    decoder, states = made(ParallelDecoder, cell, np.random.default_rng(0))
    before, positions = np.asarray(decoder(states)), decoder.positions.numpy().copy()
    positions[1] += 1
    decoder.positions.assign(positions)
    changed = np.asarray(decoder(states)) != before
    assert changed[:, SEGMENT : 2 * SEGMENT].all()
    assert not changed[:, :SEGMENT].any()
    assert not changed[:, 2 * SEGMENT :].any()


@pytest.mark.parametrize("kind", [RecurrentDecoder, AttentionDecoder])
@every_cell
def test_what_is_decoded_is_the_next_input(kind, cell):
    """Without the cell's input weights the first segment is the same: its input is zero. The others are not."""
    decoder, states = made(kind, cell, np.random.default_rng(0))
    before, kernel = np.asarray(decoder(states)), weight(decoder, "cell", "kernel")
    assert kernel.shape[0] == SEGMENT
    kernel.assign(np.zeros(kernel.shape))
    changed = np.asarray(decoder(states)) != before
    assert not changed[:, :SEGMENT].any()
    assert changed[:, SEGMENT:].all()


@every_cell
def test_the_attention_decoder_looks_at_every_state_for_every_segment(cell):
    decoder, (encoded, *final) = made(AttentionDecoder, cell, np.random.default_rng(0))
    before = np.asarray(decoder([encoded, *final]))
    for t in range(encoded.shape[1]):
        other = encoded.copy()
        other[:, t] += 1
        assert (np.asarray(decoder([other, *final])) != before).all()
    reversed_states = decoder([encoded[:, ::-1], *final])  # it knows no order of them
    np.testing.assert_allclose(reversed_states, before, rtol=0, atol=1e-6)


@every_kind
def test_a_decoder_is_known_by_its_configuration(kind):
    decoder = kind("GRU", COUNT, SEGMENT, name="mine")
    again = kind.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
    assert (again.cell_name, again.n_values, again.segment_length, again.count) == ("GRU", COUNT, SEGMENT, 3)


@pytest.mark.parametrize("decoder", ["parallel", "recurrent", "sequence", "attention"])
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, of its own variable
def test_a_saved_model_predicts_the_same(decoder, tmp_path):
    a = Architecture("LSTM", 6, 2, 6, hidden_size=4, decoder=decoder, attention="transformer")
    model, x = networks.build(a), np.random.default_rng(0).normal(size=(3, 6, 2)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))


@pytest.mark.parametrize("decoder", ["recurrent", "attention"])
def test_a_loop_of_segments_is_trained_by_xla_as_by_a_plain_graph(decoder):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6, 1))
    y = X[:, :4, 0]
    fits = [
        GRURegressor(3, decoder=decoder, epochs=2, batch_size=20, jit_compile=compiled, random_state=0).fit(X, y)
        for compiled in (False, True)
    ]
    plain, compiled = (np.concatenate([w.ravel() for w in fit.weights_[0]]) for fit in fits)
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("decoder", ["parallel", "recurrent", "attention"])
def test_cell_options_reach_the_decoders_cell(decoder):
    options = {"activation": "relu", "kernel_constraint": keras.constraints.MaxNorm(1e-3), "dropout": 0.1}
    model = networks.build(Architecture("GRU", 4, 1, 4, 3, decoder=decoder, cell_options=options))
    cell = model.get_layer("decoder").cell
    assert cell.activation is keras.activations.relu
    assert cell.kernel_constraint.max_value == 1e-3
    assert cell.dropout == 0
    copied = keras.models.clone_model(model).get_layer("decoder").cell
    assert copied.kernel_constraint.max_value == 1e-3
