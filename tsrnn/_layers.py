"""Keras layers of our own; like `networks`, imported at the first fit or predict only.

Row vectors throughout: a dense layer computes ``x @ kernel + bias``.
"""

from typing import Any

import keras
import tensorflow as tf

__all__ = ["AdditiveAttention", "Dropout", "PositiveScale", "RisingQuantiles", "Transformer"]


@keras.saving.register_keras_serializable("tsrnn")
class Dropout(keras.layers.Dropout):
    """Keras' Dropout with the random generator named.

    Left to choose for itself, XLA on a CPU draws a mask of 32,768 numbers in 7.8 ms; Philox takes 0.3 ms.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return `inputs`, in training with a random `rate` of them at zero and the others scaled up."""
        if not training or self.rate == 0:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed, rng_alg="philox")


@keras.saving.register_keras_serializable("tsrnn")
class AdditiveAttention(keras.layers.Layer):
    """Look back over all states with one question, and mix what is found with the question itself.

    ::

        e_t = tanh(s_t W + q U + b) v        weight_t = softmax of e over all t
        context = sum over t of weight_t s_t        answer = tanh([context, q] C + c)

    s_t (batch, steps, size) are the states, q (batch, query_size) the question, v a vector of `size` numbers.

    Parameters
    ----------
    size : int
        Numbers in the answer, and hidden units of the score.
    **kwargs : dict
        Passed to `keras.layers.Layer`.

    References
    ----------
    Bahdanau, Cho & Bengio (2015), doi:10.48550/arXiv.1409.0473: the additive score. Luong, Pham & Manning (2015),
    doi:10.18653/v1/D15-1166: the answer from context and question.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.of_states = keras.layers.Dense(size, use_bias=False, name="of_states")
        self.of_query = keras.layers.Dense(size, name="of_query")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.answer = keras.layers.Dense(size, activation="tanh", name="answer")

    def build(self, input_shape: Any) -> None:
        """Make the weights for states (batch, steps, size) and a question (batch, query_size)."""
        states, query = input_shape
        self.of_states.build((None, states[-1]))
        self.of_query.build((None, query[-1]))
        self.score.build((None, self.size))
        self.answer.build((None, states[-1] + query[-1]))

    def call(self, inputs: Any) -> Any:
        """Return the answer (batch, size) to [states, question]."""
        states, query = inputs
        return self.look(states, self.of_states(states), query)

    def look(self, states: Any, keys: Any, query: Any) -> Any:
        """Return the answer to one question, with `keys` the states' part of the score, which serves all questions."""
        ops = keras.ops
        # Plain sums: a matrix product of three axes, or a softmax over another than the last, transposes by shapes that
        # XLA does not know inside a decoder's loop.
        scores = ops.sum(ops.tanh(keys + self.of_query(query)[:, None]) * self.score.kernel[:, 0], axis=2)
        context = ops.sum(ops.softmax(scores, axis=1)[..., None] * states, axis=1)
        return self.answer(ops.concatenate([context, query], axis=1))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Return (batch, size)."""
        return input_shape[0][0], self.size

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("tsrnn")
class Transformer(keras.layers.Layer):
    """One encoder block over the states: self-attention and a feed-forward network, each added and normalised.

    ::

        a = norm(x + heads(x))        output = norm(a + relu(a A + b) B + c)

    Parameters
    ----------
    n_heads : int
        Attention heads; they share the states' size.
    causal : bool
        Whether a step sees only itself and earlier steps.
    dropout : float
        Fraction of the two sums' second terms dropped in training.
    **kwargs : dict
        Passed to `keras.layers.Layer`.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762: the block; positions are known from the recurrent states.
    """

    def __init__(self, n_heads: int, *, causal: bool, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_heads, self.causal, self.rate = n_heads, causal, dropout

    def build(self, input_shape: Any) -> None:
        """Make the weights for states (batch, steps, size)."""
        size, layers = input_shape[-1], keras.layers
        self.heads = layers.MultiHeadAttention(self.n_heads, size // self.n_heads, name="heads")
        self.wide = layers.Dense(4 * size, activation="relu", name="wide")
        self.narrow = layers.Dense(size, name="narrow")
        self.norms = [layers.LayerNormalization(name="norm_heads"), layers.LayerNormalization(name="norm_feed")]
        self.drops = [Dropout(self.rate, name="drop_heads"), Dropout(self.rate, name="drop_feed")]
        self.heads.build(input_shape, input_shape)
        self.wide.build(input_shape)
        self.narrow.build((*input_shape[:-1], 4 * size))
        for norm in self.norms:
            norm.build(input_shape)

    def call(self, states: Any, training: bool = False) -> Any:
        """Return (batch, steps, size)."""
        seen = self.heads(states, states, use_causal_mask=self.causal)
        states = self.norms[0](states + self.drops[0](seen, training=training))
        fed = self.narrow(self.wide(states))
        return self.norms[1](states + self.drops[1](fed, training=training))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the states."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"n_heads": self.n_heads, "causal": self.causal, "dropout": self.rate}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tsrnn")
class RisingQuantiles(keras.layers.Layer):
    """Turn (..., n_quantiles) numbers into quantiles that never cross: the first, and what each is above the last."""

    def call(self, inputs: Any) -> Any:
        """Return the rising quantiles, in the shape of `inputs`."""
        first, rest = inputs[..., :1], inputs[..., 1:]
        return keras.ops.cumsum(keras.ops.concatenate([first, keras.ops.softplus(rest)], axis=-1), axis=-1)


@keras.saving.register_keras_serializable("tsrnn")
class PositiveScale(keras.layers.Layer):
    """Turn (..., 2) numbers into a mean and a standard deviation > 0."""

    smallest = 1e-3
    """Of the standardised target: a likelihood has no bound where the deviation may vanish."""

    def call(self, inputs: Any) -> Any:
        """Return mean and standard deviation, in the shape of `inputs`."""
        scale = keras.ops.softplus(inputs[..., 1:]) + self.smallest
        return keras.ops.concatenate([inputs[..., :1], scale], axis=-1)
