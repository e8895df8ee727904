"""What the docstrings of the regressors and classifiers share."""

__all__ = ["classifier", "regressor"]

CELLS = {
    "SimpleRNN": "Elman (1990), doi:10.1207/s15516709cog1402_1: the recurrent cell.",
    "LSTM": "Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735: the cell and its gates.",
    "GRU": "Cho et al. (2014), doi:10.3115/v1/D14-1179: the cell and its gates.",
}

NETWORK = """
    Parameters
    ----------
    hidden_size : int, default=32
        Network: units of each recurrent layer, per direction.
    n_layers : int, default=1
        Network: recurrent layers on top of each other.
    bidirectional : bool, default=False
        Network: whether each layer also reads the window backwards; this doubles its units.
    convolution : (int, int), default=None
        Network: filters and kernel size of a causal convolution with ReLU before the recurrence. None: none.
    segment_length : int, default=1
        Network: consecutive steps that enter the cell as one; it must divide the window's length. Segments shorten the
        recurrence, which makes training faster and long windows learnable.
    between_layers : {{"residual", "layer_norm"}} or several of them, default=None
        Network: what is done behind each recurrent layer. "residual" adds the layer's input where it has the size of
        the output; "layer_norm" normalises the output (of the sum). None: nothing.
    dropout : float, default=0.0
        Network: fraction of units dropped behind each recurrent layer in training, in [0, 1).
    recurrent_dropout : float, default=0.0
        Network: fraction of units dropped in the recurrent connections in training, in [0, 1); the same units at all
        steps, with `truncation` between two cuts.
    truncation : int, default=None
        Network: steps of the recurrence (segments, if there are any) after which gradients stop while the state flows
        on: truncated back-propagation through time. None: gradients flow through the whole window.
    attention : {{"additive", "transformer"}}, default=None
        Network: what looks over the states of all steps. "additive": the last output asks, and a weighted mean of the
        states answers; "transformer": a block of four heads of self-attention (of one, where four do not divide the
        units), which sees earlier steps only unless the network is bidirectional. None: the last output alone counts.
"""

DECODER = """    decoder : {{"dense", "parallel", "recurrent", "sequence", "attention"}}, default="dense"
        Network: what turns the states into the outputs. "dense": one linear map of the last one; "parallel": each
        future segment from the state and an embedding of its position, `segment_length` outputs at a time;
        "recurrent": segment after segment, each the input of the next; "attention": the same with a look over the
        states of all steps; "sequence": one output at each step, for `y` of shape (n_samples, lookback[, n_targets]).
"""

OWN_NETWORK = """    cell_options : dict, default=None
        Network: further arguments of the Keras layer, and of a decoder's cell: ``{{"activation": "relu"}}``,
        ``{{"kernel_constraint": keras.constraints.MaxNorm(2)}}``, ``{{"recurrent_initializer": "orthogonal"}}``.
    build_network : callable, default=None
        Network: a function ``(input_shape, n_outputs) -> keras.Model`` used instead of all of the above; its weights
        are drawn anew by the initializers that its layers keep. One function is called once for each shape: give
        another network another function.
"""

LOSS = """    loss : {{"mse", "mae", "huber", "log_cosh", "quantile", "gaussian"}}, default="mse"
        Training: what is minimised, on standardised targets. "quantile": the pinball loss of `quantiles`, which never
        cross; "gaussian": the negative log likelihood of a normal distribution, whose mean and standard deviation the
        network tells.
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        Training: the rising levels of `loss="quantile"`, in (0, 1).
"""

CLASS_WEIGHT = """    class_weight : dict or "balanced", default=None
        Training: weight of each class in the loss. "balanced": inversely to how often it occurs. None: all equal.
"""

TRAINING = """    optimizer : {{"adam", "adamw", "rmsprop", "sgd"}} or keras.optimizers.Optimizer, default="adam"
        Training: Keras' optimizer of that name, or an optimizer, whose own learning rate and clipping count as well
        (not its averages of weights, `use_ema`, nor its scale of the loss).
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, default=0.001
        Training: learning rate at the start, or of every step. An optimizer that is an object brings its own.
    schedule : {{"cosine", "plateau"}}, default=None
        Training: how the learning rate falls. "cosine": to zero over all steps; "plateau": by half whenever three
        epochs bring no better loss (validation loss with early stopping). None: it stays.
    clipping : float or ("norm" or "value", float), default=1.0
        Training: greatest norm of the whole gradient; with "value", greatest size of each of its numbers. None: no
        clipping.
    epochs : int, default=30
        Training: passes over the windows.
    batch_size : int, default=64
        Training: windows in a step.
    early_stopping : int, default=None
        Training: epochs without a better validation loss after which training stops; the weights of the best epoch are
        kept. {held_out} None: all epochs are run.
    validation_fraction : float, default=0.1
        Training: fraction of the windows held out by `early_stopping`, in (0, 1).
    n_members : int, default=1
        Run: networks trained from different seeds; {averaged} are averaged.
    warm_start : bool, default=False
        Run: whether `fit` starts from the weights of the fit before, when the shapes agree.
    random_state : int, numpy.random.RandomState, default=None
        Run: seed of weights, order of the samples and dropout. No global random state is read or changed.
    checkpoint : str or path, default=None
        Run: a folder in which finished fits are kept; a fit that is found there, with the same data and parameters, is
        not run again. A search, a backtest or an ensemble that was interrupted goes on where it stopped, on many
        machines if they share the folder. With `random_state=None`, too, the fit that is found counts. Functions
        count by their names. None: nothing is kept.
    callbacks : list of keras.callbacks.Callback, default=None
        Run: called at the beginning and end of training and of each epoch, not of each batch.
    jit_compile : bool or "auto", default="auto"
        Run: whether training steps are compiled by XLA (a second once, then two to three times as fast). "auto": when
        the fit is long enough.

    Attributes
    ----------
    weights_ : list of list of ndarray
        Each member's weights.
    history_ : DataFrame
        One row an epoch: member, epoch, loss, val_loss (with early stopping), learning_rate, gradient_norm (mean over
        the steps, before clipping), seconds. {losses}
    n_iter_ : int
        Epochs run, of the member that ran longest.
    best_epoch_ : int
        The epoch whose weights were kept, of the first member; the last one without `early_stopping`, whatever a
        callback restored.
    n_parameters_ : int
        Trainable weights of one member.
"""

REST = """    n_features_in_ : int
        Features of a step; for 2-D samples, the columns.
    input_shape_ : tuple of int
        (lookback, n_features) of a sample.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    MemoryError
        The machine, or its GPU, cannot hold a training step.
    TrainingDivergedError
        In `fit`, when the loss becomes infinite or not a number.
    ValueError, TypeError
        For samples or targets that are no finite numbers or whose shapes disagree.
    RuntimeError
        In a process forked after TensorFlow was used.

    Notes
    -----
    A sample is a window: `Windows`, an array (n_samples, lookback, n_features), or an array (n_samples, lookback) of
    one feature. Sequences of different lengths are a list of arrays (length, n_features) or (length,): a shorter one
    is continued backwards with its first step, and of one longer than any that was fitted the last steps count.
    Compiled programs are cached in the process, so another fit of the same shape compiles nothing; the fitted estimator
    holds numpy arrays only. Two fits with one `random_state` are equal to the bit on one machine. A process compiles no
    more than 32 networks with XLA, which never gives their memory back; later ones run as plain graphs, equal to within
    rounding, but with other random numbers for dropout.

    References
    ----------
    {reference}
    Pascanu, Mikolov & Bengio (2013), arXiv:1211.5063: clipping the norm of the whole gradient.
    Williams & Peng (1990), doi:10.1162/neco.1990.2.4.490: truncated back-propagation through time.
    Bahdanau, Cho & Bengio (2015), doi:10.48550/arXiv.1409.0473: additive attention. Vaswani et al. (2017),
    doi:10.48550/arXiv.1706.03762: the transformer block. Ba, Kiros & Hinton (2016), doi:10.48550/arXiv.1607.06450:
    layer normalisation. He et al. (2016), doi:10.1109/CVPR.2016.90: residual connections.
"""

REGRESSOR = (
    """{cell} network that maps a window of a time series to one or several numbers.

    ::

        window (L, d) -> [convolution] -> segments (L/s, s*d -> h) -> n_layers x {cell} -> [attention] -> decoder
"""
    + NETWORK
    + DECODER
    + OWN_NETWORK
    + LOSS
    + TRAINING
    + """    n_outputs_ : int
        Numbers in a target: the columns of `y`.
    target_mean_, target_scale_ : ndarray of shape (n_outputs_,)
        Weighted mean and standard deviation of `y`, in its units; for decoder="sequence" over all steps.
"""
    + REST
    + """    Lin et al. (2023), SegRNN, doi:10.48550/arXiv.2308.11200: segments and the parallel decoder.
    Koenker & Bassett (1978), doi:10.2307/1913643: the quantile loss. Nix & Weigend (1994),
    doi:10.1109/ICNN.1994.374138: the Gaussian likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import {name}, make_windows
    >>> X, y = make_windows(np.sin(np.arange(60.0)), lookback=8, horizon=2)
    >>> {variable} = {name}(hidden_size=4, epochs=2, random_state=0).fit(X, y)
    >>> {variable}.predict(X[:3]).shape
    (3, 2)
"""
)

CLASSIFIER = (
    """{cell} network that maps a window of a time series to one of several classes.

    ::

        window (L, d) -> [convolution] -> segments (L/s, s*d -> h) -> n_layers x {cell} -> [attention] -> softmax

    The cross-entropy is minimised.
"""
    + NETWORK
    + OWN_NETWORK
    + CLASS_WEIGHT
    + TRAINING
    + """    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_outputs_ : int
        The number of classes.
"""
    + REST
    + """
    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import {name}
    >>> X = np.random.default_rng(0).normal(size=(40, 8))
    >>> y = np.where(X[:, 0] > 0, "up", "down")
    >>> {variable} = {name}(hidden_size=4, epochs=2, random_state=0).fit(X, y)
    >>> {variable}.predict_proba(X[:3]).shape
    (3, 2)
"""
)

REGRESSORS_TRAINING = {
    "held_out": (
        "The last samples are held\n        out; of `Windows` behind a gap, so that no step of a target stands on "
        "both sides."
    ),
    "averaged": "their predictions",
    "losses": "Losses are those\n        of standardised targets.",
}

CLASSIFIERS_TRAINING = {
    "held_out": (
        "Of `Windows`, the\n        last ones in time are held out; of other samples, which are exchangeable, a part "
        "of each class at random."
    ),
    "averaged": "their probabilities",
    "losses": "",
}


def regressor(name: str, cell: str) -> str:
    """Return the docstring of the regressor `name`."""
    values = {"name": name, "cell": cell, "reference": CELLS[cell], "variable": cell.lower()}
    return REGRESSOR.format(**values, **REGRESSORS_TRAINING)


def classifier(name: str, cell: str) -> str:
    """Return the docstring of the classifier `name`."""
    values = {"name": name, "cell": cell, "reference": CELLS[cell], "variable": cell.lower()}
    return CLASSIFIER.format(**values, **CLASSIFIERS_TRAINING)
