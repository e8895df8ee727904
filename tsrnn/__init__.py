"""Recurrent networks for time series as scikit-learn estimators."""

from tsrnn._validation import InvalidParameterError, TrainingDivergedError
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.calendars import CalendarFeatures
from tsrnn.classifiers import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
from tsrnn.datasets import load_ecg, load_electricity_demand, load_sp500
from tsrnn.evaluation import backtest
from tsrnn.fetchers import (
    fetch_ett,
    fetch_exchange_rates,
    fetch_m4_hourly,
    fetch_pjm,
    fetch_valencia_air,
    fetch_victoria_electricity,
)
from tsrnn.forecasting import Forecaster
from tsrnn.metrics import (
    mean_absolute_scaled_error,
    root_mean_squared_scaled_error,
    symmetric_mean_absolute_percentage_error,
)
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.physionet import fetch_mitbih
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.seasons import find_seasons, suggest_lookback
from tsrnn.transformers import Differencer, SequenceScaler, WindowTransformer
from tsrnn.windows import Windows, make_windows

__all__ = [
    "CalendarFeatures",
    "Differencer",
    "DriftForecaster",
    "ForecastDisplay",
    "Forecaster",
    "GRUClassifier",
    "GRURegressor",
    "InvalidParameterError",
    "LSTMClassifier",
    "LSTMRegressor",
    "NaiveForecaster",
    "SeasonalNaiveForecaster",
    "SequenceScaler",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "TrainingDivergedError",
    "WalkForwardSplit",
    "WindowTransformer",
    "Windows",
    "backtest",
    "fetch_ett",
    "fetch_exchange_rates",
    "fetch_m4_hourly",
    "fetch_mitbih",
    "fetch_pjm",
    "fetch_valencia_air",
    "fetch_victoria_electricity",
    "find_seasons",
    "load_ecg",
    "load_electricity_demand",
    "load_sp500",
    "make_windows",
    "mean_absolute_scaled_error",
    "root_mean_squared_scaled_error",
    "suggest_lookback",
    "symmetric_mean_absolute_percentage_error",
]
