"""Recurrent networks for time series as scikit-learn estimators."""

from tsrnn._validation import InvalidParameterError, TrainingDivergedError
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster, WindowAverageForecaster
from tsrnn.classical import ETSForecaster, SARIMAXForecaster, STLForecaster, ThetaForecaster
from tsrnn.classifiers import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
from tsrnn.datasets import load_ecg, load_electricity_demand, load_sp500
from tsrnn.evaluation import backtest
from tsrnn.forecasting import Forecaster
from tsrnn.metrics import (
    mean_absolute_scaled_error,
    root_mean_squared_scaled_error,
    symmetric_mean_absolute_percentage_error,
)
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.transformers import SequenceScaler, WindowTransformer
from tsrnn.windows import Windows, make_windows

__all__ = [
    "DriftForecaster",
    "ETSForecaster",
    "ForecastDisplay",
    "Forecaster",
    "GRUClassifier",
    "GRURegressor",
    "InvalidParameterError",
    "LSTMClassifier",
    "LSTMRegressor",
    "NaiveForecaster",
    "SARIMAXForecaster",
    "STLForecaster",
    "SeasonalNaiveForecaster",
    "SequenceScaler",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "ThetaForecaster",
    "TrainingDivergedError",
    "WalkForwardSplit",
    "WindowAverageForecaster",
    "WindowTransformer",
    "Windows",
    "backtest",
    "load_ecg",
    "load_electricity_demand",
    "load_sp500",
    "make_windows",
    "mean_absolute_scaled_error",
    "root_mean_squared_scaled_error",
    "symmetric_mean_absolute_percentage_error",
]
