"""Recurrent networks for time series as scikit-learn estimators."""

from tsrnn._validation import InvalidParameterError, TrainingDivergedError
from tsrnn.datasets import load_ecg, load_electricity_demand, load_sp500
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.transformers import SequenceScaler, WindowTransformer
from tsrnn.windows import Windows, make_windows

__all__ = [
    "GRURegressor",
    "InvalidParameterError",
    "LSTMRegressor",
    "SequenceScaler",
    "SimpleRNNRegressor",
    "TrainingDivergedError",
    "WindowTransformer",
    "Windows",
    "load_ecg",
    "load_electricity_demand",
    "load_sp500",
    "make_windows",
]
