"""Recurrent networks for time series as scikit-learn estimators."""

from tsrnn._validation import InvalidParameterError, TrainingDivergedError
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster, WindowAverageForecaster
from tsrnn.classical import ETSForecaster, SARIMAXForecaster, STLForecaster, ThetaForecaster
from tsrnn.classifiers import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
from tsrnn.comparison import Comparison, compare
from tsrnn.datasets import load_ecg, load_electricity_demand, load_sp500
from tsrnn.diagnostics import residual_diagnostics
from tsrnn.evaluation import backtest
from tsrnn.forecasting import Forecaster
from tsrnn.interval_metrics import interval_coverage, interval_score
from tsrnn.metrics import (
    mean_absolute_scaled_error,
    root_mean_squared_scaled_error,
    symmetric_mean_absolute_percentage_error,
)
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.skill import DieboldMarianoResult, diebold_mariano, overall_weighted_average, skill_score
from tsrnn.transformers import SequenceScaler, WindowTransformer
from tsrnn.windows import Windows, make_windows

__all__ = [
    "Comparison",
    "DieboldMarianoResult",
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
    "compare",
    "diebold_mariano",
    "interval_coverage",
    "interval_score",
    "load_ecg",
    "load_electricity_demand",
    "load_sp500",
    "make_windows",
    "mean_absolute_scaled_error",
    "overall_weighted_average",
    "residual_diagnostics",
    "root_mean_squared_scaled_error",
    "skill_score",
    "symmetric_mean_absolute_percentage_error",
]
